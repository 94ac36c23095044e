"""Composes the messages of deliveries that are about to be sent, from facts read at that moment.

What a reader may see, and whether they still want to hear, is asked here again: a delivery may be suppressed instead.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.notices.asides import link_refused
from bot.notices.audience import covers, takes_immediate_notices
from bot.notices.data import BESIDE, BY, CONNECTION, WHOM, ids_in
from bot.notices.letter import PERSONAL, Entry, Letter
from bot.notices.phrases import ROWS
from bot.notices.wording import write
from commands.access import may_see
from commands.ids import ConnectionId, DeliveryId, LapseId, LinkId, NoticeId, OrganizationId, PersonId, new_id
from commands.messages import Handle, Message
from commands.model import Channel, ConnectionView, Person, Subscription
from commands.ports.chat import AddressKind
from commands.ports.clock import Clock
from commands.ports.network import Networks
from commands.ports.notices import Delivery, DeliveryState, Notice, NoticeKind, Part
from commands.ports.reconnecting import Link
from commands.ports.storage import UnitOfWork


@dataclass(frozen=True, slots=True)
class Suppress:
    """Nothing is to be sent, and why."""

    reason: str


Composed = Message | Suppress


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """What one organization's batch is composed from."""

    notices: Mapping[NoticeId, Notice]
    lapsed: Mapping[LapseId, ConnectionView]
    connections: Mapping[ConnectionId, ConnectionView]
    people: Mapping[PersonId, Person]
    handles: Mapping[PersonId, tuple[Handle, ...]]
    told: Mapping[PersonId, datetime]
    subscriptions: Mapping[tuple[PersonId, Channel | None], Sequence[Subscription]]


class Composer:
    """Writes messages for deliveries, in a number of statements that does not grow with the batch."""

    def __init__(self, *, networks: Networks, clock: Clock, public_url: str) -> None:
        """`public_url`: the address of our pages, without a slash at the end."""
        self._networks = networks
        self._clock = clock
        self._public_url = public_url

    async def compose(self, uow: UnitOfWork, deliveries: Sequence[Delivery]) -> dict[DeliveryId, Composed]:
        """Give each delivery's message, or why nothing is to be sent. Writes links that are not there yet."""
        by_organization: dict[OrganizationId, list[Delivery]] = {}
        for delivery in deliveries:
            by_organization.setdefault(delivery.organization_id, []).append(delivery)
        composed: dict[DeliveryId, Composed] = {}
        for organization_id, own in by_organization.items():
            facts = await _read(uow, organization_id, own)
            drafts = {delivery.id: self._draft(delivery, facts) for delivery in own}
            letters = {key: draft for key, draft in drafts.items() if isinstance(draft, Letter)}
            letters = await self._with_links(uow, organization_id, own, letters)
            for key, draft in drafts.items():
                composed[key] = draft if isinstance(draft, Message | Suppress) else write(letters[key])
        return composed

    def _draft(self, delivery: Delivery, facts: _Facts) -> Letter | Composed:
        notice = facts.notices.get(delivery.notice_id)
        reader = facts.people.get(notice.person_id) if notice is not None else None
        if notice is None or reader is None:
            return Suppress("the notice is not there any more")
        if reader.left_at is not None:
            return Suppress("the reader has left")
        if notice.kind is NoticeKind.LINK_REFUSED:
            return self._refused_link(notice, reader, facts)
        entries = tuple(self._entries(notice.lapse_ids, reader, facts))
        if not entries:
            return Suppress("the reader may not see it any more")
        if delivery.ref is None:
            unwanted = _unwanted(delivery, notice, reader, entries, facts)
            if unwanted is not None:
                return unwanted
        return Letter(
            notice=notice,
            reader=reader,
            entries=entries,
            beside=tuple(self._entries([LapseId(id) for id in ids_in(notice, BESIDE)], reader, facts)),
            told=facts.told,
            people=facts.people,
            handles=facts.handles,
            now=self._clock.now(),
        )

    def _entries(self, lapse_ids: Iterable[LapseId], reader: Person, facts: _Facts) -> Iterable[Entry]:
        """What the reader may see of these lapses, on networks that we still have."""
        for lapse_id in lapse_ids:
            view = facts.lapsed.get(lapse_id)
            if view is None or view.lapse is None or not may_see(reader, view.connection):
                continue
            network = self._networks.get(view.connection.network)
            if network is not None:
                yield Entry(view=view, lapse=view.lapse, spec=network.spec)

    def _refused_link(self, notice: Notice, reader: Person, facts: _Facts) -> Composed:
        for connection_id in ids_in(notice, CONNECTION):
            view = facts.connections.get(ConnectionId(connection_id))
            network = self._networks.get(view.connection.network) if view is not None else None
            if view is not None and network is not None and may_see(reader, view.connection):
                return link_refused(network.spec, view, at=notice.created_at, by=notice.data.get(BY, ""))
        return Suppress("the reader may not see it any more")

    async def _with_links(
        self,
        uow: UnitOfWork,
        organization_id: OrganizationId,
        deliveries: Sequence[Delivery],
        letters: Mapping[DeliveryId, Letter],
    ) -> dict[DeliveryId, Letter]:
        """Give personal letters, and no others, the addresses of the reader's Reconnect pages (N-9)."""
        now = self._clock.now()
        wanted: dict[DeliveryId, list[ConnectionId]] = {}
        for delivery in deliveries:
            letter = letters.get(delivery.id)
            if letter is None or letter.part not in PERSONAL or delivery.address.kind is AddressKind.CHANNEL:
                continue
            offered = letter.reconnectable()
            linked = offered[:1] if letter.logins == 1 else offered[:ROWS]
            wanted[delivery.id] = [entry.view.connection.id for entry in linked]
        pairs = {(letters[key].reader.id, connection_id) for key, own in wanted.items() for connection_id in own}
        if not pairs:
            return dict(letters)
        links = tuple(
            Link(
                id=LinkId(new_id(now)),
                organization_id=organization_id,
                person_id=person_id,
                connection_id=connection_id,
                created_at=now,
            )
            for person_id, connection_id in sorted(pairs)
        )
        locators = await uow.links.ensure_many(links)
        linked_letters = dict(letters)
        for key, own in wanted.items():
            reader_id = letters[key].reader.id
            urls = {id: f"{self._public_url}/r/{locators[reader_id, id]}" for id in own}
            linked_letters[key] = replace(letters[key], links=urls)
        return linked_letters


