"""Passes: bearer links, of which only the hash of the secret is stored."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, bindparam, exists, func, or_, select, update
from sqlalchemy.sql import ColumnElement

from commands.ids import NoticeId, OrganizationId, PassId, PersonId
from commands.ports.notices import DeliveryState
from commands.ports.reconnecting import FollowedLink, Pass, PassPurpose, Round, Sending
from storage.engine import UtcDateTime, insert
from storage.rows import columns
from storage.tables import attempts, deliveries, passes, people
from storage.work import Work, in_order

PASS = (
    "id", "organization_id", "person_id", "purpose", "made_by", "created_at", "expires_at", "data", "opened_at",
    "used_at", "withdrawn_at", "notice_id", "followed_at",
)  # fmt: skip

_OF = (
    select(*columns(passes, PASS))
    .where(
        passes.c.organization_id == bindparam("organization"),
        passes.c.person_id == bindparam("person"),
        passes.c.purpose == bindparam("purpose"),
        passes.c.expires_at > bindparam("now", type_=UtcDateTime()),
    )
    .order_by(passes.c.created_at.desc(), passes.c.id.desc())
)


_later = passes.alias("later")
_person = people.alias("person")
_maker = people.alias("maker")
_FOLLOWED_SINCE = (
    passes.c.organization_id == bindparam("organization"),
    passes.c.followed_at >= bindparam("since", type_=UtcDateTime()),
    or_(
        passes.c.notice_id.is_(None),
        passes.c.opened_at.is_not(None),
        ~exists().where(_later.c.notice_id == passes.c.notice_id, _later.c.id > passes.c.id),
    ),
)
_FOLLOWED_NUMBER = select(func.count()).select_from(passes).where(*_FOLLOWED_SINCE)
_FOLLOWED = (
    select(*columns(passes, PASS), _person.c.name, _maker.c.name)
    .select_from(
        passes.join(_person, _person.c.id == passes.c.person_id).outerjoin(_maker, _maker.c.id == passes.c.made_by)
    )
    .where(*_FOLLOWED_SINCE)
    .order_by(passes.c.followed_at.desc(), passes.c.id.desc())
    .limit(bindparam("limit", type_=Integer()))
    .offset(bindparam("offset", type_=Integer()))
)
_ROUND = ("session_id", "network", "opened_at", "expires_at", "closed_at", "outcome")
_BEST_LAST = (Sending.FAILED, Sending.ON_ITS_WAY, Sending.SENT)

MOST_ROUNDS = 3
"""Round trips of one link that are read: more than anybody reads in one row."""


class SqlPasses:
    """Implements `Passes`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def add(self, one: Pass, *, secret_hash: bytes) -> None:
        await self._work.run(
            insert(passes),
            {
                "id": one.id,
                "organization_id": one.organization_id,
                "person_id": one.person_id,
                "purpose": one.purpose.value,
                "made_by": one.made_by,
                "created_at": one.created_at,
                "expires_at": one.expires_at,
                "data": dict(one.data),
                "opened_at": one.opened_at,
                "used_at": one.used_at,
                "withdrawn_at": one.withdrawn_at,
                "notice_id": one.notice_id,
                "followed_at": one.followed_at,
                "secret_hash": secret_hash,
            },
        )

    async def of(self, organization_id: OrganizationId, person_id: PersonId, purpose: PassPurpose) -> Sequence[Pass]:
        values = {
            "organization": organization_id,
            "person": person_id,
            "purpose": purpose.value,
            "now": self._work.clock.now(),
        }
        return [pass_of(row) for row in await self._work.rows(_OF, values)]

    async def followed(
        self, organization_id: OrganizationId, *, since: datetime, offset: int, limit: int
    ) -> Sequence[FollowedLink]:
        values = {"organization": organization_id, "since": since, "offset": offset, "limit": limit}
        rows = await self._work.rows(_FOLLOWED, values)
        found = [(pass_of(row[: len(PASS)]), *row[len(PASS) :]) for row in rows]
        sendings = await self._sendings(organization_id, [one.notice_id for one, *_ in found if one.notice_id])
        rounds = await self._rounds(organization_id, [one.id for one, *_ in found])
        return [
            FollowedLink(
                one=one,
                person_name=person,
                maker_name=maker,
                sending=sendings.get(one.notice_id, Sending.ON_ITS_WAY) if one.notice_id else Sending.COPIED,
                rounds=rounds.get(one.id, ()),
            )
            for one, person, maker in found
        ]

    async def number_followed(self, organization_id: OrganizationId, *, since: datetime) -> int:
        row = await self._work.row(_FOLLOWED_NUMBER, {"organization": organization_id, "since": since})
        return int(row[0]) if row is not None else 0

    async def _sendings(
        self, organization_id: OrganizationId, notice_ids: Sequence[NoticeId]
    ) -> Mapping[NoticeId, Sending]:
        """How the messages fared: one that arrived anywhere arrived; one that nothing is left to try of failed."""
        if not notice_ids:
            return {}
        rows = await self._work.rows(
            select(deliveries.c.notice_id, deliveries.c.state).where(
                deliveries.c.organization_id == organization_id, deliveries.c.notice_id.in_(notice_ids)
            )
        )
        found: dict[NoticeId, Sending] = {}
        for notice_id, state in sorted(rows, key=lambda row: _BEST_LAST.index(_sending(row[1]))):
            found[NoticeId(notice_id)] = _sending(state)
        return found

    async def _rounds(
        self, organization_id: OrganizationId, pass_ids: Sequence[PassId]
    ) -> Mapping[PassId, Sequence[Round]]:
        """A pass's session bears its id, and so its attempts name it."""
        if not pass_ids:
            return {}
        place = (
            func.row_number().over(partition_by=attempts.c.session_id, order_by=attempts.c.opened_at.desc()).label("at")
        )
        of_these = (
            select(*(attempts.c[name] for name in _ROUND), place)
            .where(attempts.c.organization_id == organization_id, attempts.c.session_id.in_(pass_ids))
            .subquery()
        )
        rows = await self._work.rows(
            select(*(of_these.c[name] for name in _ROUND))
            .where(of_these.c.at <= MOST_ROUNDS)
            .order_by(of_these.c.opened_at)
        )
        found: dict[PassId, list[Round]] = {}
        for session_id, network, opened_at, expires_at, closed_at, outcome in rows:
            one = Round(
                network=network, opened_at=opened_at, expires_at=expires_at, closed_at=closed_at, outcome=outcome
            )
            found.setdefault(PassId(session_id), []).append(one)
        return found

    async def get(self, organization_id: OrganizationId, pass_id: PassId) -> Pass | None:
        row = await self._work.row(
            select(*columns(passes, PASS)).where(passes.c.organization_id == organization_id, passes.c.id == pass_id)
        )
        return pass_of(row) if row is not None else None

    async def withdraw_one(self, organization_id: OrganizationId, pass_id: PassId, at: datetime) -> bool:
        this = select(passes.c.notice_id).where(
            passes.c.organization_id == organization_id, passes.c.id == pass_id, passes.c.notice_id.is_not(None)
        )
        withdrawn = await self._work.rows(
            update(passes)
            .where(
                in_order(
                    passes,
                    passes.c.organization_id == organization_id,
                    or_(passes.c.id == pass_id, passes.c.notice_id.in_(this)),
                    *_good(at),
                )
            )
            .values(withdrawn_at=at)
            .returning(passes.c.id)
        )
        return bool(withdrawn)

    async def opened(self, organization_id: OrganizationId, pass_id: PassId, at: datetime) -> None:
        await self._change(organization_id, pass_id, passes.c.opened_at.is_(None), changes={"opened_at": at})

    async def bind(self, organization_id: OrganizationId, pass_id: PassId, *, browser_hash: bytes) -> bool:
        free_or_this = or_(passes.c.browser_hash.is_(None), passes.c.browser_hash == browser_hash)
        return await self._change(organization_id, pass_id, free_or_this, changes={"browser_hash": browser_hash})

    async def use(self, organization_id: OrganizationId, pass_id: PassId, at: datetime) -> bool:
        return await self._change(organization_id, pass_id, *_good(at), changes={"used_at": at})

    async def withdraw(
        self, organization_id: OrganizationId, person_id: PersonId, purpose: PassPurpose | None, at: datetime
    ) -> int:
        for_this: list[ColumnElement[bool]] = [] if purpose is None else [passes.c.purpose == purpose.value]
        withdrawn = await self._work.rows(
            update(passes)
            .where(
                in_order(
                    passes,
                    passes.c.organization_id == organization_id,
                    passes.c.person_id == person_id,
                    *for_this,
                    *_good(at),
                )
            )
            .values(withdrawn_at=at)
            .returning(passes.c.id)
        )
        return len(withdrawn)

    async def withdraw_handed_out(
        self,
        organization_id: OrganizationId,
        *,
        made_by: PersonId | None = None,
        person_id: PersonId | None = None,
    ) -> int:
        at = self._work.clock.now()
        of_these = passes.c.made_by.is_not(None) if made_by is None else passes.c.made_by == made_by
        for_these = [] if person_id is None else [passes.c.person_id == person_id]
        withdrawn = await self._work.rows(
            update(passes)
            .where(in_order(passes, passes.c.organization_id == organization_id, of_these, *for_these, *_good(at)))
            .values(withdrawn_at=at)
            .returning(passes.c.id)
        )
        return len(withdrawn)

    async def _change(
        self,
        organization_id: OrganizationId,
        pass_id: PassId,
        *conditions: ColumnElement[bool],
        changes: dict[str, Any],
    ) -> bool:
        changed = await self._work.row(
            update(passes)
            .where(passes.c.organization_id == organization_id, passes.c.id == pass_id, *conditions)
            .values(changes)
            .returning(passes.c.id)
        )
        return changed is not None


def _good(at: datetime) -> list[ColumnElement[bool]]:
    """That a pass still does what it is for."""
    return [passes.c.used_at.is_(None), passes.c.withdrawn_at.is_(None), passes.c.expires_at > at]


def _sending(state: str) -> Sending:
    match DeliveryState(state):
        case DeliveryState.DELIVERED:
            return Sending.SENT
        case DeliveryState.FAILED | DeliveryState.SUPPRESSED:
            return Sending.FAILED
        case _:
            return Sending.ON_ITS_WAY


def pass_of(values: Sequence[Any]) -> Pass:
    (
        row_id, organization_id, person_id, purpose, made_by, created_at, expires_at, data, opened_at,
        used_at, withdrawn_at, notice_id, followed_at,
    ) = values  # fmt: skip
    return Pass(
        id=PassId(row_id),
        organization_id=OrganizationId(organization_id),
        person_id=PersonId(person_id),
        purpose=PassPurpose(purpose),
        made_by=made_by,
        created_at=created_at,
        expires_at=expires_at,
        data=data,
        opened_at=opened_at,
        used_at=used_at,
        withdrawn_at=withdrawn_at,
        notice_id=notice_id,
        followed_at=followed_at,
    )
