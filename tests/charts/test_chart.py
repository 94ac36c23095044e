"""Charts are drawn, whatever their words are, by a process of their own."""

import struct
import sys

import pytest

from commands.messages import Chart, Picture, Series
from platform_adapters.chat.chart import Draughtsman

WEEKS = tuple(f"week {number}" for number in range(12))
HOSTILE = ("$x_{", "<b>", "\u202etxet", "日本語", "x" * 300, "\\frac", "")


def picture(charts: int = 2, names: tuple[str, ...] = ("expired", "removed")) -> Picture:
    series = tuple(Series(name, tuple(float(week) for week in range(12))) for name in names)
    return Picture(tuple(Chart(f"Chart {number}", WEEKS, series, "lapses") for number in range(charts)), "Two charts")


def size(png: bytes) -> tuple[int, int]:
    width, height = struct.unpack(">II", png[16:24])  # PNG, section 11.2.2: IHDR comes first
    return width, height


@pytest.mark.behaviour("C-4")
async def test_a_picture_holds_its_charts_one_below_the_other_and_the_bot_never_loads_the_plotting_library() -> None:
    one, two = [await Draughtsman().draw(picture(charts)) for charts in (1, 2)]
    assert size(two) == (size(one)[0], 2 * size(one)[1])
    assert "matplotlib" not in sys.modules


async def test_any_words_and_no_figures_at_all_can_be_drawn() -> None:
    assert (await Draughtsman().draw(picture(1, HOSTILE))).startswith(b"\x89PNG")
    empty = Picture((Chart("Nothing", (), (), "lapses"), Chart("Zero", WEEKS, (Series("a", (0.0,) * 12),), "x")), "")
    assert (await Draughtsman().draw(empty)).startswith(b"\x89PNG")
