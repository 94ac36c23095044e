"""What is told to whom, as they were at first."""

import sqlalchemy as sa
from alembic import op

from storage import engine


def create() -> None:
    """Create these tables."""
    op.create_table(
        "lanes",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=True),
        sa.Column("term", sa.Integer(), nullable=False),
        sa.Column("leased_until", engine.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_lanes"),
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
        "rule_sets",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("grouping", sa.Text(), nullable=True),
        sa.Column("cadence", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("warning_days", sa.JSON(none_as_null=True), nullable=True),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_rule_sets_organization_id"),
        sa.PrimaryKeyConstraint("organization_id", "network", name="pk_rule_sets"),
    )
    op.create_table(
        "drills",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=True),
        sa.Column("started_by", sa.Uuid(), nullable=False),
        sa.Column("started_at", engine.UtcDateTime(), nullable=False),
        sa.Column("ends_at", engine.UtcDateTime(), nullable=False),
        sa.Column("reported_at", engine.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id", "client_id"],
            ["clients.organization_id", "clients.id"],
            name="fk_drills_organization_id_client_id",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "started_by"],
            ["people.organization_id", "people.id"],
            name="fk_drills_organization_id_started_by",
        ),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_drills_organization_id"),
        sa.PrimaryKeyConstraint("id", name="pk_drills"),
        sa.UniqueConstraint("organization_id", "id", name="uq_drills_organization_id_id"),
    )
    op.create_index(
        "ix_drills_due",
        "drills",
        ["ends_at"],
        unique=False,
        sqlite_where=sa.text("reported_at IS NULL"),
        postgresql_where=sa.text("reported_at IS NULL"),
    )
    op.create_index(
        "ix_drills_organization_id_started_at_id", "drills", ["organization_id", "started_at", "id"], unique=False
    )
    op.create_index(
        "uq_drills_open",
        "drills",
        ["organization_id"],
        unique=True,
        sqlite_where=sa.text("reported_at IS NULL"),
        postgresql_where=sa.text("reported_at IS NULL"),
    )
    op.create_table(
        "preferences",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=True),
        sa.Column("client_key", sa.Uuid(), nullable=False),
        sa.Column("rhythm", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "client_id"],
            ["clients.organization_id", "clients.id"],
            name="fk_preferences_organization_id_client_id",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "person_id"],
            ["people.organization_id", "people.id"],
            name="fk_preferences_organization_id_person_id",
        ),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_preferences_organization_id"),
        sa.UniqueConstraint(
            "organization_id", "person_id", "topic", "network", "client_key", name="uq_preferences_topic"
        ),
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
        "drill_answers",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("drill_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("at", engine.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "drill_id"],
            ["drills.organization_id", "drills.id"],
            name="fk_drill_answers_organization_id_drill_id",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "person_id"],
            ["people.organization_id", "people.id"],
            name="fk_drill_answers_organization_id_person_id",
        ),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_drill_answers_organization_id"),
        sa.PrimaryKeyConstraint("drill_id", "person_id", name="pk_drill_answers"),
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
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("remind_at", engine.UtcDateTime(), nullable=True),
        sa.Column("digest_at", engine.UtcDateTime(), nullable=True),
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
    op.create_index(
        "ix_notices_digested",
        "notices",
        ["digest_at", "id"],
        unique=False,
        sqlite_where=sa.text("digest_at IS NOT NULL"),
        postgresql_where=sa.text("digest_at IS NOT NULL"),
    )
    op.create_index(
        "ix_notices_gathered",
        "notices",
        ["person_id", "digest_at", "id"],
        unique=False,
        sqlite_where=sa.text("digest_at IS NOT NULL"),
        postgresql_where=sa.text("digest_at IS NOT NULL"),
    )
    op.create_index("ix_notices_organization_id_created_at", "notices", ["organization_id", "created_at"], unique=False)
    op.create_index(
        "ix_notices_reminded",
        "notices",
        ["remind_at", "id"],
        unique=False,
        sqlite_where=sa.text("remind_at IS NOT NULL"),
        postgresql_where=sa.text("remind_at IS NOT NULL"),
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
        sa.Column("under_destination", sa.Text(), nullable=True),
        sa.Column("under_message", sa.Text(), nullable=True),
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
        "notice_authorizations",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("authorization_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "authorization_id"],
            ["authorizations.organization_id", "authorizations.id"],
            name="fk_notice_authorizations_organization_id_authorization_id",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "notice_id"],
            ["notices.organization_id", "notices.id"],
            name="fk_notice_authorizations_organization_id_notice_id",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name="fk_notice_authorizations_organization_id"
        ),
        sa.PrimaryKeyConstraint("notice_id", "authorization_id", name="pk_notice_authorizations"),
    )
    op.create_index(
        "ix_notice_authorizations_authorization_id", "notice_authorizations", ["authorization_id"], unique=False
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
