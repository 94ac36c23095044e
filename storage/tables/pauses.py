"""Networks that asked us to wait. Of no organization: the limit is our app's."""

from sqlalchemy import Table

from storage.declarations import Words, column, metadata
from storage.engine import UtcDateTime

network_pauses = Table(
    "network_pauses",
    metadata,
    column("network", Words(), primary_key=True),
    column("until", UtcDateTime()),
)