def _unwanted(
    delivery: Delivery, notice: Notice, reader: Person, entries: Sequence[Entry], facts: _Facts
) -> Suppress | None:
    """Why a message that was not posted yet shall not be. If a reply was lost it may be there, and must turn green."""
    if delivery.state is not DeliveryState.UNKNOWN and not any(entry.is_open for entry in entries):
        return Suppress("it ended before it was told")
    if notice.part in (Part.SUBSCRIBER, Part.CHANNEL):
        own = facts.subscriptions.get((notice.person_id, notice.channel), ())
        if not any(covers(subscription, entry.view.connection) for subscription in own for entry in entries):
            return Suppress("the reader opted out")
    if notice.part is Part.ADMINISTRATOR and not takes_immediate_notices(reader):
        return Suppress("the reader takes no copies any more")
    return None


async def _read(uow: UnitOfWork, organization_id: OrganizationId, deliveries: Sequence[Delivery]) -> _Facts:
    notices = await uow.notices.get_many(organization_id, list({delivery.notice_id for delivery in deliveries}))
    told_of = {lapse_id for notice in notices.values() for lapse_id in notice.lapse_ids}
    shown = told_of | {LapseId(id) for notice in notices.values() for id in ids_in(notice, BESIDE)}
    views = await uow.lapses.views(organization_id, sorted(shown)) if shown else ()
    refused = sorted({ConnectionId(id) for notice in notices.values() for id in ids_in(notice, CONNECTION)})
    connections = await uow.connections.views(organization_id, refused) if refused else ()
    readers = {notice.person_id for notice in notices.values()}
    readers |= {PersonId(id) for notice in notices.values() for id in ids_in(notice, WHOM)}
    mentioned = {person_id for view in views for person_id in _people_of(view)}
    unshown = [notices[each.notice_id] for each in deliveries if each.ref is None and each.notice_id in notices]
    opted_in = {(each.person_id, each.channel) for each in unshown if each.part in (Part.SUBSCRIBER, Part.CHANNEL)}
    return _Facts(
        notices=notices,
        lapsed={view.lapse.id: view for view in views if view.lapse is not None},
        connections={view.connection.id: view for view in connections},
        people=await uow.people.many(organization_id, sorted(readers)),
        handles=await _handles(uow, organization_id, mentioned | readers),
        told=await uow.notices.delivered_to(organization_id, sorted(told_of)) if told_of else {},
        subscriptions=_by_reader(await uow.subscriptions.of_readers(organization_id, tuple(opted_in))),
    )


def _by_reader(
    subscriptions: Sequence[Subscription],
) -> Mapping[tuple[PersonId, Channel | None], Sequence[Subscription]]:
    readers: dict[tuple[PersonId, Channel | None], list[Subscription]] = {}
    for subscription in subscriptions:
        readers.setdefault((subscription.person_id, subscription.channel), []).append(subscription)
    return readers


def _people_of(view: ConnectionView) -> Iterable[PersonId]:
    """Those whom a notice about this connection may name."""
    if view.connector is not None:
        yield view.connector.id
    if view.lapse is not None and view.lapse.ended_by is not None:
        yield view.lapse.ended_by
    if view.lapse is not None and view.lapse.claim is not None:
        yield view.lapse.claim.person_id


async def _handles(
    uow: UnitOfWork, organization_id: OrganizationId, person_ids: Iterable[PersonId]
) -> dict[PersonId, tuple[Handle, ...]]:
    known = await uow.people.identities(organization_id, sorted(person_ids))
    return {
        person_id: tuple(Handle(identity.platform, identity.tenant, identity.user) for identity in identities)
        for person_id, identities in known.items()
    }
