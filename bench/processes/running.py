"""Starts the processes of a measurement: the bot as it is in production, the baseline, and Slack's side."""

import asyncio
import json
import os
import signal
import socket
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from bench.databases import ROOT
from bench.dataset import KEYS, NETWORKS
from bench.processes.layout import BOT_TOKEN, SERVER, SIGNING_SECRET, pin

_LINE = 64 << 20  # bytes of an answer
_UNTIL_READY = 60.0  # seconds
_COMMANDS = "/slack/events"


@dataclass(slots=True)
class SlackSide:
    """Slack's side in its own process."""

    url: str
    process: Process

    async def order(self, do: str, **details: Any) -> Any:
        """Have something done, and give what came of it."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": do, **details}).encode() + b"\n")
        return await _line(self.process)

    async def answers(self, server_url: str, seconds: float, *, concurrency: int, holding: str) -> float:
        """Answers a second to `/lapsed`. Raises if the last one did not hold what it should."""
        url = server_url + _COMMANDS
        result = await self.order("load", url=url, seconds=seconds, concurrency=concurrency)
        assert holding in result["answer"], result["answer"]
        return float(result["rate"])

    async def posts(self, number: int, *, within: float = 120.0) -> list[tuple[str, float]]:
        """Wait until so many messages were accepted, or `within` seconds; give the channel and time of each."""
        until = time.monotonic() + within
        while await self.order("count") < number and time.monotonic() < until:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.1)
        return [(channel, at) for channel, at in await self.order("posts")]


@dataclass(frozen=True, slots=True)
class Bot:
    """The bot in its own process."""

    url: str
    process: Process

    def memory(self) -> int:
        """The most that it ever had in memory, in bytes."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            name, _, value = line.partition(":")
            if name == "VmHWM":
                return int(value.split()[0]) * 1024
        raise RuntimeError("the system does not tell a process's memory")


@asynccontextmanager
async def slack_side() -> AsyncIterator[SlackSide]:
    """Start Slack's side."""
    async with _child("bench.processes.slack_side") as process:
        side = SlackSide(await _line(process), process)
        await side.order("listen", url=side.url)
        yield side


@asynccontextmanager
async def bare_bolt(slack: SlackSide) -> AsyncIterator[str]:
    """Start the baseline; gives its address."""
    async with _child("bench.processes.bare_bolt", slack.url) as process:
        yield await _line(process)


async def bare_posts(slack: SlackSide, body: Mapping[str, Any], posts: int, *, concurrency: int) -> float:
    """Posts a second of slack_sdk's bare client."""
    async with _child("bench.processes.bare_client", slack.url, str(posts), str(concurrency)) as process:
        assert process.stdin is not None
        process.stdin.write(json.dumps(body).encode() + b"\n")
        return float(await _line(process))


@asynccontextmanager
async def bot(database_url: str, slack_url: str, *, roles: str = "") -> AsyncIterator[Bot]:
    """Start `lapsebot serve`, and wait until it is ready."""
    with tempfile.TemporaryDirectory() as folder:
        port = _free_port()
        command = [sys.executable, "-m", "bot", "serve", *(["--roles", roles] if roles else [])]
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            cwd=folder,
            env=environment(database_url, slack_url, port),
            preexec_fn=lambda: pin(SERVER),
        )
        try:
            started = Bot(f"http://127.0.0.1:{port}", process)
            await until_ready(started)
            yield started
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
            await process.wait()


def environment(database_url: str, slack_url: str, port: int) -> Mapping[str, str]:
    """What an operator would set."""
    credentials = {
        f"LAPSEBOT_{network.upper()}_CLIENT_{half}": "0123456789abcdef"
        for network in NETWORKS
        for half in ("ID", "SECRET")
    }
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("LAPSEBOT_")},
        **credentials,
        "PYTHONPATH": str(ROOT),
        "LAPSEBOT_DATABASE_URL": database_url,
        "LAPSEBOT_ENCRYPTION_KEYS": KEYS,
        "LAPSEBOT_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "LAPSEBOT_LISTEN_PORT": str(port),
        "LAPSEBOT_LOG_LEVEL": "warning",
        "LAPSEBOT_SLACK_API_URL": f"{slack_url}/api",
        "LAPSEBOT_SLACK_BOT_TOKEN": BOT_TOKEN,
        "LAPSEBOT_SLACK_SIGNING_SECRET": SIGNING_SECRET,
    }


async def until_ready(started: Bot) -> None:
    """Wait until the bot says that it is ready. Raises if it ended instead."""
    async with asyncio.timeout(_UNTIL_READY), aiohttp.ClientSession() as session:
        while started.process.returncode is None:
            try:
                async with session.get(f"{started.url}/readyz") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientConnectionError:
                pass
            await asyncio.sleep(0.005)
    raise RuntimeError(f"the bot ended with {started.process.returncode} before it was ready")


@asynccontextmanager
async def _child(module: str, *arguments: str) -> AsyncIterator[Process]:
    command: Sequence[str] = (sys.executable, "-m", module, *arguments)
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, cwd=ROOT, limit=_LINE)
    try:
        yield process
    finally:
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()


async def _line(process: Process) -> Any:
    assert process.stdout is not None
    line = await process.stdout.readline()
    if not line:
        raise RuntimeError("a process of the measurement ended early; what it said is above")
    return json.loads(line)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
