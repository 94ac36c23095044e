"""Requests that were taken in, as their table was at first."""

import sqlalchemy as sa
from alembic import op

from storage import engine


def create() -> None:
    """Create this table."""
    op.create_table(
        "taken_requests",
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", engine.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key_hash", name="pk_taken_requests"),
    )
