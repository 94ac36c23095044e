"""`/lapsed stats`: lapses by week and cause, and how long reconnecting took, as a picture and as figures (C-4)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from commands import usage
from commands.access import scope_of
from commands.causes import cause_name
from commands.command import Asker, Services
from commands.drawing import network_name
from commands.handlers.seeing import visible_clients
from commands.ids import ClientId
from commands.messages import (
    Bold,
    Chart,
    Facts,
    Heading,
    Line,
    Mark,
    Message,
    Note,
    Part,
    Picture,
    Plain,
    Series,
    Text,
    Tone,
    line,
)
from commands.model import Scope, Stats, Verdict, Wait
from commands.parsing import Arguments, LapsedQuery, client_named
from commands.wording import number_of, shown

WEEKS = 12
CAUSES = 5  # told apart in the chart; the colours of more cannot be


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """The figures, and what they are of."""

    stats: Stats
    weeks: tuple[date, ...]
    """Mondays, the earliest first; the last week is not over."""
    narrowed: tuple[str, ...]


async def stats(services: Services, asker: Asker, query: LapsedQuery, arguments: Arguments) -> Message:
    """Answer with the last weeks' figures, of what the asker may see."""
    now = services.clock.now()
    monday = now.astimezone(UTC).date() - timedelta(days=now.astimezone(UTC).weekday())
    weeks = tuple(monday - timedelta(weeks=ago) for ago in range(WEEKS - 1, -1, -1))
    async with services.storage.reading() as uow:
        clients = await visible_clients(uow, asker)
        client = query.client or query.words or query.account
        client_id = None
        if client is not None:
            client_id = client_named(client, clients, arguments, usage.LAPSED.here(services.networks))
        counted = await uow.lapses.stats(
            asker.organization_id,
            _scope(asker, client_id, mine=query.mine),
            since=datetime.combine(weeks[0], time(), UTC),
            until=now,
            network=query.network,
        )
    narrowed = (
        *([network_name(services.networks, query.network)] if query.network else []),
        *([f"client {_name(clients, client_id)}"] if client_id else []),
        *(["yours"] if query.mine else []),
        *(["as far as you may see"] if scope_of(asker.person).client_ids is not None and not query.mine else []),
    )
    return _draw(_Told(stats=counted, weeks=weeks, narrowed=narrowed))


def _scope(asker: Asker, client_id: ClientId | None, *, mine: bool) -> Scope:
    """What the asker may see, narrowed to a client that they may see, or to what they connected or own."""
    scope = scope_of(asker.person)
    if mine:
        scope = replace(scope, client_ids=frozenset(), person_id=asker.person.id)
    if client_id is not None:
        allowed = scope.within is None or client_id in scope.within
        scope = replace(scope, within=frozenset({client_id}) if allowed else frozenset())
    return scope


def _name(clients: Mapping[str, ClientId], client_id: ClientId) -> str:
    return shown(next(name for name, known in clients.items() if known == client_id))


def _draw(told: _Told) -> Message:
    opened = sum(count.number for count in told.stats.opened)
    waits = [(wait, number) for wait, number in told.stats.waits]
    mended = sum(number for _, number in waits)
    of_what = "".join(f" · {part}" for part in told.narrowed)
    if not opened and not mended:
        calm = f"{Mark.GOOD} No lapse in the last {WEEKS} weeks{of_what}: there is nothing to count."
        return Message((Text(line(calm)),), Tone.GOOD)
    by_cause = Counter[Verdict]()
    for count in told.stats.opened:
        by_cause[count.cause] += count.number
    charts = (
        *([_by_week(told, by_cause)] if opened else []),
        *([_by_wait(waits)] if mended else []),
    )
    parts: list[Part] = [
        Heading(line(Bold(number_of(opened, "lapse")), f" in the last {WEEKS} weeks{of_what}")),
        Text(_summary(waits, opened, mended)),
        Picture(charts, _description(by_cause, opened, mended)),
    ]
    if opened:
        parts.append(Facts(_figures_by_week(told)))
        causes = " · ".join(f"{cause_name(cause)} {number:,}" for cause, number in by_cause.most_common())
        parts.append(Facts((("By cause", line(causes)),)))
    if mended:
        spans = " · ".join(f"{wait} {number:,}" for wait, number in waits)
        parts.append(Facts((("Time to reconnect", line(spans)),)))
    parts.append(Note(line("Weeks begin on Monday, in UTC.")))
    return Message(tuple(parts))


def _summary(waits: Sequence[tuple[Wait, int]], opened: int, mended: int) -> Line:
    """How long it usually took: the span in which the half of all were mended."""
    if not mended:
        return line(f"{'None of them has' if opened > 1 else 'It has not'} come back yet.")
    below = 0
    for wait, number in waits:
        below += number
        if below * 2 >= mended:
            return line(f"{mended:,} came back, half of them in ", Bold(_within(wait)), ".")
    return line(f"{mended:,} came back.")


def _within(wait: Wait) -> str:
    return {
        Wait.HOUR: "less than an hour",
        Wait.HOURS: "less than 4 hours",
        Wait.DAY: "less than a day",
        Wait.DAYS: "less than 3 days",
        Wait.WEEK: "less than 7 days",
        Wait.LONGER: "more than 7 days",
    }[wait]


def _by_week(told: _Told, by_cause: Counter[Verdict]) -> Chart:
    """Stacked by cause, the commonest first; rarer ones together."""
    numbers = {(count.week, count.cause): count.number for count in told.stats.opened}
    named = [cause for cause, _ in by_cause.most_common(CAUSES)]
    rest = [cause for cause in by_cause if cause not in named]
    series = [
        Series(cause_name(cause), tuple(float(numbers.get((week, cause), 0)) for week in told.weeks)) for cause in named
    ]
    if rest:
        together = (sum(numbers.get((week, cause), 0) for cause in rest) for week in told.weeks)
        series.append(Series("other causes", tuple(map(float, together))))
    return Chart("Lapses per week, by cause", tuple(map(_week, told.weeks)), tuple(series), "lapses")


def _by_wait(waits: Sequence[tuple[Wait, int]]) -> Chart:
    series = Series("came back", tuple(float(number) for _, number in waits))
    return Chart("Time to reconnect", tuple(wait.value for wait, _ in waits), (series,), "lapses")


def _figures_by_week(told: _Told) -> tuple[tuple[str, Line], ...]:
    """Every number of the first chart: the weeks that had lapses, and how many weeks had none."""
    facts: list[tuple[str, Line]] = []
    for week in told.weeks:
        counts = sorted((count for count in told.stats.opened if count.week == week), key=lambda count: -count.number)
        if counts:
            causes = ", ".join(f"{cause_name(count.cause)} {count.number:,}" for count in counts)
            total = sum(count.number for count in counts)
            facts.append((f"Week of {_week(week)}", line(f"{total:,} ({causes})")))
    quiet = len(told.weeks) - len(facts)
    return (*facts, *([("Weeks without any", line(Plain(str(quiet))))] if quiet else []))


def _description(by_cause: Counter[Verdict], opened: int, mended: int) -> str:
    """What the picture shows, for those who cannot see it; its figures stand beside it."""
    shows = []
    if by_cause:
        commonest = cause_name(by_cause.most_common(1)[0][0])
        shows.append(f"{number_of(opened, 'lapse')} over {WEEKS} weeks by cause, most often: {commonest}")
    if mended:
        shows.append(f"how long it took until {mended:,} worked again")
    return f"Bar charts: {'; and '.join(shows)}."


def _week(monday: date) -> str:
    return f"{monday.day} {monday:%b}"
