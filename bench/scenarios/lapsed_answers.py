"""`/lapsed` answered over HTTP: acknowledged, and the answer accepted at response_url, beside a bare Bolt app."""

from bench.databases import Kind
from bench.processes.running import SlackSide, bare_bolt, bot, slack_side
from bench.report import Line, share
from bench.rounds import Bench, Round, medians

_LEAST = 0.5
_SECONDS = 4.0  # a round
_CONCURRENCY = 32


async def measure(bench: Bench) -> list[Line]:
    """One line for each database."""
    lines = []
    async with slack_side() as slack, bare_bolt(slack) as bare_url:
        for kind in Kind:
            url = await bench.databases.pristine(kind, bench.large)
            async with bot(url, slack.url) as ours:
                rounds = {
                    "bare Bolt": _asking(slack, bare_url, "Nothing needs connecting."),
                    "lapsebot": _asking(slack, ours.url, "Needs connecting"),
                }
                for warm_up in rounds.values():
                    await warm_up()
                bare, own = (await medians(bench.rounds(5), rounds)).values()
            lines.append(_line(bench, kind, bare, own))
    return lines


def _asking(slack: SlackSide, url: str, holding: str) -> Round:
    async def asking() -> float:
        return await slack.answers(url, _SECONDS, concurrency=_CONCURRENCY, holding=holding)

    return asking


def _line(bench: Bench, kind: Kind, bare: float, own: float) -> Line:
    return Line(
        what=f"/lapsed answered, {bench.large:,} connections",
        database=kind,
        measured=f"{own:,.0f}/s",
        beside=f"bare Bolt {bare:,.0f}/s",
        ratio=share(own / bare),
        budget=f"≥ {_LEAST:.0%}",
        is_kept=own / bare >= _LEAST,
    )
