"""Warns, once a week, of networks whose lapses reach fewer than two people: one unread message, and a lapse is silent
(N-13).
"""

from collections.abc import Collection, Sequence
from datetime import timedelta

import structlog

from bot.notices.asked import copied_administrators
from bot.notices.data import NETWORKS, WEEK
from bot.notices.desk import Desk, Desks
from bot.notices.drills import Cast, played
from bot.notices.hours import is_working, local_day, zone_of
from bot.notices.outbox import Posting
from commands.ids import OrganizationId, PersonId
from commands.once_a_day import event_id
from commands.ports.events import Event, EventKind
from commands.ports.notices import NoticeKind

log = structlog.get_logger(__name__)

ENOUGH = 2
"""People; a channel counts as one more reader."""


def thin_networks(whole: Cast, *, reachable: Collection[PersonId]) -> list[str]:
    """The networks of which some connections reach too few readers, by name. Pure. `whole`: who would hear of a lapse
    of each, by the rules of a lapse; `reachable`: who has not left, and can be written to somewhere. A channel is
    written to whether or not whoever set it up is reached themselves.
    """
    thin = set()
    for one in whole.played:
        readers = whole.hearing.get(one.view.connection.id, ())
        heard = {
            reader.channel or reader.person.id
            for reader in readers
            if reader.channel is not None or reader.person.id in reachable
        }
        if len(heard) < ENOUGH:
            thin.add(one.view.connection.network)
    return sorted(thin)


class Reach:
    """Looks at each organization's reach. Any number may run: what it finds is written once a week."""

    def __init__(self, desks: Desks) -> None:
        self._desks = desks

    async def run_once(self) -> int:
        """Look at every organization in whose working hours it is. Always 0: what is found is the planner's to do, and
        looking again at once would find nothing new.
        """
        now = self._desks.clock.now()
        for organization in await self._desks.storage.directory.organizations():
            if not is_working(organization.working_hours, zone_of(None, organization), now):
                continue
            try:
                await self._look(organization.id)
            except Exception:
                # One organization that cannot be looked at keeps no other waiting; it is tried again.
                log.exception("reach not looked at", organization=str(organization.id))
        return 0

    async def _look(self, organization_id: OrganizationId) -> None:
        async with self._desks.storage.reading() as uow:
            desk = self._desks.desk(uow, organization_id)
            thin = await self._thin(desk)
            today = local_day(desk.now, zone_of(None, await desk.organization()))
        if not thin:
            return
        year, week, weekday = today.isocalendar()
        monday = today - timedelta(days=weekday - 1)
        event = Event(
            id=event_id(organization_id, monday, "reach"),
            organization_id=organization_id,
            kind=EventKind.REACH_THIN,
            at=self._desks.clock.now(),
            data={"networks": " ".join(thin), "week": f"{year}-W{week:02}"},
        )
        async with self._desks.storage.transaction() as uow:
            await uow.notices.record_once(event)

    async def _thin(self, desk: Desk) -> list[str]:
        whole = await played(desk, None)
        readers = {reader.person.id: reader.person for reader in whole.readers if reader.channel is None}
        reachable = await desk.outbox.reachable(desk.uow, desk.organization_id, list(readers.values()))
        return thin_networks(whole, reachable=reachable)


async def thin(desk: Desk, events: Sequence[Event]) -> list[Posting]:
    """Tell administrators which networks reach too few people."""
    return [
        desk.posting(
            reader,
            NoticeKind.THIN_REACH,
            data={NETWORKS: event.data.get("networks", ""), WEEK: event.data.get("week", "")},
        )
        for event in events
        if event.kind is EventKind.REACH_THIN
        for reader in await copied_administrators(desk)
    ]
