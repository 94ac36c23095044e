"""What the host product has here: keys, the addresses that hear of lapses, and what it reported."""

from sqlalchemy import ForeignKey, Index, Integer, LargeBinary, Table, Text, UniqueConstraint, text

from storage.declarations import Words, column, metadata, organization, partial, row_id, within
from storage.engine import UtcDateTime

MESSAGE_DUE = text("state = 'due'")
OF_ORGANIZATION = text("connection_id IS NULL")
OF_CONNECTION = text("connection_id IS NOT NULL")

api_keys = Table(
    "api_keys",
    metadata,
    row_id(primary_key=True),
    organization(),
    column("name", Words()),
    column("secret_hash", LargeBinary()),
    column("created_at", UtcDateTime()),
    column("expires_at", UtcDateTime(), null=True),
    column("last_used_at", UtcDateTime(), null=True),
    column("revoked_at", UtcDateTime(), null=True),
    Index(None, "organization_id", "created_at"),
)

webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    row_id(primary_key=True),
    organization(),
    column("url", Words()),
    row_id("connection_id", null=True),
    column("secret", Text()),
    column("old_secret", Text(), null=True),
    column("old_secret_until", UtcDateTime(), null=True),
    column("created_at", UtcDateTime()),
    column("failing_since", UtcDateTime(), null=True),
    column("paused_until", UtcDateTime(), null=True),
    column("tried_at", UtcDateTime(), null=True),  # when it last had its turn
    column("disabled_at", UtcDateTime(), null=True),
    column("disabled_why", Words()),
    within("connection_id", "connections"),
    UniqueConstraint("organization_id", "id"),
    partial("uq_webhook_endpoints_url", "organization_id", "url", where=OF_ORGANIZATION, unique=True),
    partial("uq_webhook_endpoints_connection", "connection_id", where=OF_CONNECTION, unique=True),
)

webhook_messages = Table(
    "webhook_messages",
    metadata,
    row_id(primary_key=True),
    organization(),
    row_id("endpoint_id"),
    row_id("event_id"),
    column("type", Words()),
    column("body", Text()),
    column("created_at", UtcDateTime()),
    column("state", Words()),
    column("attempts", Integer()),
    column("term", Integer()),
    column("next_at", UtcDateTime()),
    column("last_status", Integer(), null=True),
    column("last_error", Words()),
    column("finished_at", UtcDateTime(), null=True),
    within("endpoint_id", "webhook_endpoints"),
    UniqueConstraint("endpoint_id", "event_id"),
    partial("ix_webhook_messages_due", "endpoint_id", "next_at", "id", where=MESSAGE_DUE),
    Index(None, "organization_id", "state", "created_at"),
    partial("ix_webhook_messages_finished", "finished_at", "id", where=text("finished_at IS NOT NULL")),
)

webhook_sources = Table(
    "webhook_sources",
    metadata,
    row_id(primary_key=True),
    organization(),
    column("name", Words()),
    column("secret", Text()),
    column("old_secret", Text(), null=True),
    column("old_secret_until", UtcDateTime(), null=True),
    column("created_at", UtcDateTime()),
    column("revoked_at", UtcDateTime(), null=True),
    Index(None, "organization_id", "created_at"),
)

host_reports = Table(
    "host_reports",
    metadata,
    row_id("organization_id", ForeignKey("organizations.id"), primary_key=True),
    column("event_id", Words(), primary_key=True),
    column("received_at", UtcDateTime()),
    column("outcome", Words()),
    Index(None, "received_at"),
)

host_states = Table(
    "host_states",
    metadata,
    organization(),
    row_id("connection_id", primary_key=True),
    column("at", UtcDateTime()),
    within("connection_id", "connections"),
)

gap_fills = Table(
    "gap_fills",
    metadata,
    organization(),
    row_id("lapse_id", primary_key=True),
    column("at", UtcDateTime()),
    column("note", Words()),
    within("lapse_id", "lapses"),
)
