"""Parent profiles, as they were at first."""

import sqlalchemy as sa
from alembic import op


def create() -> None:
    """Create these tables."""
    op.create_table(
        "parent_profiles",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "owner_id"],
            ["people.organization_id", "people.id"],
            name="fk_parent_profiles_organization_id_owner_id",
        ),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_parent_profiles_organization_id"),
        sa.PrimaryKeyConstraint("organization_id", "network", "subject_id", name="pk_parent_profiles"),
    )
    op.create_index(
        "ix_parent_profiles_organization_id_owner_id", "parent_profiles", ["organization_id", "owner_id"], unique=False
    )
