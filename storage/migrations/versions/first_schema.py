"""The first schema: organizations to attempts, events, the outbox."""

import sqlalchemy as sa
from alembic import op

from storage import engine

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "canaries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_canaries"),
    )
    op.create_table(
        "lanes",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=True),
        sa.Column("term", sa.Integer(), nullable=False),
        sa.Column("leased_until", engine.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_lanes"),
    )
    op.create_table(
        "organizations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("support_contact", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_organizations"),
    )
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
        "audit_entries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("at", engine.UtcDateTime(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", sa.JSON(none_as_null=True), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_audit_entries_organization_id"),
        sa.PrimaryKeyConstraint("id", name="pk_audit_entries"),
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
        "counters",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("connector_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_counters_organization_id"),
        sa.UniqueConstraint(
            "organization_id", "network", "client_id", "connector_id", "owner_id", "state", name="uq_counters_counted"
        ),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", engine.UtcDateTime(), nullable=False),
        sa.Column("lapse_id", sa.Uuid(), nullable=True),
        sa.Column("connection_id", sa.Uuid(), nullable=True),
        sa.Column("authorization_id", sa.Uuid(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("data", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("planned_at", engine.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_events_organization_id"),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
    )
    op.create_index(
        "ix_events_gathering",
        "events",
        ["authorization_id"],
        unique=False,
        sqlite_where=sa.text("planned_at IS NULL"),
        postgresql_where=sa.text("planned_at IS NULL"),
    )
    op.create_index(
        "ix_events_unplanned",
        "events",
        ["at", "id"],
        unique=False,
        sqlite_where=sa.text("planned_at IS NULL"),
        postgresql_where=sa.text("planned_at IS NULL"),
    )
    op.create_table(
        "people",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("client_ids", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("immediate_notices", sa.Boolean(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=True),
        sa.Column("left_at", engine.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_people_organization_id"),
        sa.PrimaryKeyConstraint("id", name="pk_people"),
        sa.UniqueConstraint("organization_id", "email", name="uq_people_organization_id_email"),
        sa.UniqueConstraint("organization_id", "id", name="uq_people_organization_id_id"),
    )
    op.create_table(
        "workspaces",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_workspaces_organization_id"),
        sa.PrimaryKeyConstraint("id", name="pk_workspaces"),
        sa.UniqueConstraint("platform", "external_id", name="uq_workspaces_platform_external_id"),
    )
    op.create_index("ix_workspaces_organization_id", "workspaces", ["organization_id"], unique=False)
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
        sa.Column("checked_at", engine.UtcDateTime(), nullable=True),
        sa.Column("last_good_at", engine.UtcDateTime(), nullable=True),
        sa.Column("next_check_at", engine.UtcDateTime(), nullable=True),
        sa.Column("doubt_since", engine.UtcDateTime(), nullable=True),
        sa.Column("doubt_failures", sa.Integer(), nullable=True),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("access_token", sa.Text(), nullable=False),
        sa.Column("refresh_token", sa.Text(), nullable=True),
        sa.Column("access_expires_at", engine.UtcDateTime(), nullable=True),
        sa.Column("tokens_obtained_at", engine.UtcDateTime(), nullable=True),
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
        "ix_authorizations_ending",
        "authorizations",
        ["organization_id", "ends_at", "id"],
        unique=False,
        sqlite_where=sa.text("ends_at IS NOT NULL"),
        postgresql_where=sa.text("ends_at IS NOT NULL"),
    )
    op.create_index(
        "ix_authorizations_health", "authorizations", ["network", "checked_at", "doubt_since"], unique=False
    )
    op.create_index("ix_authorizations_network_subject_id", "authorizations", ["network", "subject_id"], unique=False)
    op.create_table(
        "identities",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("linked_at", engine.UtcDateTime(), nullable=False),
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
        "ix_identities_organization_id_person_id", "identities", ["organization_id", "person_id"], unique=False
    )
    op.create_table(
        "notices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=True),
        sa.Column("tenant", sa.Text(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("data", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("created_at", engine.UtcDateTime(), nullable=False),
        sa.Column("dedupe", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "person_id"],
            ["people.organization_id", "people.id"],
            name="fk_notices_organization_id_person_id",
        ),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_notices_organization_id"),
        sa.PrimaryKeyConstraint("id", name="pk_notices"),
        sa.UniqueConstraint("organization_id", "dedupe", name="uq_notices_organization_id_dedupe"),
        sa.UniqueConstraint("organization_id", "id", name="uq_notices_organization_id_id"),
    )
    op.create_table(
        "subscriptions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("reader_id", sa.Uuid(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=True),
        sa.Column("client_key", sa.Uuid(), nullable=False),
        sa.Column("created_at", engine.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "client_id"],
            ["clients.organization_id", "clients.id"],
            name="fk_subscriptions_organization_id_client_id",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "person_id"],
            ["people.organization_id", "people.id"],
            name="fk_subscriptions_organization_id_person_id",
        ),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_subscriptions_organization_id"),
        sa.PrimaryKeyConstraint("id", name="pk_subscriptions"),
        sa.UniqueConstraint(
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
    op.create_table(
        "connections",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("account_name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
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
        "ix_connections_organization_id_name_key", "connections", ["organization_id", "name_key"], unique=False
    )
    op.create_index(
        "ix_connections_others",
        "connections",
        ["organization_id", "urgency", "lapsed_since", "name_key", "id"],
        unique=False,
        sqlite_where=sa.text("urgency >= 2"),
        postgresql_where=sa.text("urgency >= 2"),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("priority", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("shown", sa.Integer(), nullable=False),
        sa.Column("ref_platform", sa.Text(), nullable=True),
        sa.Column("ref_tenant", sa.Text(), nullable=True),
        sa.Column("ref_destination", sa.Text(), nullable=True),
        sa.Column("ref_message", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", engine.UtcDateTime(), nullable=False),
        sa.Column("turn_at", engine.UtcDateTime(), nullable=False),
        sa.Column("created_at", engine.UtcDateTime(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("delivered_at", engine.UtcDateTime(), nullable=True),
        sa.Column("sending_term", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["lane"], ["lanes.name"], name="fk_deliveries_lane"),
        sa.ForeignKeyConstraint(
            ["organization_id", "notice_id"],
            ["notices.organization_id", "notices.id"],
            name="fk_deliveries_organization_id_notice_id",
        ),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_deliveries_organization_id"),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.UniqueConstraint("notice_id", "platform", "tenant", "kind", "external_id", name="uq_deliveries_address"),
    )
    op.create_index(
        "ix_deliveries_queue",
        "deliveries",
        ["lane", "external_id", "priority", "turn_at", "id", "next_at"],
        unique=False,
        sqlite_where=sa.text("state IN ('due', 'unknown')"),
        postgresql_where=sa.text("state IN ('due', 'unknown')"),
    )
    op.create_index(
        "ix_deliveries_sending",
        "deliveries",
        ["lane", "external_id"],
        unique=False,
        sqlite_where=sa.text("state = 'sending'"),
        postgresql_where=sa.text("state = 'sending'"),
    )
    op.create_index(
        "ix_deliveries_waiting",
        "deliveries",
        ["lane", "priority", "turn_at", "id", "next_at"],
        unique=False,
        sqlite_where=sa.text("state IN ('due', 'unknown')"),
        postgresql_where=sa.text("state IN ('due', 'unknown')"),
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
    op.create_index("ix_lapses_connection_id_opened_at", "lapses", ["connection_id", "opened_at"], unique=False)
    op.create_index(
        "uq_lapses_open",
        "lapses",
        ["connection_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "links",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=False),
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
    op.create_table(
        "attempts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=False),
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
            ["organization_id", "person_id"],
            ["people.organization_id", "people.id"],
            name="fk_attempts_organization_id_person_id",
        ),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_attempts_organization_id"),
        sa.PrimaryKeyConstraint("id", name="pk_attempts"),
        sa.UniqueConstraint("state_hash", name="uq_attempts_state_hash"),
    )
    op.create_index(
        "uq_attempts_open",
        "attempts",
        ["authorization_id"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "notice_lapses",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("lapse_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "lapse_id"],
            ["lapses.organization_id", "lapses.id"],
            name="fk_notice_lapses_organization_id_lapse_id",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "notice_id"],
            ["notices.organization_id", "notices.id"],
            name="fk_notice_lapses_organization_id_notice_id",
        ),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_notice_lapses_organization_id"),
        sa.PrimaryKeyConstraint("notice_id", "lapse_id", name="pk_notice_lapses"),
    )
    op.create_index("ix_notice_lapses_lapse_id", "notice_lapses", ["lapse_id"], unique=False)
