"""Networks that asked us to wait, as their table was at first."""

import sqlalchemy as sa
from alembic import op

from storage import engine


def create() -> None:
    """Create this table."""
    op.create_table(
        "network_pauses",
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("until", engine.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("network", name="pk_network_pauses"),
    )
