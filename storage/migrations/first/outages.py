"""Networks' own outages, as their tables were at first."""

import sqlalchemy as sa
from alembic import op

from storage import engine


def create() -> None:
    """Create these tables."""
    op.create_table(
        "outages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("since", engine.UtcDateTime(), nullable=False),
        sa.Column("opened_at", engine.UtcDateTime(), nullable=False),
        sa.Column("held_until", engine.UtcDateTime(), nullable=False),
        sa.Column("checked", sa.Integer(), nullable=False),
        sa.Column("failing", sa.Integer(), nullable=False),
        sa.Column("sampled_at", engine.UtcDateTime(), nullable=False),
        sa.Column("turn_at", engine.UtcDateTime(), nullable=False),
        sa.Column("turns", sa.Integer(), nullable=False),
        sa.Column("ended_at", engine.UtcDateTime(), nullable=True),
        sa.Column("over_at", engine.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_outages"),
    )
    op.create_index(
        "uq_outages_standing",
        "outages",
        ["network", "region"],
        unique=True,
        sqlite_where=sa.text("over_at IS NULL"),
        postgresql_where=sa.text("over_at IS NULL"),
    )
    op.create_table(
        "outage_news",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("outage_id", sa.Uuid(), nullable=False),
        sa.Column("failing", sa.Integer(), nullable=False),
        sa.Column("told_at", engine.UtcDateTime(), nullable=False),
        sa.Column("ended_at", engine.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_outage_news_organization_id"),
        sa.ForeignKeyConstraint(["outage_id"], ["outages.id"], name="fk_outage_news_outage_id"),
        sa.PrimaryKeyConstraint("organization_id", "outage_id", name="pk_outage_news"),
    )
    op.create_index(
        "ix_outage_news_untold",
        "outage_news",
        ["outage_id"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
