"""Links, attempts, passes and browsers."""

from sqlalchemy import ForeignKey, Index, LargeBinary, Table, Text, UniqueConstraint, text

from storage.declarations import Words, column, json, metadata, organization, partial, row_id, within
from storage.engine import UtcDateTime

OPEN_ATTEMPT = text("closed_at IS NULL")
NEW_ACCOUNTS = text("network IS NOT NULL")
FOLLOWED = text("followed_at IS NOT NULL")
OF_A_NOTICE = text("notice_id IS NOT NULL")

links = Table(
    "links",
    metadata,
    row_id(primary_key=True),
    organization(),
    row_id("person_id"),
    row_id("connection_id", null=True),
    column("network", Words(), null=True),  # of new accounts, where there is no connection
    column("created_at", UtcDateTime()),
    column("key_id", Text()),  # the key that the locator is derived with, so that posted links outlive a rotation
    column("locator_hash", LargeBinary()),
    within("person_id", "people"),
    within("connection_id", "connections"),
    UniqueConstraint("organization_id", "person_id", "connection_id"),
    UniqueConstraint("locator_hash"),
    partial("uq_links_network", "organization_id", "person_id", "network", where=NEW_ACCOUNTS, unique=True),
)

attempts = Table(
    "attempts",
    metadata,
    row_id(primary_key=True),
    organization(),
    row_id("link_id", ForeignKey("links.id")),
    row_id("person_id"),
    row_id("connection_id", null=True),
    row_id("authorization_id", null=True),
    column("network", Words()),
    row_id("session_id"),
    column("redirect_uri", Words()),
    column("code_verifier", Text(), null=True),
    column("opened_at", UtcDateTime()),
    column("expires_at", UtcDateTime()),
    column("outcome", Words(), null=True),
    column("state_hash", LargeBinary()),
    column("browser_hash", LargeBinary()),
    column("used_at", UtcDateTime(), null=True),
    column("closed_at", UtcDateTime(), null=True),
    row_id("ended_by", null=True),  # whose newer attempt took its place
    column("found", Text(), null=True),  # what a login for new accounts gave, until it is taken
    column("found_until", UtcDateTime(), null=True),
    within("person_id", "people"),
    within("connection_id", "connections"),
    within("authorization_id", "authorizations"),
    within("ended_by", "people"),
    UniqueConstraint("state_hash"),
    partial("ix_attempts_found", "found_until", where=text("found IS NOT NULL")),
    partial("ix_attempts_link", "link_id", "opened_at", where=OPEN_ATTEMPT),
    partial("ix_attempts_session", "session_id", where=OPEN_ATTEMPT),
    Index("ix_attempts_through", "organization_id", "session_id", "opened_at"),
    partial("uq_attempts_open", "authorization_id", where=OPEN_ATTEMPT, unique=True),
)

passes = Table(
    "passes",
    metadata,
    row_id(primary_key=True),
    organization(),
    row_id("person_id"),
    column("purpose", Words()),
    row_id("made_by", null=True),
    column("created_at", UtcDateTime()),
    column("expires_at", UtcDateTime()),
    json("data"),
    column("opened_at", UtcDateTime(), null=True),
    column("used_at", UtcDateTime(), null=True),
    column("withdrawn_at", UtcDateTime(), null=True),
    column("secret_hash", LargeBinary()),
    column("browser_hash", LargeBinary(), null=True),
    row_id("notice_id", null=True),  # of the message that carries it, where that is what the message is for
    column("followed_at", UtcDateTime(), null=True),  # when somebody sent or copied it, who follows how far it gets
    within("person_id", "people"),
    within("made_by", "people"),
    UniqueConstraint("secret_hash"),
    Index(None, "organization_id", "person_id", "purpose", "created_at"),
    Index(None, "expires_at"),
    partial("ix_passes_followed", "organization_id", "followed_at", where=FOLLOWED),
    partial("ix_passes_notice", "notice_id", where=OF_A_NOTICE),
)

sessions = Table(
    "sessions",
    metadata,
    row_id(primary_key=True),
    column("secret_hash", LargeBinary()),
    column("platform", Words()),
    column("tenant", Words()),
    column("user_id", Words()),
    column("name", Words()),
    column("email", Words(), null=True),
    column("created_at", UtcDateTime()),
    column("expires_at", UtcDateTime()),
    UniqueConstraint("secret_hash"),
    Index(None, "platform", "tenant", "user_id"),
)

sign_ins = Table(
    "sign_ins",
    metadata,
    row_id(primary_key=True),
    column("state_hash", LargeBinary()),
    column("browser_hash", LargeBinary()),
    column("platform", Words()),
    column("nonce", Text()),
    column("redirect_uri", Words()),
    row_id("workspace_id", null=True),
    column("locator", Text(), null=True),
    column("expires_at", UtcDateTime()),
    column("used_at", UtcDateTime(), null=True),
    UniqueConstraint("state_hash"),
)
