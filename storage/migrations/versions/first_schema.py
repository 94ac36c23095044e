"""The first schema: organizations to attempts, events, the outbox."""

from storage.migrations.first import accounts, hosting, members, outages, parents, pauses, reconnecting, taken, telling

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    for part in (members, accounts, telling, reconnecting, parents, hosting, outages, pauses, taken):
        part.create()
