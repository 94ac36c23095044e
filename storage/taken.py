"""Requests taken in: each once, whichever process it comes to. Crosses organizations."""

from datetime import datetime

from commands.secret import hashed
from storage.engine import insert
from storage.tables import taken_requests
from storage.work import Work

_TAKE = insert(taken_requests).on_conflict_do_nothing(index_elements=["key_hash"]).returning(taken_requests.c.key_hash)


async def take_request(work: Work, key: str, *, until: datetime) -> bool:
    """Implements `Queues.take_request`. Hashed: a key is of a stranger's length, and good for a press while it is
    fresh.
    """
    return await work.row(_TAKE, {"key_hash": hashed(key), "expires_at": until}) is not None
