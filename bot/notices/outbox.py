"""Puts notices on their way: to a reader's first address, then the next, and at last to administrators."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from bot.notices.addresses import Platforms, addresses
from bot.notices.audience import takes_immediate_notices
from bot.notices.data import REASON, WHOM, ids_text
from commands.ids import DeliveryId, NoticeId, OrganizationId, PersonId, new_id
from commands.model import Identity, Person, Workspace
from commands.ports.chat import Address
from commands.ports.clock import Clock
from commands.ports.notices import Delivery, DeliveryState, Notice, NoticeKind, Part, Priority
from commands.ports.storage import UnitOfWork

log = structlog.get_logger(__name__)

NO_ADDRESS = "no chat account known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """A notice, and the person who reads it (for a channel: who set it up)."""

    notice: Notice
    reader: Person


class Outbox:
    """Writes notices and deliveries; sends nothing itself."""

    def __init__(self, *, platforms: Platforms, clock: Clock) -> None:
        self._platforms = platforms
        self._clock = clock

    async def put(self, uow: UnitOfWork, organization_id: OrganizationId, postings: Sequence[Posting]) -> None:
        """Plan each notice for its reader's first address. Administrators hear of readers who have none (N-19)."""
        if not postings:
            return
        known = await _known(uow, organization_id, [posting.reader for posting in postings])
        # Ids of one millisecond are in no order, and a reader's messages go out in that of their ids.
        ids = sorted(DeliveryId(new_id(self._clock.now())) for _ in postings)
        deliveries, unreachable = [], []
        for delivery_id, posting in zip(ids, postings, strict=True):
            ways = self._ways(posting, known)
            if ways:
                deliveries.append(self._delivery(delivery_id, posting.notice, ways[0]))
            else:
                unreachable.append(posting)
        await uow.notices.plan([posting.notice for posting in postings], deliveries)
        for posting in unreachable:
            await self._tell_administrators(uow, posting, NO_ADDRESS)

    async def pass_on(self, uow: UnitOfWork, failed: Delivery, reason: str) -> None:
        """After a first post failed for good: take the reader's next address, or else tell administrators. Asking twice
        changes nothing.
        """
        organization_id = failed.organization_id
        notice = (await uow.notices.get_many(organization_id, [failed.notice_id])).get(failed.notice_id)
        if notice is None:
            return
        tried = await uow.notices.deliveries(organization_id, notice.id)
        if any(other.id != failed.id and other.state is not DeliveryState.FAILED for other in tried):
            return
        posting = Posting(notice=notice, reader=await uow.people.get(organization_id, notice.person_id))
        known = await _known(uow, organization_id, [posting.reader])
        used = {other.address for other in tried}
        ways = [way for way in self._ways(posting, known) if way not in used]
        if ways and posting.reader.left_at is None:
            await uow.notices.plan([], [self._delivery(DeliveryId(new_id(self._clock.now())), notice, ways[0])])
        else:
            await self._tell_administrators(uow, posting, reason)

    async def _tell_administrators(self, uow: UnitOfWork, missed: Posting, reason: str) -> None:
        notice = missed.notice
        log.warning("reader not reached", notice=str(notice.id), kind=notice.kind.value, reason=reason)
        if notice.kind is not NoticeKind.LAPSED:
            return
        organization_id = notice.organization_id
        now = self._clock.now()
        whom = {WHOM: ids_text([notice.person_id])} if notice.channel is None else {}
        postings = [
            Posting(
                notice=Notice(
                    id=NoticeId(new_id(now)),
                    organization_id=organization_id,
                    kind=NoticeKind.UNDELIVERED,
                    part=Part.ADMINISTRATOR,
                    person_id=administrator.id,
                    channel=None,
                    lapse_ids=notice.lapse_ids,
                    created_at=now,
                    data={**whom, REASON: reason},
                ),
                reader=administrator,
            )
            for administrator in await uow.people.administrators(organization_id)
            if takes_immediate_notices(administrator) and (notice.channel or administrator.id != notice.person_id)
        ]
        await self.put(uow, organization_id, postings)

    def _ways(self, posting: Posting, known: "_Known") -> list[Address]:
        return addresses(
            posting.reader,
            posting.notice.channel,
            identities=known.identities.get(posting.reader.id, ()),
            workspaces=known.workspaces,
            platforms=self._platforms,
        )

    def _delivery(self, delivery_id: DeliveryId, notice: Notice, address: Address) -> Delivery:
        now = self._clock.now()
        return Delivery(
            id=delivery_id,
            organization_id=notice.organization_id,
            notice_id=notice.id,
            address=address,
            lane=self._platforms[address.platform].lane(address),
            priority=Priority.FIRST,
            state=DeliveryState.DUE,
            wanted=1,
            shown=0,
            ref=None,
            attempts=0,
            next_at=now,
            created_at=now,
        )


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of how to reach people."""

    identities: Mapping[PersonId, tuple[Identity, ...]]
    workspaces: Sequence[Workspace]


async def _known(uow: UnitOfWork, organization_id: OrganizationId, people: Sequence[Person]) -> _Known:
    return _Known(
        await uow.people.identities(organization_id, sorted({person.id for person in people})),
        await uow.organizations.workspaces(organization_id),
    )
