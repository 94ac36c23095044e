"""The tables. What must never be so is refused here, by keys and constraints, not by code that looks first.

Text that is compared without case has a column of its own, folded in Python, because the databases fold differently.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    Uuid,
    text,
)

from storage.engine import UtcDateTime

NOBODY = UUID(int=0)
"""Stands for "none" in keys, where NULL would not count as equal to NULL."""

NEEDED = text("urgency < 2")
"""The connections of the partial index: lapsed (0) and unconnected (1)."""
OPEN_LAPSE = text("ended_at IS NULL")
OPEN_ATTEMPT = text("closed_at IS NULL")
UNPLANNED = text("planned_at IS NULL")
WAITING = text("state IN ('due', 'unknown')")
SENDING = text("state = 'sending'")


class Words(TypeDecorator[str]):
    """Text from anywhere. NUL, which PostgreSQL refuses, and lone surrogates, which UTF-8 cannot hold, are replaced."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        if "\0" not in value and value.isascii():
            return str(value)
        return "".join("\ufffd" if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in value)

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        text_or_none: str | None = value
        return text_or_none


def _column(name: str, kind: Any, *more: Any, null: bool = False, **options: Any) -> Column[Any]:
    return Column(name, kind, *more, nullable=null, **options)


def _id(name: str = "id", *more: Any, null: bool = False, **options: Any) -> Column[Any]:
    return _column(name, Uuid(), *more, null=null, **options)


def _organization() -> Column[Any]:
    return _id("organization_id", ForeignKey("organizations.id"))


def _within(column: str, table: str) -> ForeignKeyConstraint:
    """A key that cannot leave the organization."""
    return ForeignKeyConstraint(["organization_id", column], [f"{table}.organization_id", f"{table}.id"])


def _partial(name: str, *columns: Any, where: Any, unique: bool = False) -> Index:
    return Index(name, *columns, unique=unique, sqlite_where=where, postgresql_where=where)


def _json(name: str, *, null: bool = False) -> Column[Any]:
    return _column(name, JSON(none_as_null=True), null=null)


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

organizations = Table(
    "organizations",
    metadata,
    _id(primary_key=True),
    _column("name", Words()),
    _column("time_zone", Words()),
    _column("support_contact", Words(), null=True),
)

workspaces = Table(
    "workspaces",
    metadata,
    _id(primary_key=True),
    _organization(),
    _column("platform", Words()),
    _column("external_id", Words()),
    _column("name", Words()),
    UniqueConstraint("platform", "external_id"),
    Index(None, "organization_id"),
)

clients = Table(
    "clients",
    metadata,
    _id(primary_key=True),
    _organization(),
    _column("name", Words()),
    _column("name_key", Words()),
    UniqueConstraint("organization_id", "id"),
    UniqueConstraint("organization_id", "name_key"),
)

people = Table(
    "people",
    metadata,
    _id(primary_key=True),
    _organization(),
    _column("name", Words()),
    _column("name_key", Words()),
    _column("email", Words(), null=True),
    _column("role", Words()),
    _json("client_ids", null=True),  # read with its person, never searched by
    _column("immediate_notices", Boolean(create_constraint=False)),
    _column("time_zone", Words(), null=True),
    _column("left_at", UtcDateTime(), null=True),
    UniqueConstraint("organization_id", "id"),
    UniqueConstraint("organization_id", "email"),
)

identities = Table(
    "identities",
    metadata,
    _id(primary_key=True),
    _organization(),
    _id("person_id"),
    _column("platform", Words()),
    _column("tenant", Words()),
    _column("user_id", Words()),
    _column("linked_at", UtcDateTime()),
    _within("person_id", "people"),
    # The organization comes last, so that the same index finds every organization of a chat account.
    UniqueConstraint("platform", "tenant", "user_id", "organization_id"),
    Index(None, "organization_id", "person_id"),
)

claim_codes = Table(
    "claim_codes",
    metadata,
    _column("code_hash", LargeBinary(), primary_key=True),
    _organization(),
    _column("expires_at", UtcDateTime()),
    _column("used_at", UtcDateTime(), null=True),
)

authorizations = Table(
    "authorizations",
    metadata,
    _id(primary_key=True),
    _organization(),
    _column("network", Words()),
    _column("subject_id", Words()),
    _column("subject_name", Words()),
    _id("connector_id"),
    _json("granted"),
    _column("obtained_at", UtcDateTime()),
    _column("ends_at", UtcDateTime(), null=True),
    _column("checked_at", UtcDateTime(), null=True),
    _column("last_good_at", UtcDateTime(), null=True),
    _column("next_check_at", UtcDateTime(), null=True),
    _column("doubt_since", UtcDateTime(), null=True),
    _column("doubt_failures", Integer(), null=True),
    _column("generation", Integer()),
    _column("access_token", Text()),
    _column("refresh_token", Text(), null=True),
    _column("access_expires_at", UtcDateTime(), null=True),
    _column("tokens_obtained_at", UtcDateTime(), null=True),
    _column("lease_term", Integer()),
    _column("leased_until", UtcDateTime(), null=True),
    _within("connector_id", "people"),
    UniqueConstraint("organization_id", "id"),
    UniqueConstraint("organization_id", "network", "subject_id"),
    Index(None, "network", "subject_id"),
    _partial("ix_authorizations_due", "network", "next_check_at", where=text("next_check_at IS NOT NULL")),
    Index("ix_authorizations_health", "network", "checked_at", "doubt_since"),
    _partial("ix_authorizations_ending", "organization_id", "ends_at", "id", where=text("ends_at IS NOT NULL")),
)

