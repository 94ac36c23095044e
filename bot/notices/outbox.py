"""Puts notices on their way: to a reader's first address, then the next, and at last to administrators."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from bot.notices.addresses import Platforms, addresses, bears_passes
from bot.notices.data import GONE, LOST, PLATFORM, REASON, STATE, TENANT, WELCOME, WHAT, WHOM, ids_text
from commands.access import is_gone, may_see, takes_immediate_notices
from commands.ids import DeliveryId, LapseId, NoticeId, OrganizationId, PersonId, new_id
from commands.model import ConnectionView, Identity, Person, Workspace
from commands.once_a_day import event_id
from commands.ports.chat import Address
from commands.ports.clock import Clock
from commands.ports.events import Event, EventKind
from commands.ports.notices import NO_ADDRESS, Delivery, DeliveryState, Notice, NoticeKind, Part, Priority
from commands.ports.storage import UnitOfWork

log = structlog.get_logger(__name__)

_CAN_WAIT = frozenset(
    {NoticeKind.REMINDER, NoticeKind.DIGEST, NoticeKind.NOTE, NoticeKind.EXPIRING, NoticeKind.OUTAGE_OVER}
)
"""Kinds that give way to first notices and edits."""
_MISSED = frozenset(
    {
        NoticeKind.LAPSED,
        NoticeKind.REMINDER,
        NoticeKind.DIGEST,
        NoticeKind.EXPIRING,
        NoticeKind.NUDGED,
        NoticeKind.ASSIGNED,
        NoticeKind.TRANSFERRED,
        NoticeKind.PERSONAL_LINK,
        NoticeKind.SUCCESSION,
    }
)
"""Kinds of which administrators hear when nobody got them (N-19). A drill has its own report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """A notice, and the person who reads it (for a channel: who set it up)."""

    notice: Notice
    reader: Person
    under: Delivery | None = None
    """The posted message in whose thread it is told (N-10); it goes where that went."""
    unheard_is_known: bool = False
    """Nobody need be told if the reader cannot be reached: stand-ins are, at the same moment."""


