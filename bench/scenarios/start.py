"""From the start of the process until it says that it is ready, beyond the time that its imports take."""

import asyncio
import sys
import tempfile
from time import perf_counter

from bench.databases import ROOT, Kind
from bench.processes.layout import SERVER, pin
from bench.processes.running import bot, slack_side
from bench.report import Line
from bench.rounds import Bench, medians

_MOST = 2.0  # seconds
_IMPORTS = """
import importlib
import bot.bootstrap, bot.cli, bot.logs
from platform_adapters import discovery
discovery.network_modules()
for name in discovery.chat_platform_names():
    importlib.import_module(f"platform_adapters.chat.{name}.adapter")
"""


async def measure(bench: Bench) -> list[Line]:
    """One line with a new database, one with a large one."""
    lines = []
    async with slack_side() as slack:

        async def starting(url: str) -> float:
            start = perf_counter()
            async with bot(url, slack.url):
                return perf_counter() - start

        async def starting_anew() -> float:
            with tempfile.TemporaryDirectory() as folder:
                return await starting(f"sqlite+aiosqlite:///{folder}/new.sqlite")

        async with bench.databases.copied(Kind.SQLITE, bench.large) as url:
            rounds = {"imports": _importing, "new": starting_anew, "large": lambda: starting(url)}
            results = await medians(bench.rounds(5), rounds)
    for name, what in (("new", "a new database"), ("large", f"{bench.large:,} connections")):
        beyond = results[name] - results["imports"]
        lines.append(
            Line(
                what=f"start to ready, {what}",
                database=Kind.SQLITE,
                measured=f"{results[name]:.2f} s",
                beside=f"imports {results['imports']:.2f} s",
                ratio=f"{beyond:.2f} s beyond",
                budget=f"< {_MOST:g} s beyond",
                is_kept=beyond < _MOST,
            )
        )
    return lines


async def _importing() -> float:
    start = perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _IMPORTS, cwd=ROOT, preexec_fn=lambda: pin(SERVER)
    )
    assert await process.wait() == 0
    return perf_counter() - start