connections = Table(
    "connections",
    metadata,
    _id(primary_key=True),
    _organization(),
    _id("client_id"),
    _column("network", Words()),
    _column("account_id", Words()),
    _column("account_name", Words()),
    _column("name_key", Words()),
    _column("state", Words()),
    _column("urgency", SmallInteger()),  # the state's place in a list: lapsed 0, unconnected 1, active 2, retired 3
    _column("lapsed_since", UtcDateTime(), null=True),  # when the open lapse was opened: the order of a list
    _column("parent_id", Words(), null=True),
    _column("parent_name", Words(), null=True),
    _id("authorization_id", null=True),
    _id("connector_id", null=True),
    _id("owner_id", null=True),
    _column("doubt_since", UtcDateTime(), null=True),
    _column("doubt_failures", Integer(), null=True),
    _column("last_good_at", UtcDateTime(), null=True),
    _within("client_id", "clients"),
    _within("authorization_id", "authorizations"),
    _within("connector_id", "people"),
    _within("owner_id", "people"),
    UniqueConstraint("organization_id", "id"),
    UniqueConstraint("organization_id", "network", "account_id"),
    Index(None, "organization_id", "account_id"),
    Index(None, "organization_id", "name_key"),
    _partial("ix_connections_authorization", "authorization_id", "urgency", where=text("authorization_id IS NOT NULL")),
    _partial("ix_connections_needed", "organization_id", "urgency", "lapsed_since", "name_key", "id", where=NEEDED),
    Index("ix_connections_listed", "organization_id", "urgency", "lapsed_since", "name_key", "id"),
)

counters = Table(
    "counters",
    metadata,
    _organization(),
    _column("network", Words()),
    _id("client_id"),
    _id("connector_id"),  # NOBODY: none
    _id("owner_id"),
    _column("state", Words()),
    _column("number", Integer()),
)
counters.append_constraint(
    UniqueConstraint(
        "organization_id", "network", "client_id", "connector_id", "owner_id", "state", name="uq_counters_counted"
    )
)

lapses = Table(
    "lapses",
    metadata,
    _id(primary_key=True),
    _organization(),
    _id("connection_id"),
    _id("authorization_id", null=True),
    _column("cause", Words()),
    _json("evidence"),
    _column("last_good_at", UtcDateTime(), null=True),
    _column("opened_at", UtcDateTime()),
    _column("ended_at", UtcDateTime(), null=True),
    _column("ended_how", Words(), null=True),
    _id("ended_by", null=True),
    _id("claim_person_id", null=True),
    _column("claim_until", UtcDateTime(), null=True),
    _within("connection_id", "connections"),
    _within("authorization_id", "authorizations"),
    _within("ended_by", "people"),
    _within("claim_person_id", "people"),
    UniqueConstraint("organization_id", "id"),
    _partial("uq_lapses_open", "connection_id", where=OPEN_LAPSE, unique=True),
    Index(None, "connection_id", "opened_at"),
)

subscriptions = Table(
    "subscriptions",
    metadata,
    _id(primary_key=True),
    _organization(),
    _id("person_id"),
    _id("reader_id"),  # the person, or NOBODY where a channel reads
    _column("platform", Words()),  # of the channel; empty where a person reads
    _column("tenant", Words()),
    _column("channel", Words()),
    _column("network", Words()),  # empty: all
    _id("client_id", null=True),
    _id("client_key"),  # the client, or NOBODY for all
    _column("created_at", UtcDateTime()),
    _within("person_id", "people"),
    _within("client_id", "clients"),
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
    _id(primary_key=True),
    _organization(),
    _column("kind", Words()),
    _column("at", UtcDateTime()),
    _id("lapse_id", null=True),
    _id("connection_id", null=True),
    _id("authorization_id", null=True),
    _id("person_id", null=True),
    _json("data"),
    _column("planned_at", UtcDateTime(), null=True),
    _partial("ix_events_unplanned", "at", "id", where=UNPLANNED),
    _partial("ix_events_gathering", "authorization_id", where=UNPLANNED),
)

notices = Table(
    "notices",
    metadata,
    _id(primary_key=True),
    _organization(),
    _column("kind", Words()),
    _column("part", Words()),
    _id("person_id"),
    _column("platform", Words(), null=True),
    _column("tenant", Words(), null=True),
    _column("channel", Words(), null=True),
    _json("data"),
    _column("created_at", UtcDateTime()),
    _column("dedupe", LargeBinary()),  # a hash of reader, kind and lapses: nobody is told the same thing twice
    _within("person_id", "people"),
    UniqueConstraint("organization_id", "id"),
    UniqueConstraint("organization_id", "dedupe"),
)