class Outbox:
    """Writes notices and deliveries; sends nothing itself."""

    def __init__(self, *, platforms: Platforms, clock: Clock) -> None:
        self._platforms = platforms
        self._clock = clock

    def is_edited(self, delivery: Delivery) -> bool:
        """Whether a message that was posted, or is on its way, can still be changed."""
        platform = self._platforms.get(delivery.address.platform)
        over = delivery.state in (DeliveryState.FAILED, DeliveryState.SUPPRESSED)
        return platform is not None and not over and (platform.edits or delivery.ref is None)

    async def put(self, uow: UnitOfWork, organization_id: OrganizationId, postings: Sequence[Posting]) -> None:
        """Plan each notice for its reader's first address; those that wait for a digest for none. Administrators hear
        of readers who have no address (N-19).
        """
        if not postings:
            return
        known = await _known(uow, organization_id, [posting.reader for posting in postings])
        # Ids of one millisecond are in no order, and a reader's messages go out in that of their ids.
        ids = sorted(DeliveryId(new_id(self._clock.now())) for _ in postings)
        deliveries, unreachable, kept = [], [], []
        for delivery_id, posting in zip(ids, postings, strict=True):
            ways = self._ways(posting, known) if posting.notice.digest_at is None else []
            if not ways and WELCOME in posting.notice.data:
                continue  # an import may bring hundreds without an address: nobody waits for these
            kept.append(posting.notice)
            if posting.notice.digest_at is not None:
                continue
            if ways:
                deliveries.append(self._delivery(delivery_id, posting, ways[0]))
            elif not posting.unheard_is_known:
                unreachable.append(posting)
        await uow.notices.plan(kept, deliveries)
        missed = [one for posting in unreachable for one in await self._missed(uow, posting, NO_ADDRESS)]
        await self.put(uow, organization_id, missed)

    async def gone(
        self, uow: UnitOfWork, organization_id: OrganizationId, people: Sequence[Person]
    ) -> frozenset[PersonId]:
        """Those who left, or whose every chat account is deactivated (N-12)."""
        known = await uow.people.identities(organization_id, sorted({person.id for person in people}))
        return frozenset(
            person.id for person in people if person.left_at is not None or is_gone(known.get(person.id, ()))
        )

    async def reachable(
        self, uow: UnitOfWork, organization_id: OrganizationId, people: Sequence[Person]
    ) -> frozenset[PersonId]:
        """Those who have not left, and have an address that is not gone."""
        known = await _known(uow, organization_id, people)
        return frozenset(
            person.id for person in people if person.left_at is None and self._addresses(person, None, known)
        )

    async def pass_on(self, uow: UnitOfWork, failed: Delivery, reason: str) -> None:
        """After a first post failed for good: take the reader's next address, or else tell administrators. Asking twice
        changes nothing.
        """
        organization_id = failed.organization_id
        notice = (await uow.notices.get_many(organization_id, [failed.notice_id])).get(failed.notice_id)
        if notice is None or failed.under is not None:
            return
        tried = await uow.notices.deliveries(organization_id, notice.id)
        if any(other.id != failed.id and other.state is not DeliveryState.FAILED for other in tried):
            return
        posting = Posting(notice=notice, reader=await uow.people.get(organization_id, notice.person_id))
        known = await _known(uow, organization_id, [posting.reader])
        used = {other.address for other in tried}
        ways = [way for way in self._ways(posting, known) if way not in used]
        if ways and posting.reader.left_at is None:
            await uow.notices.plan([], [self._delivery(DeliveryId(new_id(self._clock.now())), posting, ways[0])])
        else:
            await self.put(uow, organization_id, await self._missed(uow, posting, reason))

    async def _missed(self, uow: UnitOfWork, missed: Posting, reason: str) -> list[Posting]:
        """Tell administrators that nobody heard; and where it was the connector, tell those who can take over."""
        notice = missed.notice
        log.warning("reader not reached", notice=str(notice.id), kind=notice.kind.value, reason=reason)
        if notice.kind not in _MISSED or not await self._is_news(uow, notice):
            return []
        organization_id = notice.organization_id
        whom = {WHOM: ids_text([notice.person_id])} if notice.channel is None else {}
        what = {} if notice.lapse_ids else {WHAT: notice.kind.value}
        takes_over = notice.part is Part.CONNECTOR and notice.kind is NoticeKind.LAPSED
        administrators = [
            administrator
            for administrator in await uow.people.administrators(organization_id)
            if (takes_over or takes_immediate_notices(administrator))
            and (notice.channel or administrator.id != notice.person_id)
        ]
        postings = [
            self._posting(
                administrator, NoticeKind.UNDELIVERED, Part.ADMINISTRATOR, notice, {**whom, **what, REASON: reason}
            )
            for administrator in administrators
        ]
        if takes_over:
            told = {notice.person_id, *(administrator.id for administrator in administrators)}
            postings += await self._stand_ins(uow, notice, told)
        return postings

    async def _is_news(self, uow: UnitOfWork, notice: Notice) -> bool:
        """False for a channel that was not reached today already: it is tried again with every lapse, and told of
        once.
        """
        channel, now = notice.channel, self._clock.now()
        if channel is None:
            return True
        words = ("channel lost", channel.platform, channel.tenant, channel.external_id)
        return await uow.notices.record_once(
            Event(
                id=event_id(notice.organization_id, now.date(), *words),
                organization_id=notice.organization_id,
                kind=EventKind.CHANNEL_LOST,
                at=now,
                person_id=notice.person_id,
                data={"platform": channel.platform, "tenant": channel.tenant, "channel": channel.external_id},
            )
        )

    async def _stand_ins(self, uow: UnitOfWork, notice: Notice, told: set[PersonId]) -> list[Posting]:
        """Tell those who are known to hold a role under the same parent what they may see of it (N-12)."""
        organization_id = notice.organization_id
        views = await uow.lapses.views(organization_id, notice.lapse_ids)
        still = [view for view in views if view.open_lapse is not None]
        others = await holders(uow, organization_id, still)
        own: dict[PersonId, tuple[Person, list[LapseId]]] = {}
        for view in still:
            parent = view.connection.parent
            for person in others.get((view.connection.network, parent.id), ()) if parent is not None else ():
                if view.lapse is not None and person.id not in told and may_see(person, view.connection):
                    own.setdefault(person.id, (person, []))[1].append(view.lapse.id)
        gone = {GONE: ids_text([notice.person_id])}
        return [
            self._posting(person, NoticeKind.LAPSED, Part.STAND_IN, notice, gone, lapse_ids=tuple(lapses))
            for person, lapses in own.values()
        ]

    def _posting(
        self,
        reader: Person,
        kind: NoticeKind,
        part: Part,
        about: Notice,
        data: Mapping[str, str],
        *,
        lapse_ids: tuple[LapseId, ...] | None = None,
    ) -> Posting:
        now = self._clock.now()
        notice = Notice(
            id=NoticeId(new_id(now)),
            organization_id=about.organization_id,
            kind=kind,
            part=part,
            person_id=reader.id,
            channel=None,
            lapse_ids=about.lapse_ids if lapse_ids is None else lapse_ids,
            created_at=now,
            data=data,
        )
        return Posting(notice=notice, reader=reader)

    def _ways(self, posting: Posting, known: "_Known") -> list[Address]:
        if posting.under is not None:
            return [posting.under.address]
        notice = posting.notice
        ways = self._addresses(posting.reader, posting, known)
        if notice.kind is NoticeKind.INSTALLATION_LOST and notice.data.get(STATE) == LOST:
            lost = (notice.data.get(PLATFORM), notice.data.get(TENANT))
            return [way for way in ways if (way.platform, way.tenant) != lost]
        if notice.kind is NoticeKind.PERSONAL_LINK:
            gone = is_gone(known.identities.get(posting.reader.id, ()))
            return [way for way in ways if bears_passes(way) and not gone]
        return ways

    def _addresses(self, reader: Person, posting: Posting | None, known: "_Known") -> list[Address]:
        return addresses(
            reader,
            posting.notice.channel if posting is not None else None,
            identities=known.identities.get(reader.id, ()),
            workspaces=known.workspaces,
            platforms=self._platforms,
        )

    def _delivery(self, delivery_id: DeliveryId, posting: Posting, address: Address) -> Delivery:
        now = self._clock.now()
        notice, under = posting.notice, posting.under
        return Delivery(
            id=delivery_id,
            organization_id=notice.organization_id,
            notice_id=notice.id,
            address=address,
            lane=under.lane if under is not None else self._platforms[address.platform].lane(address),
            priority=Priority.REMINDER if notice.kind in _CAN_WAIT else Priority.FIRST,
            state=DeliveryState.DUE,
            wanted=1,
            shown=0,
            ref=None,
            attempts=0,
            next_at=now,
            created_at=now,
            under=under.ref if under is not None else None,
        )


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of how to reach people."""

    identities: Mapping[PersonId, tuple[Identity, ...]]
    workspaces: Sequence[Workspace]


async def holders(
    uow: UnitOfWork, organization_id: OrganizationId, views: Iterable[ConnectionView]
) -> dict[tuple[str, str], list[Person]]:
    """Who is known to hold a role under the parents of these connections, by network and parent (N-12): a statement for
    each network, and one for the people.
    """
    parents: dict[str, set[str]] = {}
    for view in views:
        if view.connection.parent is not None:
            parents.setdefault(view.connection.network, set()).add(view.connection.parent.id)
    found = {
        (network, parent): ids
        for network, own in sorted(parents.items())
        for parent, ids in (await uow.connections.others_under(organization_id, network, sorted(own))).items()
    }
    wanted = sorted({person_id for ids in found.values() for person_id in ids})
    people = await uow.people.many(organization_id, wanted) if wanted else {}
    return {key: [people[one] for one in ids if one in people] for key, ids in found.items()}


async def _known(uow: UnitOfWork, organization_id: OrganizationId, people: Sequence[Person]) -> _Known:
    return _Known(
        await uow.people.identities(organization_id, sorted({person.id for person in people})),
        await uow.organizations.workspaces(organization_id),
    )
