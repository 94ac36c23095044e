"""Reads what one organization's batch of messages is composed from: a number of statements that does not grow with the
batch, except for logins that end, people who are gone and outages, of which a batch has few.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.notices.data import BESIDE, CONNECTION, OUTAGE, UNREACHED, WHOM, ids_in
from bot.notices.moved import connected_through
from commands.ids import AuthorizationId, ClientId, ConnectionId, LapseId, NoticeId, OrganizationId, OutageId, PersonId
from commands.messages import Handle
from commands.model import Authorization, Channel, ConnectionView, LapseNote, Mute, Person, Subscription, Verdict
from commands.ports.connections import Answerable, Hanging
from commands.ports.notices import Delivery, Notice, NoticeKind, Part
from commands.ports.outages import Outage, Share
from commands.ports.storage import UnitOfWork

_OPTED_IN = (Part.SUBSCRIBER, Part.CHANNEL)
_SPEAKS_OF_CLIENTS = frozenset(
    {NoticeKind.SUCCESSION, NoticeKind.DRILL, NoticeKind.DRILL_ESCALATED, NoticeKind.DRILL_REPORT}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What one organization's batch is composed from."""

    notices: Mapping[NoticeId, Notice]
    lapsed: Mapping[LapseId, ConnectionView]
    connections: Mapping[ConnectionId, ConnectionView]
    logins: Mapping[AuthorizationId, tuple[Authorization, Sequence[ConnectionView]]]
    hanging: Mapping[PersonId, Sequence[Hanging]]
    owned: Mapping[PersonId, Sequence[Answerable]]
    """By somebody who is gone: what they own."""
    administrators: Sequence[Person]
    """Where somebody is to be succeeded: the primary one first."""
    people: Mapping[PersonId, Person]
    handles: Mapping[PersonId, tuple[Handle, ...]]
    told: Mapping[PersonId, datetime]
    subscriptions: Mapping[tuple[PersonId, Channel | None], Sequence[Subscription]]
    through: Mapping[tuple[str, str], tuple[Person, ...]]
    """Who is connected through the businesses that accounts moved to, by network and business (X-2)."""
    mutes: Mapping[tuple[LapseId, PersonId], Mute]
    clients: Mapping[ClientId, str]
    outages: Mapping[OutageId, tuple[Outage, Sequence[Share]]]
    """Networks' own outages that notices are about, with what each does to the organization's connections."""
    standing: Sequence[Outage]
    """Outages that stand, where something lapsed without a known reason."""
    bounds: Mapping[tuple[str, str], frozenset[ClientId] | None]
    """Of workspaces, by platform and tenant: the clients that are spoken of there."""


async def read_facts(uow: UnitOfWork, organization_id: OrganizationId, deliveries: Sequence[Delivery]) -> Facts:
    """Read them. What no notice of the batch needs is not asked for."""
    notices = await uow.notices.get_many(organization_id, list({delivery.notice_id for delivery in deliveries}))
    every = list(notices.values())
    lapse_ids = {lapse_id for notice in every for lapse_id in notice.lapse_ids}
    shown = lapse_ids | {LapseId(id) for notice in every for id in ids_in(notice, BESIDE)}
    private = sorted({id for notice in every if notice.channel is None for id in notice.lapse_ids})
    connection_ids = sorted({ConnectionId(id) for notice in every for id in ids_in(notice, CONNECTION)})
    views = await uow.lapses.views(organization_id, sorted(shown)) if shown else ()
    notes = await uow.lapses.notes(organization_id, private) if private else ()
    connections = await uow.connections.views(organization_id, connection_ids) if connection_ids else ()
    people = await _people(uow, organization_id, every)
    logins = await _logins(uow, organization_id, every)
    lapsed = _with_notes(views, notes)
    around = [*lapsed.values(), *connections, *(view for _, under in logins.values() for view in under)]
    through = await connected_through(uow, organization_id, lapsed.values())
    mentioned = {person_id for view in around for person_id in _people_of(view)}
    mentioned |= {person.id for known in through.values() for person in known}
    mutes = await uow.lapses.mutes(organization_id, private) if private else ()
    has_clients = any(notice.kind in _SPEAKS_OF_CLIENTS for notice in every)
    clients = await uow.clients.all(organization_id) if has_clients else ()
    has_channels = any(notice.channel is not None for notice in every)
    workspaces = await uow.organizations.workspaces(organization_id) if has_channels else ()
    administrators = await uow.people.administrators(organization_id) if _gone(every) else ()
    return Facts(
        notices=notices,
        lapsed=lapsed,
        connections={view.connection.id: view for view in connections},
        logins=logins,
        hanging=await _hanging(uow, organization_id, every),
        owned=await _owned(uow, organization_id, every),
        administrators=administrators,
        people=people,
        handles=await _handles(
            uow, organization_id, mentioned | {*people, *(administrator.id for administrator in administrators)}
        ),
        told=await uow.notices.delivered_to(organization_id, sorted(lapse_ids)) if lapse_ids else {},
        subscriptions=await _subscriptions(uow, organization_id, notices, deliveries),
        through=through,
        mutes={(mute.lapse_id, mute.person_id): mute for mute in mutes},
        clients={client.id: client.name for client in clients},
        outages=await _outages(uow, organization_id, every),
        standing=await uow.outages.standing(organization_id) if _has_unclear(lapsed.values()) else (),
        bounds={(one.platform, one.external_id): one.client_ids for one in workspaces},
    )