notice_lapses = Table(
    "notice_lapses",
    metadata,
    _organization(),
    _id("notice_id", primary_key=True),
    _id("lapse_id", primary_key=True),
    _column("position", Integer()),
    _within("notice_id", "notices"),
    _within("lapse_id", "lapses"),
    Index(None, "lapse_id"),
)

lanes = Table(
    "lanes",
    metadata,
    _column("name", Words(), primary_key=True),
    _column("holder", Words(), null=True),
    _column("term", Integer()),
    _column("leased_until", UtcDateTime(), null=True),
)

deliveries = Table(
    "deliveries",
    metadata,
    _id(primary_key=True),
    _organization(),
    _id("notice_id"),
    _column("platform", Words()),
    _column("tenant", Words()),
    _column("kind", Words()),
    _column("external_id", Words()),
    _column("lane", Words(), ForeignKey("lanes.name")),
    _column("priority", Words()),
    _column("state", Words()),
    _column("wanted", Integer()),
    _column("shown", Integer()),
    _column("ref_platform", Words(), null=True),
    _column("ref_tenant", Words(), null=True),
    _column("ref_destination", Words(), null=True),
    _column("ref_message", Words(), null=True),
    _column("attempts", Integer()),
    _column("next_at", UtcDateTime()),
    _column("created_at", UtcDateTime()),
    _column("reason", Words()),
    _column("delivered_at", UtcDateTime(), null=True),  # when it was first shown
    _column("sending_term", Integer(), null=True),  # the lane's term under which it was last taken for sending
    _within("notice_id", "notices"),
    UniqueConstraint("notice_id", "platform", "tenant", "kind", "external_id", name="uq_deliveries_address"),
    _partial("ix_deliveries_waiting", "lane", "priority", "next_at", "id", where=WAITING),
    _partial("ix_deliveries_queue", "lane", "external_id", "priority", "next_at", "id", where=WAITING),
    _partial("ix_deliveries_sending", "lane", "external_id", where=SENDING),
)

links = Table(
    "links",
    metadata,
    _id(primary_key=True),
    _organization(),
    _id("person_id"),
    _id("connection_id"),
    _column("created_at", UtcDateTime()),
    _column("key_id", Text()),  # the key that the locator is derived with, so that posted links outlive a rotation
    _column("locator_hash", LargeBinary()),
    _within("person_id", "people"),
    _within("connection_id", "connections"),
    UniqueConstraint("organization_id", "person_id", "connection_id"),
    UniqueConstraint("locator_hash"),
)

attempts = Table(
    "attempts",
    metadata,
    _id(primary_key=True),
    _organization(),
    _id("link_id", ForeignKey("links.id")),
    _id("person_id"),
    _id("connection_id"),
    _id("authorization_id", null=True),
    _column("network", Words()),
    _id("session_id"),
    _column("redirect_uri", Words()),
    _column("code_verifier", Text(), null=True),
    _column("opened_at", UtcDateTime()),
    _column("expires_at", UtcDateTime()),
    _column("outcome", Words(), null=True),
    _column("state_hash", LargeBinary()),
    _column("browser_hash", LargeBinary()),
    _column("used_at", UtcDateTime(), null=True),
    _column("closed_at", UtcDateTime(), null=True),
    _within("person_id", "people"),
    _within("connection_id", "connections"),
    _within("authorization_id", "authorizations"),
    UniqueConstraint("state_hash"),
    _partial("uq_attempts_open", "authorization_id", where=OPEN_ATTEMPT, unique=True),
)

sessions = Table(
    "sessions",
    metadata,
    _id(primary_key=True),
    _column("secret_hash", LargeBinary()),
    _column("platform", Words()),
    _column("tenant", Words()),
    _column("user_id", Words()),
    _column("name", Words()),
    _column("email", Words(), null=True),
    _column("created_at", UtcDateTime()),
    _column("expires_at", UtcDateTime()),
    UniqueConstraint("secret_hash"),
)

sign_ins = Table(
    "sign_ins",
    metadata,
    _id(primary_key=True),
    _column("state_hash", LargeBinary()),
    _column("browser_hash", LargeBinary()),
    _column("platform", Words()),
    _column("nonce", Text()),
    _column("redirect_uri", Words()),
    _id("workspace_id", null=True),
    _column("locator", Text(), null=True),
    _column("expires_at", UtcDateTime()),
    _column("used_at", UtcDateTime(), null=True),
    UniqueConstraint("state_hash"),
)

audit_entries = Table(
    "audit_entries",
    metadata,
    _id(primary_key=True),
    _organization(),
    _column("at", UtcDateTime()),
    _id("actor_id", null=True),
    _column("origin", Words()),
    _column("action", Words()),
    _column("subject", Words()),
    _json("detail"),
    Index(None, "organization_id", "at", "id"),
)

canaries = Table(
    "canaries",
    metadata,
    _id(primary_key=True),
    _column("value", Text()),
)
