"""Links, attempts, passes and browsers, as they were at first."""

import sqlalchemy as sa
from alembic import op

from storage import engine


def create() -> None:
    """Create these tables."""
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("created_at", engine.UtcDateTime(), nullable=False),
        sa.Column("expires_at", engine.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
        sa.UniqueConstraint("secret_hash", name="uq_sessions_secret_hash"),
    )
    op.create_index("ix_sessions_platform_tenant_user_id", "sessions", ["platform", "tenant", "user_id"], unique=False)
    op.create_table(
        "sign_ins",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("state_hash", sa.LargeBinary(), nullable=False),
        sa.Column("browser_hash", sa.LargeBinary(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=True),
        sa.Column("locator", sa.Text(), nullable=True),
        sa.Column("expires_at", engine.UtcDateTime(), nullable=False),
        sa.Column("used_at", engine.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_sign_ins"),
        sa.UniqueConstraint("state_hash", name="uq_sign_ins_state_hash"),
    )
    op.create_table(
        "passes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", engine.UtcDateTime(), nullable=False),
        sa.Column("expires_at", engine.UtcDateTime(), nullable=False),
        sa.Column("data", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("opened_at", engine.UtcDateTime(), nullable=True),
        sa.Column("used_at", engine.UtcDateTime(), nullable=True),
        sa.Column("withdrawn_at", engine.UtcDateTime(), nullable=True),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("browser_hash", sa.LargeBinary(), nullable=True),
        sa.Column("notice_id", sa.Uuid(), nullable=True),
        sa.Column("followed_at", engine.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id", "made_by"],
            ["people.organization_id", "people.id"],
            name="fk_passes_organization_id_made_by",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "person_id"],
            ["people.organization_id", "people.id"],
            name="fk_passes_organization_id_person_id",
        ),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_passes_organization_id"),
        sa.PrimaryKeyConstraint("id", name="pk_passes"),
        sa.UniqueConstraint("secret_hash", name="uq_passes_secret_hash"),
    )
    op.create_index("ix_passes_expires_at", "passes", ["expires_at"], unique=False)
    op.create_index(
        "ix_passes_organization_id_person_id_purpose_created_at",
        "passes",
        ["organization_id", "person_id", "purpose", "created_at"],
        unique=False,
    )
    op.create_index(
        "ix_passes_followed",
        "passes",
        ["organization_id", "followed_at"],
        unique=False,
        sqlite_where=sa.text("followed_at IS NOT NULL"),
        postgresql_where=sa.text("followed_at IS NOT NULL"),
    )
    op.create_index(
        "ix_passes_notice",
        "passes",
        ["notice_id"],
        unique=False,
        sqlite_where=sa.text("notice_id IS NOT NULL"),
        postgresql_where=sa.text("notice_id IS NOT NULL"),
    )
    op.create_table(
        "links",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=True),
        sa.Column("network", sa.Text(), nullable=True),
        sa.Column("created_at", engine.UtcDateTime(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("locator_hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "connection_id"],
            ["connections.organization_id", "connections.id"],
            name="fk_links_organization_id_connection_id",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "person_id"],
            ["people.organization_id", "people.id"],
            name="fk_links_organization_id_person_id",
        ),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_links_organization_id"),
        sa.PrimaryKeyConstraint("id", name="pk_links"),
        sa.UniqueConstraint("locator_hash", name="uq_links_locator_hash"),
        sa.UniqueConstraint(
            "organization_id", "person_id", "connection_id", name="uq_links_organization_id_person_id_connection_id"
        ),
    )
    op.create_index(
        "uq_links_network",
        "links",
        ["organization_id", "person_id", "network"],
        unique=True,
        sqlite_where=sa.text("network IS NOT NULL"),
        postgresql_where=sa.text("network IS NOT NULL"),
    )
    op.create_table(
        "attempts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=True),
        sa.Column("authorization_id", sa.Uuid(), nullable=True),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("code_verifier", sa.Text(), nullable=True),
        sa.Column("opened_at", engine.UtcDateTime(), nullable=False),
        sa.Column("expires_at", engine.UtcDateTime(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("state_hash", sa.LargeBinary(), nullable=False),
        sa.Column("browser_hash", sa.LargeBinary(), nullable=False),
        sa.Column("used_at", engine.UtcDateTime(), nullable=True),
        sa.Column("closed_at", engine.UtcDateTime(), nullable=True),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("found", sa.Text(), nullable=True),
        sa.Column("found_until", engine.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["link_id"], ["links.id"], name="fk_attempts_link_id"),
        sa.ForeignKeyConstraint(
            ["organization_id", "authorization_id"],
            ["authorizations.organization_id", "authorizations.id"],
            name="fk_attempts_organization_id_authorization_id",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "connection_id"],
            ["connections.organization_id", "connections.id"],
            name="fk_attempts_organization_id_connection_id",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "ended_by"],
            ["people.organization_id", "people.id"],
            name="fk_attempts_organization_id_ended_by",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "person_id"],
            ["people.organization_id", "people.id"],
            name="fk_attempts_organization_id_person_id",
        ),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_attempts_organization_id"),
        sa.PrimaryKeyConstraint("id", name="pk_attempts"),
        sa.UniqueConstraint("state_hash", name="uq_attempts_state_hash"),
    )
    op.create_index(
        "ix_attempts_found",
        "attempts",
        ["found_until"],
        unique=False,
        sqlite_where=sa.text("found IS NOT NULL"),
        postgresql_where=sa.text("found IS NOT NULL"),
    )
    op.create_index(
        "ix_attempts_link",
        "attempts",
        ["link_id", "opened_at"],
        unique=False,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index("ix_attempts_through", "attempts", ["organization_id", "session_id", "opened_at"], unique=False)
    op.create_index(
        "ix_attempts_session",
        "attempts",
        ["session_id"],
        unique=False,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index(
        "uq_attempts_open",
        "attempts",
        ["authorization_id"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
