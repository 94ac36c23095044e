"""What is told when lapses open: to whom, in how many notices, at once or gathered, and when they are reminded."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.notices.audience import Circle, Reader, audience, rhythm_for
from bot.notices.cadence import first_at
from bot.notices.data import BESIDE, GONE, NETWORK, POSITION, RHYTHM, TOTAL, ids_text
from bot.notices.desk import Desk, lapses_of, lapses_text, place
from bot.notices.grouping import Group, beside, group
from bot.notices.hours import next_begin, zone_of
from bot.notices.outbox import Posting
from commands.access import is_administrator
from commands.ids import AuthorizationId, LapseId, PersonId
from commands.model import Channel, ConnectionView, Preference, Rhythm, Topic
from commands.ports.notices import Notice, NoticeKind, Part

LATELY = timedelta(minutes=10)
"""How long what a reader was told counts as told at the same time. Lapses of one cause come in over minutes, as fast as
checks go; what would be a fourth notice of a network meanwhile is gathered, and a gathering one grows in place.
"""
ALWAYS_AT_ONCE = frozenset({Part.CONNECTOR, Part.OWNER, Part.STAND_IN, Part.CHANNEL})
"""Parts whose first notice never waits for a digest (N-16)."""

Who = tuple[PersonId, Channel | None, Part]


@dataclass(frozen=True, slots=True)
class Lately:
    """What a reader was told a moment ago."""

    notices: tuple[Notice, ...] = ()
    by_network: Mapping[str, int] | None = None

    def growing(self, network: str) -> Notice | None:
        """The notice that gathers this network's lapses for the reader."""
        return next((one for one in reversed(self.notices) if one.data.get(NETWORK) == network), None)


async def opened(desk: Desk, lapse_ids: Sequence[LapseId]) -> list[Posting]:
    """Give what is to be told of lapses that are still open; those that ended meanwhile are not told (D-6)."""
    if not lapse_ids:
        return []
    found = await desk.uow.lapses.views(desk.organization_id, lapse_ids)
    views = sorted((view for view in found if view.open_lapse is not None), key=place)
    if not views:
        return []
    circle = await desk.circle(views)
    return await first_notices(desk, audience(views, circle), circle)


async def first_notices(desk: Desk, told: Mapping[Reader, Sequence[ConnectionView]], circle: Circle) -> list[Posting]:
    """Give the first notices of open lapses to these readers. Notices that grow instead are written at once."""
    preferences = await desk.preferences(reader.person for reader in told if reader.part not in ALWAYS_AT_ONCE)
    lately = await _lately(desk, told)
    rules = await desk.rules()
    apart: list[tuple[Reader, Group, Sequence[ConnectionView]]] = []
    postings: list[Posting] = []
    grown: list[LapseId] = []
    for reader, views in told.items():
        by_rhythm = parted_by_rhythm(reader, views, preferences)
        at_once = by_rhythm.pop(Rhythm.IMMEDIATE, [])
        own = lately.get((reader.person.id, reader.channel, reader.part), Lately())
        for one in group(at_once, rules, told_lately=own.by_network):
            growing = own.growing(one.gathers) if one.gathers is not None else None
            if growing is None or not await _can_grow(desk, growing):
                apart.append((reader, one, at_once))
            else:
                await desk.uow.notices.grow(desk.organization_id, growing.id, lapses_of(one.views))
                grown += lapses_of(one.views)
        for rhythm, later in by_rhythm.items():
            postings.append(await gathered(desk, NoticeKind.LAPSED, reader, rhythm, lapse_ids=lapses_of(later)))
    if grown:  # all at once, so that their messages are locked in one order
        await desk.uow.notices.redraw(desk.organization_id, list(dict.fromkeys(grown)), desk.now)
    for reader, one, data in numbered(apart):
        postings.append(await _first(desk, reader, one, data, circle))
    return postings


def parted_by_rhythm(
    reader: Reader,
    views: Iterable[ConnectionView],
    preferences: Sequence[Preference],
    *,
    at_once: frozenset[Part] = ALWAYS_AT_ONCE,
) -> dict[Rhythm, list[ConnectionView]]:
    """Part what somebody hears of lapses by how often they want to hear; `at_once`: parts that do not choose."""
    parts: dict[Rhythm, list[ConnectionView]] = {}
    for view in views:
        connection = view.connection
        rhythm = Rhythm.IMMEDIATE
        if reader.part not in at_once:
            rhythm = rhythm_for(preferences, reader.person.id, Topic.LAPSES, connection.network, connection.client_id)
        parts.setdefault(rhythm, []).append(view)
    return parts


