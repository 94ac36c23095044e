"""Organizations, their people and places, as they were at first."""

import sqlalchemy as sa
from alembic import op

from storage import engine


def create() -> None:
    """Create these tables."""
    op.create_table(
        "canaries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_canaries"),
    )
    op.create_table(
        "installations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("is_org_wide", sa.Boolean(), nullable=False),
        sa.Column("bot_token", sa.Text(), nullable=False),
        sa.Column("bot_user", sa.Text(), nullable=False),
        sa.Column("scopes", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("installed_at", engine.UtcDateTime(), nullable=False),
        sa.Column("lost_at", engine.UtcDateTime(), nullable=True),
        sa.Column("lost_reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_installations"),
        sa.UniqueConstraint("platform", "tenant", name="uq_installations_platform_tenant"),
    )
    op.create_table(
        "organizations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("support_contact", sa.Text(), nullable=True),
        sa.Column("working_hours", sa.JSON(none_as_null=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_organizations"),
    )
    op.create_table(
        "audit_entries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("at", engine.UtcDateTime(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_audit_entries_organization_id"),
        sa.PrimaryKeyConstraint("id", name="pk_audit_entries"),
    )
    op.create_index(
        "ix_audit_entries_organization_id_actor_id_at_id",
        "audit_entries",
        ["organization_id", "actor_id", "at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_audit_entries_organization_id_at_id", "audit_entries", ["organization_id", "at", "id"], unique=False
    )
    op.create_table(
        "claim_codes",
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", engine.UtcDateTime(), nullable=False),
        sa.Column("used_at", engine.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_claim_codes_organization_id"),
        sa.PrimaryKeyConstraint("code_hash", name="pk_claim_codes"),
    )
    op.create_table(
        "clients",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_clients_organization_id"),
        sa.PrimaryKeyConstraint("id", name="pk_clients"),
        sa.UniqueConstraint("organization_id", "id", name="uq_clients_organization_id_id"),
        sa.UniqueConstraint("organization_id", "name_key", name="uq_clients_organization_id_name_key"),
    )
    op.create_table(
        "people",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("client_ids", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("immediate_notices", sa.Boolean(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=True),
        sa.Column("left_at", engine.UtcDateTime(), nullable=True),
        sa.Column("deputy_id", sa.Uuid(), nullable=True),
        sa.Column("list_seen_at", engine.UtcDateTime(), nullable=True),
        sa.Column("unlinked", sa.JSON(none_as_null=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id", "deputy_id"],
            ["people.organization_id", "people.id"],
            name="fk_people_organization_id_deputy_id",
        ),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_people_organization_id"),
        sa.PrimaryKeyConstraint("id", name="pk_people"),
        sa.UniqueConstraint("organization_id", "email", name="uq_people_organization_id_email"),
        sa.UniqueConstraint("organization_id", "id", name="uq_people_organization_id_id"),
    )
    op.create_index(
        "ix_people_organization_id_name_key_id", "people", ["organization_id", "name_key", "id"], unique=False
    )
    op.create_table(
        "workspaces",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("client_ids", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("is_lost", sa.Boolean(), nullable=False),
        sa.Column("told_at", engine.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_workspaces_organization_id"),
        sa.PrimaryKeyConstraint("id", name="pk_workspaces"),
        sa.UniqueConstraint("platform", "external_id", name="uq_workspaces_platform_external_id"),
    )
    op.create_index("ix_workspaces_organization_id", "workspaces", ["organization_id"], unique=False)
    op.create_table(
        "identities",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("linked_at", engine.UtcDateTime(), nullable=False),
        sa.Column("looked_at", engine.UtcDateTime(), nullable=True),
        sa.Column("gone_at", engine.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id", "person_id"],
            ["people.organization_id", "people.id"],
            name="fk_identities_organization_id_person_id",
        ),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_identities_organization_id"),
        sa.PrimaryKeyConstraint("id", name="pk_identities"),
        sa.UniqueConstraint(
            "platform",
            "tenant",
            "user_id",
            "organization_id",
            name="uq_identities_platform_tenant_user_id_organization_id",
        ),
    )
    op.create_index(
        "ix_identities_gone",
        "identities",
        ["looked_at", "id"],
        unique=False,
        sqlite_where=sa.text("gone_at IS NOT NULL"),
        postgresql_where=sa.text("gone_at IS NOT NULL"),
    )
    op.create_index(
        "ix_identities_looked",
        "identities",
        ["looked_at", "id"],
        unique=False,
        sqlite_where=sa.text("gone_at IS NULL"),
        postgresql_where=sa.text("gone_at IS NULL"),
    )
    op.create_index(
        "ix_identities_organization_id_person_id", "identities", ["organization_id", "person_id"], unique=False
    )
