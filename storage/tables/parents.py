"""Whose the logins are that authorize accounts."""

from sqlalchemy import Index, PrimaryKeyConstraint, Table

from storage.declarations import Words, column, metadata, organization, row_id, within

parent_profiles = Table(
    "parent_profiles",
    metadata,
    organization(),
    column("network", Words()),
    column("subject_id", Words()),
    row_id("owner_id"),
    PrimaryKeyConstraint("organization_id", "network", "subject_id"),
    within("owner_id", "people"),
    Index(None, "organization_id", "owner_id"),
)