async def gathered(
    desk: Desk,
    kind: NoticeKind,
    reader: Reader,
    rhythm: Rhythm,
    *,
    lapse_ids: Sequence[LapseId] = (),
    authorization_ids: Sequence[AuthorizationId] = (),
    data: Mapping[str, str] | None = None,
) -> Posting:
    """A notice that waits for its reader's digest."""
    organization = await desk.organization()
    at = next_begin(
        organization.working_hours,
        zone_of(reader.person, organization),
        desk.now,
        weekly=rhythm is Rhythm.WEEKLY,
    )
    return desk.posting(
        reader,
        kind,
        lapse_ids=lapse_ids,
        authorization_ids=authorization_ids,
        digest_at=at,
        data={**(data or {}), RHYTHM: rhythm.value},
    )


def numbered(
    groups: Sequence[tuple[Reader, Group, Sequence[ConnectionView]]],
) -> Iterable[tuple[Reader, Group, dict[str, str]]]:
    """Give each group with what its notice says of the others that its reader gets now: "2 of 3" (N-4)."""
    totals = Counter((reader.person.id, reader.channel) for reader, _, _ in groups)
    counts: Counter[tuple[PersonId, Channel | None]] = Counter()
    for reader, one, views in groups:
        who = (reader.person.id, reader.channel)
        counts[who] += 1
        data = {BESIDE: lapses_text(beside(one, views)), NETWORK: one.gathers or ""}
        if totals[who] > 1:
            data |= {POSITION: str(counts[who]), TOTAL: str(totals[who])}
        yield reader, one, data


async def _first(desk: Desk, reader: Reader, one: Group, data: dict[str, str], circle: Circle) -> Posting:
    gone = [view.connector for view in one.views if view.connector is not None and circle.is_gone(view.connector)]
    if reader.part is Part.STAND_IN:
        data[GONE] = ids_text(dict.fromkeys(person.id for person in gone))
    remind_at = None
    if _answers(reader, one, circle):
        cadence = (await desk.rules())(one.views[0].connection.network).cadence
        remind_at = first_at(cadence, await desk.calendar(reader.person, desk.now))
    return desk.posting(
        reader,
        NoticeKind.LAPSED,
        lapse_ids=lapses_of(one.views),
        data=data,
        remind_at=remind_at,
        unheard_is_known=reader.part is Part.CONNECTOR and circle.is_gone(reader.person),
    )


def _answers(reader: Reader, one: Group, circle: Circle) -> bool:
    """Whether reminders go to this reader: to connector and owner (N-6), and to administrators where both are gone, so
    that a lapse that nobody answers for is not forgotten after a day.
    """
    if reader.part in (Part.CONNECTOR, Part.OWNER):
        return not circle.is_gone(reader.person)
    if reader.part is not Part.STAND_IN or not is_administrator(reader.person):
        return False
    return any(
        view.owner is None or view.owner.id == view.connection.connector_id or circle.is_gone(view.owner)
        for view in one.views
    )


async def _can_grow(desk: Desk, notice: Notice) -> bool:
    """Whether its reader would see what is added: an email stays as it was sent."""
    deliveries = await desk.uow.notices.deliveries(desk.organization_id, notice.id)
    return any(desk.outbox.is_edited(one) for one in deliveries)


async def _lately(desk: Desk, readers: Iterable[Reader]) -> dict[Who, Lately]:
    wanted = {(reader.person.id, reader.channel, reader.part) for reader in readers}
    recent: dict[Who, list[Notice]] = {}
    for notice in await desk.uow.notices.recent(desk.organization_id, since=desk.now - LATELY):
        who = (notice.person_id, notice.channel, notice.part)
        if who in wanted and notice.lapse_ids:
            recent.setdefault(who, []).append(notice)
    firsts = sorted({notice.lapse_ids[0] for own in recent.values() for notice in own})
    views = await desk.uow.lapses.views(desk.organization_id, firsts) if firsts else ()
    network = {view.lapse.id: view.connection.network for view in views if view.lapse is not None}
    return {
        who: Lately(
            tuple(own),
            Counter(network[notice.lapse_ids[0]] for notice in own if notice.lapse_ids[0] in network),
        )
        for who, own in recent.items()
    }
