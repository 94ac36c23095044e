"""The process that draws: reads a picture as JSON, writes a PNG. Only `chart.py` runs it; nothing else may import it.

The picture has a ground of its own: it reads the same on dark and on light.
"""

import io
import json
import sys
from collections.abc import Sequence

from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator

from commands.messages import Chart, Picture, Series

# Okabe and Ito, "Color Universal Design" (2008): told apart by colour-blind readers; yellow is too faint on white.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
_HATCHES = ("", "//", "..", "xx", "\\\\", "++", "oo")
_GROUND, _INK, _QUIET, _LINE = "#FFFFFF", "#1B1F24", "#57606A", "#D5DAE0"
_WIDTH, _PANEL_HEIGHT = 8.0, 3.4  # inches, at 120 dots each: 960 pixels wide, sharp on a phone
_DOTS = 120
_LABEL_ROOM = 76  # characters, spaces between included, of all labels in a row under the bars


def _picture_of(request: bytes) -> Picture:
    read = json.loads(request)
    charts = tuple(
        Chart(
            title=chart["title"],
            categories=tuple(chart["categories"]),
            series=tuple(Series(one["name"], tuple(one["values"])) for one in chart["series"]),
            value_label=chart["value_label"],
        )
        for chart in read["charts"]
    )
    return Picture(charts, read["description"])


def _png_of(charts: Sequence[Chart]) -> bytes:
    rcParams.update(
        {"text.color": _INK, "axes.labelcolor": _QUIET, "xtick.color": _QUIET, "ytick.color": _QUIET, "font.size": 11}
    )
    rcParams["text.parse_math"] = False  # a client's name may hold dollar signs
    figure = Figure(
        figsize=(_WIDTH, _PANEL_HEIGHT * len(charts)),
        layout=ConstrainedLayoutEngine(h_pad=0.15, w_pad=0.15),
        facecolor=_GROUND,
    )
    panels = figure.subplots(len(charts), 1, squeeze=False)
    for chart, axes in zip(charts, panels[:, 0], strict=True):
        _bars(chart, axes)
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=_DOTS)
    return out.getvalue()


def _bars(chart: Chart, axes: Axes) -> None:
    places = list(range(len(chart.categories)))
    base = [0.0] * len(places)
    for number, series in enumerate(chart.series):
        look = number % len(_COLOURS)
        axes.bar(
            places,
            series.values,
            bottom=base,
            label=series.name,
            color=_COLOURS[look],
            hatch=_HATCHES[look],
            edgecolor=_GROUND,
            width=0.72,
        )
        base = [below + value for below, value in zip(base, series.values, strict=True)]
    axes.set_title(chart.title, loc="left", color=_INK, fontsize=13, fontweight="bold")
    every = -(-sum(len(name) + 2 for name in chart.categories) // _LABEL_ROOM) or 1
    axes.set_xticks(places[::every], chart.categories[::every])
    axes.set_ylabel(chart.value_label)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylim(0, max(1.0, *base) * 1.1 if base else 1.0)
    axes.grid(axis="y", color=_LINE, linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(_LINE)
    if len(chart.series) > 1:
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=3, frameon=False, fontsize=10)


if __name__ == "__main__":
    sys.stdout.buffer.write(_png_of(_picture_of(sys.stdin.buffer.read()).charts))
