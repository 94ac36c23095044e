"""Writing down what nobody else knows, in a database that may be away for a while."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from commands.ports.storage import NotThere, StorageError, Unreadable

log = structlog.get_logger(__name__)
T = TypeVar("T")

AGAIN_AFTER = 1.0
"""Seconds between tries."""
_TRIES = 120  # a database that starts anew, or moves to another machine, is back within two minutes


async def outlasting(write: Callable[[], Awaitable[T]], *, again_after: float = AGAIN_AFTER, **about: object) -> T:
    """Call `write` until the database takes it, for two minutes; then its StorageError is raised. `about` is logged.

    NotThere and Unreadable are answers, and raised at once.
    """
    for _ in range(_TRIES):
        try:
            return await write()
        except (NotThere, Unreadable):
            raise
        except StorageError as error:
            log.warning("not_written_yet", why=str(error), **about)
            await asyncio.sleep(again_after)
    return await write()
