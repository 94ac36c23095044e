"""Draws a `Picture` as a PNG in a short-lived process of its own, so that plotting never weighs on the bot."""

import asyncio
import json
import os
import sys
from contextlib import suppress
from dataclasses import asdict

from commands.messages import Picture

DRAWN_WITHIN = 30.0
"""Seconds for one picture; the library alone takes one or two to load."""
AT_ONCE = 2
"""Pictures drawn at the same time by one process."""
_PROCESS = "platform_adapters.chat.chart_process"


class NotDrawn(Exception):
    """The picture could not be drawn. The message is safe to log."""


class Draughtsman:
    """Draws pictures, a few at once."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def draw(self, picture: Picture) -> bytes:
        """Give the picture as a PNG. Raises NotDrawn."""
        async with self._turns:
            return await _in_another_process(json.dumps(asdict(picture)).encode())


async def _in_another_process(request: bytes) -> bytes:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        _PROCESS,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "PYTHONPATH") if name in os.environ},
    )
    try:
        async with asyncio.timeout(DRAWN_WITHIN):
            drawn, _ = await process.communicate(request)
    except TimeoutError as error:
        raise NotDrawn("not drawn in time") from error
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode != 0 or not drawn.startswith(b"\x89PNG"):
        raise NotDrawn(f"drawing ended with {process.returncode}")
    return drawn
