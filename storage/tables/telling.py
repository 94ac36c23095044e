"""What is told to whom: opt-ins, rules, events, notices, deliveries, drills."""

from sqlalchemy import ForeignKey, Index, Integer, LargeBinary, Table, UniqueConstraint, text

from storage.declarations import Words, column, json, metadata, organization, partial, row_id, within
from storage.engine import UtcDateTime

UNPLANNED = text("planned_at IS NULL")
WAITING = text("state IN ('due', 'unknown')")
SENDING = text("state = 'sending'")
UNREPORTED = text("reported_at IS NULL")

subscriptions = Table(
    "subscriptions",
    metadata,
    row_id(primary_key=True),
    organization(),
    row_id("person_id"),
    row_id("reader_id"),  # the person, or NOBODY where a channel reads
    column("platform", Words()),  # of the channel; empty where a person reads
    column("tenant", Words()),
    column("channel", Words()),
    column("network", Words()),  # empty: all
    row_id("client_id", null=True),
    row_id("client_key"),  # the client, or NOBODY for all
    column("created_at", UtcDateTime()),
    within("person_id", "people"),
    within("client_id", "clients"),
    UniqueConstraint(
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

preferences = Table(
    "preferences",
    metadata,
    organization(),
    row_id("person_id"),
    column("topic", Words()),
    column("network", Words()),  # empty: all
    row_id("client_id", null=True),
    row_id("client_key"),  # the client, or NOBODY for all
    column("rhythm", Words()),
    within("person_id", "people"),
    within("client_id", "clients"),
    UniqueConstraint("organization_id", "person_id", "topic", "network", "client_key", name="uq_preferences_topic"),
)

rule_sets = Table(
    "rule_sets",
    metadata,
    row_id("organization_id", ForeignKey("organizations.id"), primary_key=True),
    column("network", Words(), primary_key=True),  # empty: all
    column("grouping", Words(), null=True),
    json("cadence", null=True),
    json("warning_days", null=True),
)

events = Table(
    "events",
    metadata,
    row_id(primary_key=True),
    organization(),
    column("kind", Words()),
    column("at", UtcDateTime()),
    row_id("lapse_id", null=True),
    row_id("connection_id", null=True),
    row_id("authorization_id", null=True),
    row_id("person_id", null=True),
    json("data"),
    column("planned_at", UtcDateTime(), null=True),
    partial("ix_events_unplanned", "at", "id", where=UNPLANNED),
    partial("ix_events_gathering", "authorization_id", where=UNPLANNED),
)

notices = Table(
    "notices",
    metadata,
    row_id(primary_key=True),
    organization(),
    column("kind", Words()),
    column("part", Words()),
    row_id("person_id"),
    column("platform", Words(), null=True),
    column("tenant", Words(), null=True),
    column("channel", Words(), null=True),
    column("step", Integer()),
    column("remind_at", UtcDateTime(), null=True),
    column("digest_at", UtcDateTime(), null=True),
    json("data"),
    column("created_at", UtcDateTime()),
    column("dedupe", LargeBinary()),  # a hash of reader, kind and lapses: nobody is told the same thing twice
    within("person_id", "people"),
    UniqueConstraint("organization_id", "id"),
    UniqueConstraint("organization_id", "dedupe"),
    Index(None, "organization_id", "created_at"),
    partial("ix_notices_reminded", "remind_at", "id", where=text("remind_at IS NOT NULL")),
    partial("ix_notices_digested", "digest_at", "id", where=text("digest_at IS NOT NULL")),
    partial("ix_notices_gathered", "person_id", "digest_at", "id", where=text("digest_at IS NOT NULL")),
)

notice_lapses = Table(
    "notice_lapses",
    metadata,
    organization(),
    row_id("notice_id", primary_key=True),
    row_id("lapse_id", primary_key=True),
    column("position", Integer()),
    within("notice_id", "notices"),
    within("lapse_id", "lapses"),
    Index(None, "lapse_id"),
)

notice_authorizations = Table(
    "notice_authorizations",
    metadata,
    organization(),
    row_id("notice_id", primary_key=True),
    row_id("authorization_id", primary_key=True),
    column("position", Integer()),
    within("notice_id", "notices"),
    within("authorization_id", "authorizations"),
    Index(None, "authorization_id"),
)

lanes = Table(
    "lanes",
    metadata,
    column("name", Words(), primary_key=True),
    column("holder", Words(), null=True),
    column("term", Integer()),
    column("leased_until", UtcDateTime(), null=True),
)

deliveries = Table(
    "deliveries",
    metadata,
    row_id(primary_key=True),
    organization(),
    row_id("notice_id"),
    column("platform", Words()),
    column("tenant", Words()),
    column("kind", Words()),
    column("external_id", Words()),
    column("lane", Words(), ForeignKey("lanes.name")),
    column("priority", Words()),
    column("state", Words()),
    column("wanted", Integer()),
    column("shown", Integer()),
    column("ref_platform", Words(), null=True),
    column("ref_tenant", Words(), null=True),
    column("ref_destination", Words(), null=True),
    column("ref_message", Words(), null=True),
    column("under_destination", Words(), null=True),  # on the address's platform and tenant
    column("under_message", Words(), null=True),
    column("attempts", Integer()),
    column("next_at", UtcDateTime()),
    column("turn_at", UtcDateTime()),  # its place in the queue, never waited for: see `storage/turns.py`
    column("created_at", UtcDateTime()),
    column("reason", Words()),
    column("delivered_at", UtcDateTime(), null=True),  # when it was first shown
    column("sending_term", Integer(), null=True),  # the lane's term under which it was last taken for sending
    within("notice_id", "notices"),
    UniqueConstraint("notice_id", "platform", "tenant", "kind", "external_id", name="uq_deliveries_address"),
    partial("ix_deliveries_waiting", "lane", "priority", "turn_at", "id", "next_at", where=WAITING),
    partial("ix_deliveries_queue", "lane", "external_id", "priority", "turn_at", "id", "next_at", where=WAITING),
    partial("ix_deliveries_sending", "lane", "external_id", where=SENDING),
)

drills = Table(
    "drills",
    metadata,
    row_id(primary_key=True),
    organization(),
    row_id("client_id", null=True),
    row_id("started_by"),
    column("started_at", UtcDateTime()),
    column("ends_at", UtcDateTime()),
    column("reported_at", UtcDateTime(), null=True),
    within("client_id", "clients"),
    within("started_by", "people"),
    UniqueConstraint("organization_id", "id"),
    Index(None, "organization_id", "started_at", "id"),
    partial("uq_drills_open", "organization_id", where=UNREPORTED, unique=True),
    partial("ix_drills_due", "ends_at", where=UNREPORTED),
)

drill_answers = Table(
    "drill_answers",
    metadata,
    organization(),
    row_id("drill_id", primary_key=True),
    row_id("person_id", primary_key=True),
    column("at", UtcDateTime()),
    within("drill_id", "drills"),
    within("person_id", "people"),
)
