"""Looks names up in threads of its own.

The system's look-up blocks its thread for as long as a name's servers keep it waiting. In the event loop's few threads,
which the whole process shares, the names of some receivers could so hold up everything that is called anywhere.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

Answers = list[tuple[int, int, int, str, tuple[Any, ...]]]
LookUp = Callable[[str, int, int], Answers]


class OwnThreads(AbstractResolver):
    """A resolver for one HTTP client."""

    def __init__(self, at_once: int, look_up: LookUp | None = None) -> None:
        """`at_once`: names that are looked up at the same time."""
        self._look_up = look_up or _asked_of_the_system
        self._threads = ThreadPoolExecutor(max_workers=at_once, thread_name_prefix="webhook-names")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Every address of a name. Raises OSError."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, self._look_up, host, port, family)
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=family,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for family, _, protocol, _, address in found
        ]

    async def close(self) -> None:
        """Begin no more; a look-up that still blocks ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)


@asynccontextmanager
async def own_threads(at_once: int, look_up: LookUp | None = None) -> AsyncIterator[OwnThreads]:
    """A resolver, until the block is left."""
    names = OwnThreads(at_once, look_up)
    try:
        yield names
    finally:
        await names.close()


def _asked_of_the_system(host: str, port: int, family: int) -> Answers:
    return list(socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG))
