"""Requests that were taken in, so that one which comes again is not carried out again. Of no organization: it is known
before whose they are.
"""

from sqlalchemy import LargeBinary, Table

from storage.declarations import column, metadata
from storage.engine import UtcDateTime

taken_requests = Table(
    "taken_requests",
    metadata,
    column("key_hash", LargeBinary(), primary_key=True),
    column("expires_at", UtcDateTime()),
)
