"""Authorizations, connections and lapses, as they were at first."""

import sqlalchemy as sa
from alembic import op

from storage import engine


def create() -> None:
    """Create these tables."""
    op.create_table(
        "counters",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("connector_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_counters_organization_id"),
        sa.PrimaryKeyConstraint(
            "organization_id", "network", "client_id", "connector_id", "owner_id", "state", name="pk_counters"
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "authorizations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("subject_name", sa.Text(), nullable=False),
        sa.Column("connector_id", sa.Uuid(), nullable=False),
        sa.Column("granted", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("obtained_at", engine.UtcDateTime(), nullable=False),
        sa.Column("ends_at", engine.UtcDateTime(), nullable=True),
        sa.Column("warn_at", engine.UtcDateTime(), nullable=True),
        sa.Column("checked_at", engine.UtcDateTime(), nullable=True),
        sa.Column("last_good_at", engine.UtcDateTime(), nullable=True),
        sa.Column("next_check_at", engine.UtcDateTime(), nullable=True),
        sa.Column("doubt_since", engine.UtcDateTime(), nullable=True),
        sa.Column("doubt_failures", sa.Integer(), nullable=True),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("failing_since", engine.UtcDateTime(), nullable=True),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("access_token", sa.Text(), nullable=False),
        sa.Column("refresh_token", sa.Text(), nullable=True),
        sa.Column("access_expires_at", engine.UtcDateTime(), nullable=True),
        sa.Column("tokens_obtained_at", engine.UtcDateTime(), nullable=True),
        sa.Column("refresh_begun_at", engine.UtcDateTime(), nullable=True),
        sa.Column("lease_term", sa.Integer(), nullable=False),
        sa.Column("leased_until", engine.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id", "connector_id"],
            ["people.organization_id", "people.id"],
            name="fk_authorizations_organization_id_connector_id",
        ),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_authorizations_organization_id"),
        sa.PrimaryKeyConstraint("id", name="pk_authorizations"),
        sa.UniqueConstraint("organization_id", "id", name="uq_authorizations_organization_id_id"),
        sa.UniqueConstraint(
            "organization_id", "network", "subject_id", name="uq_authorizations_organization_id_network_subject_id"
        ),
    )
    op.create_index(
        "ix_authorizations_due",
        "authorizations",
        ["network", "next_check_at"],
        unique=False,
        sqlite_where=sa.text("next_check_at IS NOT NULL"),
        postgresql_where=sa.text("next_check_at IS NOT NULL"),
    )
    op.create_index(
        "ix_authorizations_turns",
        "authorizations",
        ["organization_id", "network", "next_check_at"],
        unique=False,
        sqlite_where=sa.text("next_check_at IS NOT NULL"),
        postgresql_where=sa.text("next_check_at IS NOT NULL"),
    )
    op.create_index(
        "ix_authorizations_ending",
        "authorizations",
        ["organization_id", "ends_at", "id"],
        unique=False,
        sqlite_where=sa.text("ends_at IS NOT NULL"),
        postgresql_where=sa.text("ends_at IS NOT NULL"),
    )
    op.create_index(
        "ix_authorizations_failing",
        "authorizations",
        ["network", "organization_id", "checked_at", "id"],
        unique=False,
        sqlite_where=sa.text("failing_since IS NOT NULL"),
        postgresql_where=sa.text("failing_since IS NOT NULL"),
    )
    op.create_index(
        "ix_authorizations_health",
        "authorizations",
        ["network", "checked_at", "failing_since", "region"],
        unique=False,
    )
    op.create_index("ix_authorizations_network_subject_id", "authorizations", ["network", "subject_id"], unique=False)
    op.create_index(
        "ix_authorizations_organization_id_connector_id",
        "authorizations",
        ["organization_id", "connector_id"],
        unique=False,
    )
    op.create_index(
        "ix_authorizations_warned",
        "authorizations",
        ["warn_at", "id"],
        unique=False,
        sqlite_where=sa.text("warn_at IS NOT NULL"),
        postgresql_where=sa.text("warn_at IS NOT NULL"),
    )
    op.create_table(
        "connections",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("account_name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("urgency", sa.SmallInteger(), nullable=False),
        sa.Column("lapsed_since", engine.UtcDateTime(), nullable=True),
        sa.Column("parent_id", sa.Text(), nullable=True),
        sa.Column("parent_name", sa.Text(), nullable=True),
        sa.Column("authorization_id", sa.Uuid(), nullable=True),
        sa.Column("connector_id", sa.Uuid(), nullable=True),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("doubt_since", engine.UtcDateTime(), nullable=True),
        sa.Column("doubt_failures", sa.Integer(), nullable=True),
        sa.Column("last_good_at", engine.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id", "authorization_id"],
            ["authorizations.organization_id", "authorizations.id"],
            name="fk_connections_organization_id_authorization_id",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "client_id"],
            ["clients.organization_id", "clients.id"],
            name="fk_connections_organization_id_client_id",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "connector_id"],
            ["people.organization_id", "people.id"],
            name="fk_connections_organization_id_connector_id",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "owner_id"],
            ["people.organization_id", "people.id"],
            name="fk_connections_organization_id_owner_id",
        ),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_connections_organization_id"),
        sa.PrimaryKeyConstraint("id", name="pk_connections"),
        sa.UniqueConstraint("organization_id", "id", name="uq_connections_organization_id_id"),
        sa.UniqueConstraint(
            "organization_id", "network", "account_id", name="uq_connections_organization_id_network_account_id"
        ),
    )
    op.create_index(
        "ix_connections_authorization",
        "connections",
        ["authorization_id", "urgency"],
        unique=False,
        sqlite_where=sa.text("authorization_id IS NOT NULL"),
        postgresql_where=sa.text("authorization_id IS NOT NULL"),
    )
    op.create_index(
        "ix_connections_moved",
        "connections",
        ["organization_id", "network", "parent_id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("authorization_id IS NULL AND urgency = 0"),
        postgresql_where=sa.text("authorization_id IS NULL AND urgency = 0"),
    )
    op.create_index(
        "ix_connections_needed",
        "connections",
        ["organization_id", "urgency", "lapsed_since", "name_key", "id"],
        unique=False,
        sqlite_where=sa.text("urgency < 2"),
        postgresql_where=sa.text("urgency < 2"),
    )
    op.create_index(
        "ix_connections_organization_id_account_id", "connections", ["organization_id", "account_id"], unique=False
    )
    op.create_index(
        "ix_connections_organization_id_name_key_id", "connections", ["organization_id", "name_key", "id"], unique=False
    )
    op.create_index(
        "ix_connections_others",
        "connections",
        ["organization_id", "urgency", "lapsed_since", "name_key", "id"],
        unique=False,
        sqlite_where=sa.text("urgency >= 2"),
        postgresql_where=sa.text("urgency >= 2"),
    )
    op.create_index(
        "ix_connections_parent",
        "connections",
        ["organization_id", "network", "parent_id", "connector_id"],
        unique=False,
        sqlite_where=sa.text("parent_id IS NOT NULL"),
        postgresql_where=sa.text("parent_id IS NOT NULL"),
    )
    op.create_table(
        "lapses",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column("authorization_id", sa.Uuid(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("evidence", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("last_good_at", engine.UtcDateTime(), nullable=True),
        sa.Column("opened_at", engine.UtcDateTime(), nullable=False),
        sa.Column("ended_at", engine.UtcDateTime(), nullable=True),
        sa.Column("ended_how", sa.Text(), nullable=True),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("claim_person_id", sa.Uuid(), nullable=True),
        sa.Column("claim_until", engine.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id", "authorization_id"],
            ["authorizations.organization_id", "authorizations.id"],
            name="fk_lapses_organization_id_authorization_id",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "claim_person_id"],
            ["people.organization_id", "people.id"],
            name="fk_lapses_organization_id_claim_person_id",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "connection_id"],
            ["connections.organization_id", "connections.id"],
            name="fk_lapses_organization_id_connection_id",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "ended_by"],
            ["people.organization_id", "people.id"],
            name="fk_lapses_organization_id_ended_by",
        ),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_lapses_organization_id"),
        sa.PrimaryKeyConstraint("id", name="pk_lapses"),
        sa.UniqueConstraint("organization_id", "id", name="uq_lapses_organization_id_id"),
    )
    op.create_index(
        "ix_lapses_claimed",
        "lapses",
        ["claim_until", "id"],
        unique=False,
        sqlite_where=sa.text("claim_until IS NOT NULL AND ended_at IS NULL"),
        postgresql_where=sa.text("claim_until IS NOT NULL AND ended_at IS NULL"),
    )
    op.create_index("ix_lapses_connection_id_opened_at", "lapses", ["connection_id", "opened_at"], unique=False)
    op.create_index("ix_lapses_organization_id_ended_at", "lapses", ["organization_id", "ended_at"], unique=False)
    op.create_index("ix_lapses_organization_id_opened_at", "lapses", ["organization_id", "opened_at"], unique=False)
    op.create_index(
        "uq_lapses_open",
        "lapses",
        ["connection_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "lapse_notes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("lapse_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", engine.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "lapse_id"],
            ["lapses.organization_id", "lapses.id"],
            name="fk_lapse_notes_organization_id_lapse_id",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "person_id"],
            ["people.organization_id", "people.id"],
            name="fk_lapse_notes_organization_id_person_id",
        ),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_lapse_notes_organization_id"),
        sa.PrimaryKeyConstraint("id", name="pk_lapse_notes"),
    )
    op.create_index("ix_lapse_notes_lapse_id_at", "lapse_notes", ["lapse_id", "at"], unique=False)
    op.create_table(
        "mutes",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("lapse_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("until", engine.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id", "lapse_id"],
            ["lapses.organization_id", "lapses.id"],
            name="fk_mutes_organization_id_lapse_id",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "person_id"],
            ["people.organization_id", "people.id"],
            name="fk_mutes_organization_id_person_id",
        ),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_mutes_organization_id"),
        sa.PrimaryKeyConstraint("lapse_id", "person_id", name="pk_mutes"),
    )
    op.create_index(
        "ix_mutes_over",
        "mutes",
        ["until", "lapse_id"],
        unique=False,
        sqlite_where=sa.text("until IS NOT NULL"),
        postgresql_where=sa.text("until IS NOT NULL"),
    )