def _with_notes(views: Sequence[ConnectionView], notes: Sequence[LapseNote]) -> Mapping[LapseId, ConnectionView]:
    written: dict[LapseId, tuple[LapseNote, ...]] = {}
    for note in notes:
        written[note.lapse_id] = (*written.get(note.lapse_id, ()), note)
    return {
        view.lapse.id: replace(view, notes=written.get(view.lapse.id, ())) for view in views if view.lapse is not None
    }


async def _people(
    uow: UnitOfWork, organization_id: OrganizationId, notices: Sequence[Notice]
) -> Mapping[PersonId, Person]:
    """Readers, those whom notices are about, and the deputies of those who are gone."""
    wanted = {notice.person_id for notice in notices}
    wanted |= {PersonId(id) for notice in notices for name in (WHOM, UNREACHED) for id in ids_in(notice, name)}
    found = dict(await uow.people.many(organization_id, sorted(wanted))) if wanted else {}
    gone = _gone(notices)
    deputies = {found[id].deputy_id for id in gone if id in found} - {None, *found}
    if deputies:
        found |= await uow.people.many(organization_id, sorted(id for id in deputies if id is not None))
    return found


def _gone(notices: Sequence[Notice]) -> list[PersonId]:
    return sorted(
        {PersonId(id) for notice in notices if notice.kind is NoticeKind.SUCCESSION for id in ids_in(notice, WHOM)}
    )


async def _hanging(
    uow: UnitOfWork, organization_id: OrganizationId, notices: Sequence[Notice]
) -> Mapping[PersonId, Sequence[Hanging]]:
    return {id: await uow.authorizations.hanging_on(organization_id, id) for id in _gone(notices)}


async def _owned(
    uow: UnitOfWork, organization_id: OrganizationId, notices: Sequence[Notice]
) -> Mapping[PersonId, Sequence[Answerable]]:
    owned: dict[PersonId, list[Answerable]] = {id: [] for id in _gone(notices)}
    for one in await uow.connections.answerable(organization_id) if owned else ():
        if one.owner_id is not None and one.owner_id in owned:
            owned[one.owner_id].append(one)
    return owned


async def _logins(
    uow: UnitOfWork, organization_id: OrganizationId, notices: Sequence[Notice]
) -> Mapping[AuthorizationId, tuple[Authorization, Sequence[ConnectionView]]]:
    """Authorizations that notices warn of, with all that hangs on each."""
    ids = {one for notice in notices for one in notice.authorization_ids}
    found = await uow.authorizations.many(organization_id, sorted(ids)) if ids else ()
    return {one.id: (one, await uow.connections.under(organization_id, one.id)) for one in found}


async def _outages(
    uow: UnitOfWork, organization_id: OrganizationId, notices: Sequence[Notice]
) -> Mapping[OutageId, tuple[Outage, Sequence[Share]]]:
    """A few statements for each outage, of which a batch has hardly more than one."""
    ids = sorted({OutageId(id) for notice in notices for id in ids_in(notice, OUTAGE)})
    found = await uow.outages.get_many(organization_id, ids) if ids else {}
    return {id: (outage, await uow.outages.shares(organization_id, id)) for id, outage in found.items()}


def _has_unclear(views: Iterable[ConnectionView]) -> bool:
    return any(view.open_lapse is not None and view.open_lapse.cause is Verdict.UNCLEAR for view in views)


async def _subscriptions(
    uow: UnitOfWork, organization_id: OrganizationId, notices: Mapping[NoticeId, Notice], deliveries: Sequence[Delivery]
) -> Mapping[tuple[PersonId, Channel | None], Sequence[Subscription]]:
    """The opt-ins of readers who were not sent their message yet."""
    unsent = [notices[one.notice_id] for one in deliveries if one.ref is None and one.notice_id in notices]
    opted_in = {(one.person_id, one.channel) for one in unsent if one.part in _OPTED_IN}
    readers: dict[tuple[PersonId, Channel | None], list[Subscription]] = {}
    for subscription in await uow.subscriptions.of_readers(organization_id, tuple(opted_in)):
        readers.setdefault((subscription.person_id, subscription.channel), []).append(subscription)
    return readers


def _people_of(view: ConnectionView) -> Iterable[PersonId]:
    """Those whom a notice about this connection may name."""
    for person in view.answering:
        yield person.id
    if view.lapse is not None and view.lapse.ended_by is not None:
        yield view.lapse.ended_by
    if view.lapse is not None and view.lapse.claim is not None:
        yield view.lapse.claim.person_id
    for note in view.notes:
        yield note.person_id


async def _handles(
    uow: UnitOfWork, organization_id: OrganizationId, person_ids: Iterable[PersonId]
) -> dict[PersonId, tuple[Handle, ...]]:
    known = await uow.people.identities(organization_id, sorted(person_ids))
    return {
        person_id: tuple(
            Handle(identity.platform, identity.tenant, identity.user)
            for identity in identities
            if identity.gone_at is None
        )
        for person_id, identities in known.items()
    }
