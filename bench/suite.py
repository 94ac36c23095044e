"""Runs the scenarios and prints the table."""

import argparse
import asyncio
import traceback
from collections.abc import Awaitable, Callable, Mapping

from bench.databases import databases
from bench.processes.layout import OTHERS, pin
from bench.progress import say
from bench.report import Line, table
from bench.rounds import Bench
from bench.scenarios import (
    lapsed_answers,
    lapsed_growth,
    many_destinations,
    memory,
    one_destination,
    start,
    sweep,
    under_backlog,
)

SCENARIOS: Mapping[str, Callable[[Bench], Awaitable[list[Line]]]] = {
    "lapsed-answers": lapsed_answers.measure,
    "lapsed-growth": lapsed_growth.measure,
    "sweep": sweep.measure,
    "one-destination": one_destination.measure,
    "many-destinations": many_destinations.measure,
    "under-backlog": under_backlog.measure,
    "start": start.measure,
    "memory": memory.measure,
}


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Measure the design's budgets beside bare baselines.")
    parser.add_argument("--quick", action="store_true", help="100,000 connections instead of 1,000,000, fewer rounds")
    parser.add_argument("--only", choices=list(SCENARIOS), action="append", help="one scenario; may be repeated")
    options = parser.parse_args()
    pin(OTHERS)
    lines = asyncio.run(_run(options.only or list(SCENARIOS), is_quick=options.quick))
    print(table(lines))


async def _run(names: list[str], *, is_quick: bool) -> list[Line]:
    lines: list[Line] = []
    async with databases() as made:
        bench = Bench(databases=made, small=10_000, large=100_000 if is_quick else 1_000_000, is_quick=is_quick)
        for name in names:
            say(f"scenario {name}")
            try:
                measured = await SCENARIOS[name](bench)
            except Exception as error:  # noqa: BLE001 - what cannot be measured is shown, and the rest is measured
                traceback.print_exc()
                measured = [Line(what=name, measured=type(error).__name__, budget="–", is_kept=None)]
            lines += measured
            for line in measured:
                say(" | ".join(line.cells()))
    return lines
