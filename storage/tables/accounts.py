"""Authorizations, the connections that hang on them, and their lapses."""

from sqlalchemy import Index, Integer, PrimaryKeyConstraint, SmallInteger, Table, Text, UniqueConstraint, text

from storage.declarations import Key, Words, column, json, metadata, organization, partial, row_id, within
from storage.engine import UtcDateTime

NEEDED = text("urgency < 2")
"""Lapsed connections (0) and unconnected ones (1): in these words the partial index is found."""
OTHERS = text("urgency >= 2")
MOVED = text("authorization_id IS NULL AND urgency = 0")
"""Lapsed, and hanging on no login: their move was accepted, or their host has no logins."""
FAILING = text("failing_since IS NOT NULL")
OPEN_LAPSE = text("ended_at IS NULL")
CLAIMED = text("claim_until IS NOT NULL AND ended_at IS NULL")

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
    column("warn_at", UtcDateTime(), null=True),  # when its end is looked at next; none comes without an end
    column("checked_at", UtcDateTime(), null=True),
    column("last_good_at", UtcDateTime(), null=True),
    column("next_check_at", UtcDateTime(), null=True),
    column("doubt_since", UtcDateTime(), null=True),
    column("doubt_failures", Integer(), null=True),
    column("region", Words(), null=True),  # the part of the network that answered last, where it has parts
    column("failing_since", UtcDateTime(), null=True),
    column("generation", Integer()),
    column("access_token", Text()),
    column("refresh_token", Text(), null=True),
    column("access_expires_at", UtcDateTime(), null=True),
    column("tokens_obtained_at", UtcDateTime(), null=True),
    column("refresh_begun_at", UtcDateTime(), null=True),  # until its answer is stored
    column("lease_term", Integer()),
    column("leased_until", UtcDateTime(), null=True),
    within("connector_id", "people"),
    UniqueConstraint("organization_id", "id"),
    UniqueConstraint("organization_id", "network", "subject_id"),
    Index(None, "network", "subject_id"),
    Index(None, "organization_id", "connector_id"),
    partial("ix_authorizations_due", "network", "next_check_at", where=text("next_check_at IS NOT NULL")),
    partial(
        "ix_authorizations_turns",
        "organization_id",
        "network",
        "next_check_at",
        where=text("next_check_at IS NOT NULL"),
    ),
    Index("ix_authorizations_health", "network", "checked_at", "failing_since", "region"),
    partial("ix_authorizations_failing", "network", "organization_id", "checked_at", "id", where=FAILING),
    partial("ix_authorizations_ending", "organization_id", "ends_at", "id", where=text("ends_at IS NOT NULL")),
    partial("ix_authorizations_warned", "warn_at", "id", where=text("warn_at IS NOT NULL")),
)

connections = Table(
    "connections",
    metadata,
    row_id(primary_key=True),
    organization(),
    row_id("client_id"),
    column("network", Words()),
    column("account_id", Key()),
    column("account_name", Words()),
    column("name_key", Key()),
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
    Index(None, "organization_id", "name_key", "id"),
    partial(
        "ix_connections_parent",
        "organization_id",
        "network",
        "parent_id",
        "connector_id",
        where=text("parent_id IS NOT NULL"),
    ),
    partial("ix_connections_authorization", "authorization_id", "urgency", where=text("authorization_id IS NOT NULL")),
    partial("ix_connections_moved", "organization_id", "network", "parent_id", "owner_id", where=MOVED),
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
    PrimaryKeyConstraint("organization_id", "network", "client_id", "connector_id", "owner_id", "state"),
    sqlite_with_rowid=False,  # they are read by the range: without this, each would be looked up by itself
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
    Index(None, "organization_id", "opened_at"),
    Index(None, "organization_id", "ended_at"),
    partial("ix_lapses_claimed", "claim_until", "id", where=CLAIMED),
)

lapse_notes = Table(
    "lapse_notes",
    metadata,
    row_id(primary_key=True),
    organization(),
    row_id("lapse_id"),
    row_id("person_id"),
    column("text", Words()),
    column("at", UtcDateTime()),
    within("lapse_id", "lapses"),
    within("person_id", "people"),
    Index(None, "lapse_id", "at"),
)

mutes = Table(
    "mutes",
    metadata,
    organization(),
    row_id("lapse_id", primary_key=True),
    row_id("person_id", primary_key=True),
    column("until", UtcDateTime(), null=True),
    within("lapse_id", "lapses"),
    within("person_id", "people"),
    partial("ix_mutes_over", "until", "lapse_id", where=text("until IS NOT NULL")),
)
