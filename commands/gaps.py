"""The gap receipt (X-9): when the blind period began and ended, how far back data can still be fetched, and whether the
host product has filled it. Words and reckoning, and the one look that they take.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from commands.causes import cause_name
from commands.ids import LapseId
from commands.messages import Code, Line, Mark, Moment, MomentStyle, Note, Part, Plain
from commands.model import Connection, Lapse, LapseEnd
from commands.ports.hosting import GapFilled
from commands.ports.network import NetworkSpec
from commands.ports.storage import UnitOfWork
from commands.wording import Fact, Sentence, shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """The time of which data may be missing."""

    begins_at: datetime
    """The last good check; where none is known, when the lapse was opened."""
    ends_at: datetime | None
    """None: it lasts."""
    fetchable_until: datetime | None
    """Until when the network still gives all of it out; None: it is not known how far back this network goes."""
    filled_at: datetime | None = None
    """When the host product said that it has fetched what was missing."""
    note: str = ""
    """The host's words about that."""


def gap_of(lapse: Lapse, spec: NetworkSpec | None, filled: GapFilled | None = None) -> Gap:
    """The gap that a lapse left."""
    begins_at = min(lapse.last_good_at or lapse.opened_at, lapse.opened_at)
    history: timedelta | None = spec.history if spec is not None else None
    return Gap(
        begins_at=begins_at,
        ends_at=lapse.ended_at,
        fetchable_until=begins_at + history if history is not None else None,
        filled_at=filled.at if filled is not None else None,
        note=filled.note if filled is not None else "",
    )


def leaves_gap(lapse: Lapse) -> bool:
    """Whether a lapse is over in a way after which data are fetched again."""
    return lapse.ended_at is not None and lapse.ended_how in (LapseEnd.RECONNECTED, LapseEnd.RECOVERED)


async def filled_of(uow: UnitOfWork, lapses: Sequence[Lapse]) -> Mapping[LapseId, GapFilled]:
    """Which of these lapses' gaps are filled; asks nothing where none left one."""
    over = [lapse for lapse in lapses if leaves_gap(lapse)]
    return await uow.host_reports.filled(over[0].organization_id, [lapse.id for lapse in over]) if over else {}


async def last_gap(uow: UnitOfWork, connection: Connection, spec: NetworkSpec | None) -> Gap | None:
    """The gap of the lapse that ended last, for whoever has just ended it."""
    lapse = await uow.lapses.last_ended(connection.organization_id, connection.id)
    if lapse is None or not leaves_gap(lapse):
        return None
    return gap_of(lapse, spec, (await filled_of(uow, [lapse])).get(lapse.id))


def gap_sentences(gap: Gap, network_name: str, now: datetime) -> tuple[Sentence, Sentence]:
    """What is missing, and what can be done about it."""
    begin = Moment(gap.begins_at)
    if gap.ends_at is not None:
        missing = Sentence("Data may be missing from {begin} until {end}.", begin=begin, end=Moment(gap.ends_at))
    else:
        missing = Sentence("Data may be missing from {begin} since then.", begin=begin)
    return missing, _fetching(gap, network_name, now)


def _fetching(gap: Gap, network_name: str, now: datetime) -> Sentence:
    if gap.filled_at is not None:
        facts: dict[str, Fact] = {"day": Moment(gap.filled_at, MomentStyle.DAY), "note": shown(gap.note, 120)}
        if gap.note:
            return Sentence("Gap filled, the system that fetches the data says, on {day}: “{note}”.", **facts)
        return Sentence("Gap filled, the system that fetches the data says, on {day}.", **facts)
    if gap.fetchable_until is None:
        return Sentence("How far back {network} gives out data is not known here.", network=network_name)
    if gap.fetchable_until > now:
        day = Moment(gap.fetchable_until, MomentStyle.DAY)
        return Sentence("{network} still gives out all of it until {day}.", network=network_name, day=day)
    return Sentence("{network} no longer gives out all of it.", network=network_name)


def gap_line(gap: Gap, network_name: str, now: datetime) -> Line:
    """The same as a message's line."""
    missing, fetching = gap_sentences(gap, network_name, now)
    return (*missing.line(), Plain(f" {Mark.GOOD} " if gap.filled_at is not None else " "), *fetching.line())


def note_to_copy(connection: Connection, lapse: Lapse, gap: Gap, network_name: str) -> str:
    """The gap in one plain line, for a report to a client; times in UTC, which a copy cannot adapt."""
    end = f"{gap.ends_at.astimezone(UTC):%Y-%m-%d %H:%M}" if gap.ends_at is not None else "now"
    filled = f"; filled on {gap.filled_at.astimezone(UTC):%Y-%m-%d}" if gap.filled_at is not None else ""
    return (
        f"{shown(connection.account_name)} ({network_name}, {shown(connection.account_id)}): data may be missing from "
        f"{gap.begins_at.astimezone(UTC):%Y-%m-%d %H:%M} to {end} UTC ({cause_name(lapse.cause)}){filled}"
    )


def receipt(connection: Connection, lapse: Lapse, gap: Gap, network_name: str, *, now: datetime) -> list[Part]:
    """The receipt of one lapse, for its place in a list."""
    copied = note_to_copy(connection, lapse, gap, network_name)
    return [Note(gap_line(gap, network_name, now)), Note((Plain("To copy: "), Code(copied)))]
