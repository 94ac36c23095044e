"""Organizations, their people and places, and what was changed by whom."""

from sqlalchemy import Boolean, Index, LargeBinary, Table, Text, UniqueConstraint, text

from storage.declarations import Key, Words, column, json, metadata, organization, partial, row_id, within
from storage.engine import UtcDateTime

organizations = Table(
    "organizations",
    metadata,
    row_id(primary_key=True),
    column("name", Words()),
    column("time_zone", Words()),
    column("support_contact", Words(), null=True),
    json("working_hours"),
)

workspaces = Table(
    "workspaces",
    metadata,
    row_id(primary_key=True),
    organization(),
    column("platform", Words()),
    column("external_id", Words()),
    column("name", Words()),
    json("client_ids", null=True),
    column("is_lost", Boolean(create_constraint=False)),
    column("told_at", UtcDateTime(), null=True),
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
    column("name_key", Key()),
    column("email", Words(), null=True),
    column("role", Words()),
    json("client_ids", null=True),  # read with its person, never searched by
    column("immediate_notices", Boolean(create_constraint=False)),
    column("time_zone", Words(), null=True),
    column("left_at", UtcDateTime(), null=True),
    row_id("deputy_id", null=True),
    column("list_seen_at", UtcDateTime(), null=True),
    json("unlinked", null=True),  # pairs of platform and tenant; read with its person
    within("deputy_id", "people"),
    UniqueConstraint("organization_id", "id"),
    UniqueConstraint("organization_id", "email"),
    Index(None, "organization_id", "name_key", "id"),
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
    column("looked_at", UtcDateTime(), null=True),
    column("gone_at", UtcDateTime(), null=True),
    within("person_id", "people"),
    # The organization comes last, so that the same index finds every organization of a chat account.
    UniqueConstraint("platform", "tenant", "user_id", "organization_id"),
    Index(None, "organization_id", "person_id"),
    partial("ix_identities_looked", "looked_at", "id", where=text("gone_at IS NULL")),
    partial("ix_identities_gone", "looked_at", "id", where=text("gone_at IS NOT NULL")),
)

claim_codes = Table(
    "claim_codes",
    metadata,
    column("code_hash", LargeBinary(), primary_key=True),
    organization(),
    column("expires_at", UtcDateTime()),
    column("used_at", UtcDateTime(), null=True),
)

installations = Table(
    "installations",
    metadata,
    row_id(primary_key=True),  # made from platform and tenant, so that the token is bound to both
    column("platform", Words()),
    column("tenant", Words()),
    column("name", Words()),
    column("is_org_wide", Boolean(create_constraint=False)),
    column("bot_token", Text()),
    column("bot_user", Words()),
    json("scopes"),
    column("installed_at", UtcDateTime()),
    column("lost_at", UtcDateTime(), null=True),
    column("lost_reason", Words()),
    UniqueConstraint("platform", "tenant"),
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
    column("words", Words()),  # action, subject and detail, folded, for finding entries without case
    Index(None, "organization_id", "at", "id"),
    Index(None, "organization_id", "actor_id", "at", "id"),
)

canaries = Table(
    "canaries",
    metadata,
    row_id(primary_key=True),
    column("value", Text()),
)
