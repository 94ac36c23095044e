"""The table: every budget with what was measured, what it is held against, and whether it is kept."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

KEPT, SHORT, LEFT_OUT = "pass", "FALLS SHORT", "left out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the table. All text but the verdict is made by the scenario."""

    what: str
    database: str = "–"
    measured: str
    beside: str = "–"
    """What it is held against, measured in the same run."""
    ratio: str = "–"
    budget: str
    is_kept: bool | None
    """None: it could not be measured here; `measured` says why."""

    def cells(self) -> list[str]:
        """What stands in the table."""
        verdict = LEFT_OUT if self.is_kept is None else KEPT if self.is_kept else SHORT
        return [*(getattr(self, field.name) for field in fields(self)[:-1]), verdict]


def times(ratio: float) -> str:
    """A ratio of times."""
    return f"{ratio:.2f} ×"


def share(ratio: float) -> str:
    """A ratio of rates."""
    return f"{ratio:.0%}"


def table(lines: Sequence[Line]) -> str:
    """Markdown, aligned so that it reads well in a terminal too."""
    rows = [["what", "database", "measured", "beside it", "ratio", "budget", "verdict"]]
    rows += [line.cells() for line in lines]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    rows.insert(1, ["-" * width for width in widths])
    return "\n".join(f"| {' | '.join(c.ljust(w) for c, w in zip(row, widths, strict=True))} |" for row in rows)
