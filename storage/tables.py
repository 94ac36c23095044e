"""The tables. What must never be so is refused here, by keys and constraints, not by code that looks first.

Text that is compared without case has a column of its own, folded in Python, because the databases fold differently.
"""

from uuid import UUID

from sqlalchemy import (
    Boolean,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from storage.declarations import Words, column, json, metadata, organization, partial, row_id, within
from storage.engine import UtcDateTime

NOBODY = UUID(int=0)
"""Stands for "none" in keys, where NULL would not count as equal to NULL."""

NEEDED = text("urgency < 2")
"""Lapsed connections (0) and unconnected ones (1): in these words the partial index is found."""
OTHERS = text("urgency >= 2")
OPEN_LAPSE = text("ended_at IS NULL")
OPEN_ATTEMPT = text("closed_at IS NULL")
UNPLANNED = text("planned_at IS NULL")
WAITING = text("state IN ('due', 'unknown')")
SENDING = text("state = 'sending'")

organizations = Table(
    "organizations",
    metadata,
    row_id(primary_key=True),
    column("name", Words()),
    column("time_zone", Words()),
    column("support_contact", Words(), null=True),
)

workspaces = Table(
    "workspaces",
    metadata,
    row_id(primary_key=True),
    organization(),
    column("platform", Words()),
    column("external_id", Words()),
    column("name", Words()),
    UniqueConstraint("platform", "external_id"),
    Index(None, "organization_id"),
)

clients = Table(
    "clients",
    metadata,
    row_id(primary_key=True),
    organization(),
    column("name", Words()),
    column("name_key", Words()),
    UniqueConstraint("organization_id", "id"),
    UniqueConstraint("organization_id", "name_key"),
)

people = Table(
    "people",
    metadata,
    row_id(primary_key=True),
    organization(),
    column("name", Words()),
    column("name_key", Words()),
    column("email", Words(), null=True),
    column("role", Words()),
    json("client_ids", null=True),  # read with its person, never searched by
    column("immediate_notices", Boolean(create_constraint=False)),
    column("time_zone", Words(), null=True),
    column("left_at", UtcDateTime(), null=True),
    UniqueConstraint("organization_id", "id"),
    UniqueConstraint("organization_id", "email"),
)

identities = Table(
    "identities",
    metadata,
    row_id(primary_key=True),
    organization(),
    row_id("person_id"),
    column("platform", Words()),
    column("tenant", Words()),
    column("user_id", Words()),
    column("linked_at", UtcDateTime()),
    within("person_id", "people"),
    # The organization comes last, so that the same index finds every organization of a chat account.
    UniqueConstraint("platform", "tenant", "user_id", "organization_id"),
    Index(None, "organization_id", "person_id"),
)

claim_codes = Table(
    "claim_codes",
    metadata,
    column("code_hash", LargeBinary(), primary_key=True),
    organization(),
    column("expires_at", UtcDateTime()),
    column("used_at", UtcDateTime(), null=True),
)

authorizations = Table(
    "authorizations",
    metadata,
    row_id(primary_key=True),
    organization(),
    column("network", Words()),
    column("subject_id", Words()),
    column("subject_name", Words()),
    row_id("connector_id"),
    json("granted"),
    column("obtained_at", UtcDateTime()),
    column("ends_at", UtcDateTime(), null=True),
    column("checked_at", UtcDateTime(), null=True),
    column("last_good_at", UtcDateTime(), null=True),
    column("next_check_at", UtcDateTime(), null=True),
    column("doubt_since", UtcDateTime(), null=True),
    column("doubt_failures", Integer(), null=True),
    column("generation", Integer()),
    column("access_token", Text()),
    column("refresh_token", Text(), null=True),
    column("access_expires_at", UtcDateTime(), null=True),
    column("tokens_obtained_at", UtcDateTime(), null=True),
    column("lease_term", Integer()),
    column("leased_until", UtcDateTime(), null=True),
    within("connector_id", "people"),
    UniqueConstraint("organization_id", "id"),
    UniqueConstraint("organization_id", "network", "subject_id"),
    Index(None, "network", "subject_id"),
    partial("ix_authorizations_due", "network", "next_check_at", where=text("next_check_at IS NOT NULL")),
    Index("ix_authorizations_health", "network", "checked_at", "doubt_since"),
    partial("ix_authorizations_ending", "organization_id", "ends_at", "id", where=text("ends_at IS NOT NULL")),
)

connections = Table(
    "connections",
    metadata,
    row_id(primary_key=True),
    organization(),
    row_id("client_id"),
    column("network", Words()),
    column("account_id", Words()),
    column("account_name", Words()),
    column("name_key", Words()),
    column("state", Words()),
    column("urgency", SmallInteger()),  # the state's place in a list: lapsed 0, unconnected 1, active 2, retired 3
    column("lapsed_since", UtcDateTime(), null=True),  # when the open lapse was opened: the order of a list
    column("parent_id", Words(), null=True),
    column("parent_name", Words(), null=True),
    row_id("authorization_id", null=True),
    row_id("connector_id", null=True),
    row_id("owner_id", null=True),
    column("doubt_since", UtcDateTime(), null=True),
    column("doubt_failures", Integer(), null=True),
    column("last_good_at", UtcDateTime(), null=True),
    within("client_id", "clients"),
    within("authorization_id", "authorizations"),
    within("connector_id", "people"),
    within("owner_id", "people"),
    UniqueConstraint("organization_id", "id"),
    UniqueConstraint("organization_id", "network", "account_id"),
    Index(None, "organization_id", "account_id"),
    Index(None, "organization_id", "name_key"),
    partial("ix_connections_authorization", "authorization_id", "urgency", where=text("authorization_id IS NOT NULL")),
    partial("ix_connections_needed", "organization_id", "urgency", "lapsed_since", "name_key", "id", where=NEEDED),
    partial("ix_connections_others", "organization_id", "urgency", "lapsed_since", "name_key", "id", where=OTHERS),
)

counters = Table(
    "counters",
    metadata,
    organization(),
    column("network", Words()),
    row_id("client_id"),
    row_id("connector_id"),  # NOBODY: none
    row_id("owner_id"),
    column("state", Words()),
    column("number", Integer()),
)
counters.append_constraint(
    UniqueConstraint(
        "organization_id", "network", "client_id", "connector_id", "owner_id", "state", name="uq_counters_counted"
    )
)

lapses = Table(
    "lapses",
    metadata,
    row_id(primary_key=True),
    organization(),
    row_id("connection_id"),
    row_id("authorization_id", null=True),
    column("cause", Words()),
    json("evidence"),
    column("last_good_at", UtcDateTime(), null=True),
    column("opened_at", UtcDateTime()),
    column("ended_at", UtcDateTime(), null=True),
    column("ended_how", Words(), null=True),
    row_id("ended_by", null=True),
    row_id("claim_person_id", null=True),
    column("claim_until", UtcDateTime(), null=True),
    within("connection_id", "connections"),
    within("authorization_id", "authorizations"),
    within("ended_by", "people"),
    within("claim_person_id", "people"),
    UniqueConstraint("organization_id", "id"),
    partial("uq_lapses_open", "connection_id", where=OPEN_LAPSE, unique=True),
    Index(None, "connection_id", "opened_at"),
)

subscriptions = Table(
    "subscriptions",
    metadata,
    row_id(primary_key=True),
    organization(),
    row_id("person_id"),
    row_id("reader_id"),  # the person, or NOBODY where a channel reads
    column("platform", Words()),  # of the channel; empty where a person reads
    column("tenant", Words()),
    column("channel", Words()),
    column("network", Words()),  # empty: all
    row_id("client_id", null=True),
    row_id("client_key"),  # the client, or NOBODY for all
    column("created_at", UtcDateTime()),
    within("person_id", "people"),
    within("client_id", "clients"),
    UniqueConstraint(
        "organization_id",
        "reader_id",
        "platform",
        "tenant",
        "channel",
        "network",
        "client_key",
        name="uq_subscriptions_reader",
    ),
)

events = Table(
    "events",
    metadata,
    row_id(primary_key=True),
    organization(),
    column("kind", Words()),
    column("at", UtcDateTime()),
    row_id("lapse_id", null=True),
    row_id("connection_id", null=True),
    row_id("authorization_id", null=True),
    row_id("person_id", null=True),
    json("data"),
    column("planned_at", UtcDateTime(), null=True),
    partial("ix_events_unplanned", "at", "id", where=UNPLANNED),
    partial("ix_events_gathering", "authorization_id", where=UNPLANNED),
)

notices = Table(
    "notices",
    metadata,
    row_id(primary_key=True),
    organization(),
    column("kind", Words()),
    column("part", Words()),
    row_id("person_id"),
    column("platform", Words(), null=True),
    column("tenant", Words(), null=True),
    column("channel", Words(), null=True),
    json("data"),
    column("created_at", UtcDateTime()),
    column("dedupe", LargeBinary()),  # a hash of reader, kind and lapses: nobody is told the same thing twice
    within("person_id", "people"),
    UniqueConstraint("organization_id", "id"),
    UniqueConstraint("organization_id", "dedupe"),
)

notice_lapses = Table(
    "notice_lapses",
    metadata,
    organization(),
    row_id("notice_id", primary_key=True),
    row_id("lapse_id", primary_key=True),
    column("position", Integer()),
    within("notice_id", "notices"),
    within("lapse_id", "lapses"),
    Index(None, "lapse_id"),
)

lanes = Table(
    "lanes",
    metadata,
    column("name", Words(), primary_key=True),
    column("holder", Words(), null=True),
    column("term", Integer()),
    column("leased_until", UtcDateTime(), null=True),
)

deliveries = Table(
    "deliveries",
    metadata,
    row_id(primary_key=True),
    organization(),
    row_id("notice_id"),
    column("platform", Words()),
    column("tenant", Words()),
    column("kind", Words()),
    column("external_id", Words()),
    column("lane", Words(), ForeignKey("lanes.name")),
    column("priority", Words()),
    column("state", Words()),
    column("wanted", Integer()),
    column("shown", Integer()),
    column("ref_platform", Words(), null=True),
    column("ref_tenant", Words(), null=True),
    column("ref_destination", Words(), null=True),
    column("ref_message", Words(), null=True),
    column("attempts", Integer()),
    column("next_at", UtcDateTime()),
    column("turn_at", UtcDateTime()),  # its place in the queue, never waited for: see `storage/turns.py`
    column("created_at", UtcDateTime()),
    column("reason", Words()),
    column("delivered_at", UtcDateTime(), null=True),  # when it was first shown
    column("sending_term", Integer(), null=True),  # the lane's term under which it was last taken for sending
    within("notice_id", "notices"),
    UniqueConstraint("notice_id", "platform", "tenant", "kind", "external_id", name="uq_deliveries_address"),
    partial("ix_deliveries_waiting", "lane", "priority", "turn_at", "id", "next_at", where=WAITING),
    partial("ix_deliveries_queue", "lane", "external_id", "priority", "turn_at", "id", "next_at", where=WAITING),
    partial("ix_deliveries_sending", "lane", "external_id", where=SENDING),
)

links = Table(
    "links",
    metadata,
    row_id(primary_key=True),
    organization(),
    row_id("person_id"),
    row_id("connection_id"),
    column("created_at", UtcDateTime()),
    column("key_id", Text()),  # the key that the locator is derived with, so that posted links outlive a rotation
    column("locator_hash", LargeBinary()),
    within("person_id", "people"),
    within("connection_id", "connections"),
    UniqueConstraint("organization_id", "person_id", "connection_id"),
    UniqueConstraint("locator_hash"),
)

attempts = Table(
    "attempts",
    metadata,
    row_id(primary_key=True),
    organization(),
    row_id("link_id", ForeignKey("links.id")),
    row_id("person_id"),
    row_id("connection_id"),
    row_id("authorization_id", null=True),
    column("network", Words()),
    row_id("session_id"),
    column("redirect_uri", Words()),
    column("code_verifier", Text(), null=True),
    column("opened_at", UtcDateTime()),
    column("expires_at", UtcDateTime()),
    column("outcome", Words(), null=True),
    column("state_hash", LargeBinary()),
    column("browser_hash", LargeBinary()),
    column("used_at", UtcDateTime(), null=True),
    column("closed_at", UtcDateTime(), null=True),
    within("person_id", "people"),
    within("connection_id", "connections"),
    within("authorization_id", "authorizations"),
    UniqueConstraint("state_hash"),
    partial("uq_attempts_open", "authorization_id", where=OPEN_ATTEMPT, unique=True),
)

sessions = Table(
    "sessions",
    metadata,
    row_id(primary_key=True),
    column("secret_hash", LargeBinary()),
    column("platform", Words()),
    column("tenant", Words()),
    column("user_id", Words()),
    column("name", Words()),
    column("email", Words(), null=True),
    column("created_at", UtcDateTime()),
    column("expires_at", UtcDateTime()),
    UniqueConstraint("secret_hash"),
)

sign_ins = Table(
    "sign_ins",
    metadata,
    row_id(primary_key=True),
    column("state_hash", LargeBinary()),
    column("browser_hash", LargeBinary()),
    column("platform", Words()),
    column("nonce", Text()),
    column("redirect_uri", Words()),
    row_id("workspace_id", null=True),
    column("locator", Text(), null=True),
    column("expires_at", UtcDateTime()),
    column("used_at", UtcDateTime(), null=True),
    UniqueConstraint("state_hash"),
)

audit_entries = Table(
    "audit_entries",
    metadata,
    row_id(primary_key=True),
    organization(),
    column("at", UtcDateTime()),
    row_id("actor_id", null=True),
    column("origin", Words()),
    column("action", Words()),
    column("subject", Words()),
    json("detail"),
    Index(None, "organization_id", "at", "id"),
)

canaries = Table(
    "canaries",
    metadata,
    row_id(primary_key=True),
    column("value", Text()),
)
