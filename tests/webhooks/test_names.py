"""Receivers whose names nobody answers for hold up no other call of the process."""

import asyncio
import socket
import threading

from bot.webhooks.names import own_threads


async def test_names_that_are_looked_up_forever_leave_the_processs_own_threads_free() -> None:
    answered = threading.Event()

    def look_up(host: str, port: int, family: int) -> list[tuple[int, int, int, str, tuple[str, int]]]:
        answered.wait()
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", port))]

    async with own_threads(64, look_up) as names, asyncio.TaskGroup() as group:
        waiting = [group.create_task(names.resolve(f"h{number}.example", 443)) for number in range(64)]
        try:
            await asyncio.to_thread(lambda: None)
        finally:
            answered.set()
    (found,) = waiting[0].result()
    assert (found["hostname"], found["host"], found["port"]) == ("h0.example", "192.0.2.1", 443)


async def test_this_machine_is_found_by_its_name() -> None:
    async with own_threads(1) as names:
        assert "127.0.0.1" in [one["host"] for one in await names.resolve("localhost", 443, socket.AF_INET)]
