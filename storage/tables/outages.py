"""Networks' own outages, and which organizations were told of them."""

from sqlalchemy import ForeignKey, Integer, Table, text

from storage.declarations import Words, column, metadata, partial, row_id
from storage.engine import UtcDateTime

STANDING_OUTAGE = text("over_at IS NULL")
END_UNTOLD = text("ended_at IS NULL")

outages = Table(
    "outages",
    metadata,
    row_id(primary_key=True),
    column("network", Words()),
    column("region", Words()),  # empty: the whole network
    column("since", UtcDateTime()),
    column("opened_at", UtcDateTime()),
    column("held_until", UtcDateTime()),
    column("checked", Integer()),
    column("failing", Integer()),
    column("sampled_at", UtcDateTime()),
    column("turn_at", UtcDateTime()),
    column("turns", Integer()),
    column("ended_at", UtcDateTime(), null=True),
    column("over_at", UtcDateTime(), null=True),
    partial("uq_outages_standing", "network", "region", where=STANDING_OUTAGE, unique=True),
)

outage_news = Table(
    "outage_news",
    metadata,
    row_id("organization_id", ForeignKey("organizations.id"), primary_key=True),
    row_id("outage_id", ForeignKey("outages.id"), primary_key=True),
    column("failing", Integer()),  # authorizations, as it was told
    column("told_at", UtcDateTime()),
    column("ended_at", UtcDateTime(), null=True),  # when its end was told
    partial("ix_outage_news_untold", "outage_id", where=END_UNTOLD),
)
