"""What the host product has here, as it was at first."""

import sqlalchemy as sa
from alembic import op

from storage import engine


def create() -> None:
    """Create these tables."""
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", engine.UtcDateTime(), nullable=False),
        sa.Column("expires_at", engine.UtcDateTime(), nullable=True),
        sa.Column("last_used_at", engine.UtcDateTime(), nullable=True),
        sa.Column("revoked_at", engine.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_api_keys_organization_id"),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
    )
    op.create_index(
        "ix_api_keys_organization_id_created_at", "api_keys", ["organization_id", "created_at"], unique=False
    )
    op.create_table(
        "webhook_endpoints",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=True),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("old_secret", sa.Text(), nullable=True),
        sa.Column("old_secret_until", engine.UtcDateTime(), nullable=True),
        sa.Column("created_at", engine.UtcDateTime(), nullable=False),
        sa.Column("failing_since", engine.UtcDateTime(), nullable=True),
        sa.Column("paused_until", engine.UtcDateTime(), nullable=True),
        sa.Column("tried_at", engine.UtcDateTime(), nullable=True),
        sa.Column("disabled_at", engine.UtcDateTime(), nullable=True),
        sa.Column("disabled_why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "connection_id"],
            ["connections.organization_id", "connections.id"],
            name="fk_webhook_endpoints_organization_id_connection_id",
        ),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_webhook_endpoints_organization_id"),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_endpoints"),
        sa.UniqueConstraint("organization_id", "id", name="uq_webhook_endpoints_organization_id_id"),
    )
    op.create_index(
        "uq_webhook_endpoints_connection",
        "webhook_endpoints",
        ["connection_id"],
        unique=True,
        sqlite_where=sa.text("connection_id IS NOT NULL"),
        postgresql_where=sa.text("connection_id IS NOT NULL"),
    )
    op.create_index(
        "uq_webhook_endpoints_url",
        "webhook_endpoints",
        ["organization_id", "url"],
        unique=True,
        sqlite_where=sa.text("connection_id IS NULL"),
        postgresql_where=sa.text("connection_id IS NULL"),
    )
    op.create_table(
        "webhook_messages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", engine.UtcDateTime(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("term", sa.Integer(), nullable=False),
        sa.Column("next_at", engine.UtcDateTime(), nullable=False),
        sa.Column("last_status", sa.Integer(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("finished_at", engine.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id", "endpoint_id"],
            ["webhook_endpoints.organization_id", "webhook_endpoints.id"],
            name="fk_webhook_messages_organization_id_endpoint_id",
        ),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_webhook_messages_organization_id"),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_messages"),
        sa.UniqueConstraint("endpoint_id", "event_id", name="uq_webhook_messages_endpoint_id_event_id"),
    )
    op.create_index(
        "ix_webhook_messages_due",
        "webhook_messages",
        ["endpoint_id", "next_at", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'due'"),
        postgresql_where=sa.text("state = 'due'"),
    )
    op.create_index(
        "ix_webhook_messages_finished",
        "webhook_messages",
        ["finished_at", "id"],
        unique=False,
        sqlite_where=sa.text("finished_at IS NOT NULL"),
        postgresql_where=sa.text("finished_at IS NOT NULL"),
    )
    op.create_index(
        "ix_webhook_messages_organization_id_state_created_at",
        "webhook_messages",
        ["organization_id", "state", "created_at"],
        unique=False,
    )
    op.create_table(
        "webhook_sources",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("old_secret", sa.Text(), nullable=True),
        sa.Column("old_secret_until", engine.UtcDateTime(), nullable=True),
        sa.Column("created_at", engine.UtcDateTime(), nullable=False),
        sa.Column("revoked_at", engine.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_webhook_sources_organization_id"),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_sources"),
    )
    op.create_index(
        "ix_webhook_sources_organization_id_created_at",
        "webhook_sources",
        ["organization_id", "created_at"],
        unique=False,
    )
    op.create_table(
        "host_reports",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("received_at", engine.UtcDateTime(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_host_reports_organization_id"),
        sa.PrimaryKeyConstraint("organization_id", "event_id", name="pk_host_reports"),
    )
    op.create_index("ix_host_reports_received_at", "host_reports", ["received_at"], unique=False)
    op.create_table(
        "host_states",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column("at", engine.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "connection_id"],
            ["connections.organization_id", "connections.id"],
            name="fk_host_states_organization_id_connection_id",
        ),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_host_states_organization_id"),
        sa.PrimaryKeyConstraint("connection_id", name="pk_host_states"),
    )
    op.create_table(
        "gap_fills",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("lapse_id", sa.Uuid(), nullable=False),
        sa.Column("at", engine.UtcDateTime(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "lapse_id"],
            ["lapses.organization_id", "lapses.id"],
            name="fk_gap_fills_organization_id_lapse_id",
        ),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_gap_fills_organization_id"),
        sa.PrimaryKeyConstraint("lapse_id", name="pk_gap_fills"),
    )
