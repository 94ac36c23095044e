"""Warns, once a week, of networks whose lapses reach fewer than two people: one unread message, and a lapse is silent
(N-13).
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta

import structlog

from bot.notices.asked import copied_administrators
from bot.notices.audience import takes_immediate_notices
from bot.notices.data import NETWORKS, WEEK
from bot.notices.desk import Desk
from bot.notices.hours import is_working, local_day, zone_of
from bot.notices.outbox import Outbox, Posting
from commands.ids import OrganizationId, PersonId
from commands.model import Person, Role, Subscription
from commands.once_a_day import event_id
from commands.ports.clock import Clock
from commands.ports.connections import Answerable
from commands.ports.network import Networks
from commands.ports.notices import Event, EventKind, NoticeKind
from commands.ports.storage import Storage

log = structlog.get_logger(__name__)

ENOUGH = 2
"""People; a channel counts as one more reader."""


def thin_networks(
    answerable: Iterable[Answerable],
    *,
    administrators: Sequence[Person],
    subscriptions: Sequence[Subscription],
    subscribers: Collection[Person],
    reachable: Collection[PersonId],
) -> list[str]:
    """The networks of which some connections reach too few readers, by name. Pure. `reachable`: who has not left, and
    can be written to somewhere.
    """
    people = {person.id: person for person in subscribers}
    copied = {person.id for person in administrators if takes_immediate_notices(person)} & set(reachable)
    thin = set()
    for one in answerable:
        readers: set[object] = {who for who in (one.connector_id, one.owner_id) if who in reachable} | copied
        for subscription in subscriptions:
            person = people.get(subscription.person_id)
            if person is None or person.id not in reachable or not _hears(person, subscription, one):
                continue
            readers.add(subscription.channel or person.id)
        if len(readers) < ENOUGH:
            thin.add(one.network)
    return sorted(thin)


def _hears(person: Person, subscription: Subscription, one: Answerable) -> bool:
    """Whether an opt-in covers these connections, and its reader may see them."""
    if subscription.network not in (None, one.network) or subscription.client_id not in (None, one.client_id):
        return False
    if person.role is Role.OWNER:
        return person.id in (one.connector_id, one.owner_id)
    return person.role is not Role.STAFF or person.client_ids is None or one.client_id in person.client_ids


class Reach:
    """Looks at each organization's reach. Any number may run: what it finds is written once a week."""

    def __init__(self, *, storage: Storage, clock: Clock, networks: Networks, outbox: Outbox) -> None:
        self._storage = storage
        self._clock = clock
        self._networks = networks
        self._outbox = outbox

    async def run_once(self) -> int:
        """Look at every organization in whose working hours it is. Always 0: what is found is the planner's to do, and
        looking again at once would find nothing new.
        """
        now = self._clock.now()
        for organization in await self._storage.directory.organizations():
            if not is_working(organization.working_hours, zone_of(None, organization), now):
                continue
            try:
                await self._look(organization.id)
            except Exception:
                # One organization that cannot be looked at keeps no other waiting; it is tried again.
                log.exception("reach not looked at", organization=str(organization.id))
        return 0

    async def _look(self, organization_id: OrganizationId) -> None:
        async with self._storage.reading() as uow:
            desk = Desk(uow, organization_id, networks=self._networks, outbox=self._outbox, now=self._clock.now())
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
            at=self._clock.now(),
            data={"networks": " ".join(thin), "week": f"{year}-W{week:02}"},
        )
        async with self._storage.transaction() as uow:
            await uow.notices.record_once(event)

    async def _thin(self, desk: Desk) -> list[str]:
        uow, organization_id = desk.uow, desk.organization_id
        answerable = await uow.connections.answerable(organization_id)
        if not answerable:
            return []
        administrators = await desk.administrators()
        subscriptions = await uow.subscriptions.all(organization_id)
        found = await desk.people(
            [
                *(who for one in answerable for who in (one.connector_id, one.owner_id)),
                *(one.person_id for one in subscriptions),
            ]
        )
        people = {**found, **{person.id: person for person in administrators}}
        there = [person for person in people.values() if person.left_at is None]
        return thin_networks(
            answerable,
            administrators=administrators,
            subscriptions=subscriptions,
            subscribers=there,
            reachable=await desk.outbox.reachable(uow, organization_id, there),
        )


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
