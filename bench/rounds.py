"""What every scenario is given, and how they measure: interleaved rounds, medians."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from bench.databases import Databases
from bench.progress import say


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """One run."""

    databases: Databases
    small: int
    large: int
    """Connections."""
    is_quick: bool

    def rounds(self, number: int) -> int:
        """How many rounds to make of something; fewer in a quick run."""
        return 3 if self.is_quick else number


Round = Callable[[], Awaitable[float]]


async def medians(rounds: int, measured: Mapping[str, Round]) -> Mapping[str, float]:
    """Measure each thing once a round, side by side, so that a noisy minute falls on all of them; give the medians."""
    results: dict[str, list[float]] = {name: [] for name in measured}
    for number in range(rounds):
        for name, once in measured.items():
            results[name].append(await once())
        say(f"round {number + 1} of {rounds}: " + ", ".join(f"{name} {_short(r)}" for name, r in results.items()))
    return {name: median(values) for name, values in results.items()}


def _short(values: Sequence[float]) -> str:
    return f"{values[-1]:.3g}"
