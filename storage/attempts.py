"""Attempts: OAuth round trips, and what they found."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, or_, select, update
from sqlalchemy.sql import ColumnElement

from commands.ids import AttemptId, AuthorizationId, LinkId, OrganizationId, PersonId, SessionId
from commands.ports.reconnecting import Attempt, OpenAttempt, Stand, UnderWay
from commands.ports.storage import NotThere, StorageError
from commands.secret import Secret
from storage.engine import insert
from storage.rows import columns
from storage.secrets import Cell, Keyring
from storage.tables import OPEN_ATTEMPT, attempts
from storage.work import Work

ATTEMPT = (
    "id", "organization_id", "link_id", "person_id", "connection_id", "authorization_id", "network", "session_id",
    "redirect_uri", "code_verifier", "opened_at", "expires_at", "outcome",
)  # fmt: skip


class SqlAttempts:
    """Implements `Attempts`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def open(
        self,
        attempt: Attempt,
        *,
        state_hash: bytes,
        browser_hash: bytes,
        take_over: bool,
        spare_since: datetime | None = None,
    ) -> OpenAttempt | None:
        if attempt.authorization_id is not None:
            await self._end_others(attempt, take_over, spare_since)
        # Again if the attempt in the way ended just between the two statements; it cannot go on so.
        for _ in range(3):
            opened = await self._work.row(
                insert(attempts)
                .values(_attempt_values(attempt, self._work.keyring, state_hash, browser_hash))
                .on_conflict_do_nothing(index_elements=["authorization_id"], index_where=OPEN_ATTEMPT)
                .returning(attempts.c.id)
            )
            if opened is not None:
                return None
            holder = await self._work.row(
                select(attempts.c.person_id, attempts.c.opened_at, attempts.c.used_at).where(
                    attempts.c.organization_id == attempt.organization_id,
                    attempts.c.authorization_id == attempt.authorization_id,
                    attempts.c.closed_at.is_(None),
                )
            )
            if holder is not None:
                person_id, opened_at, used_at = holder
                spared = spare_since is not None and used_at is not None and used_at > spare_since
                return OpenAttempt(person_id=PersonId(person_id), opened_at=opened_at, spared=spared)
        raise StorageError("an attempt could not be opened")

    async def _end_others(self, attempt: Attempt, take_over: bool, spare_since: datetime | None) -> None:
        ended: list[ColumnElement[bool]] = [
            attempts.c.expires_at <= attempt.opened_at,
            attempts.c.person_id == attempt.person_id,
        ]
        whose = [] if take_over else [or_(*ended)]
        if spare_since is not None:
            whose.append(or_(attempts.c.used_at.is_(None), attempts.c.used_at <= spare_since))
        await self._work.run(
            update(attempts)
            .where(
                attempts.c.organization_id == attempt.organization_id,
                attempts.c.authorization_id == attempt.authorization_id,
                attempts.c.closed_at.is_(None),
                *whose,
            )
            # What the round trip needed is gone with it.
            .values(closed_at=attempt.opened_at, code_verifier=None, ended_by=attempt.person_id)
        )

    async def entrust(self, organization_id: OrganizationId, attempt_id: AttemptId, *, code_verifier: Secret) -> None:
        cell = _cell(organization_id, attempt_id, "code_verifier")
        await self._work.run(
            update(attempts)
            .where(
                attempts.c.organization_id == organization_id,
                attempts.c.id == attempt_id,
                attempts.c.closed_at.is_(None),
            )
            .values(code_verifier=self._work.keyring.encrypt(code_verifier, cell))
        )

    async def finish(
        self, organization_id: OrganizationId, attempt_id: AttemptId, *, outcome: str, at: datetime
    ) -> bool:
        finished = await self._work.row(
            update(attempts)
            .where(
                attempts.c.organization_id == organization_id,
                attempts.c.id == attempt_id,
                attempts.c.closed_at.is_(None),
            )
            # What the round trip needed is gone with it.
            .values(outcome=outcome, closed_at=at, code_verifier=None)
            .returning(attempts.c.id)
        )
        return finished is not None

    async def get(self, organization_id: OrganizationId, attempt_id: AttemptId) -> Attempt | None:
        found = await self._work.row(
            select(*columns(attempts, ATTEMPT)).where(
                attempts.c.organization_id == organization_id, attempts.c.id == attempt_id
            )
        )
        return None if found is None else attempt_of(found, self._work.keyring)

    async def under_way(
        self,
        organization_id: OrganizationId,
        *,
        link_id: LinkId,
        authorization_id: AuthorizationId | None,
        now: datetime,
    ) -> UnderWay | None:
        of = (
            attempts.c.link_id == link_id
            if authorization_id is None
            else attempts.c.authorization_id == authorization_id
        )
        found = await self._work.row(
            select(attempts.c.id, attempts.c.person_id, attempts.c.session_id, attempts.c.opened_at, attempts.c.used_at)
            .where(
                attempts.c.organization_id == organization_id,
                of,
                attempts.c.closed_at.is_(None),
                attempts.c.expires_at > now,
            )
            .order_by(attempts.c.opened_at.desc())
            .limit(1)
        )
        if found is None:
            return None
        row_id, person_id, session_id, opened_at, used_at = found
        return UnderWay(
            attempt_id=AttemptId(row_id),
            person_id=PersonId(person_id),
            session_id=SessionId(session_id),
            opened_at=opened_at,
            came_back=used_at is not None,
        )

    async def stand(self, organization_id: OrganizationId, attempt_id: AttemptId) -> Stand | None:
        found = await self._work.row(
            select(attempts.c.used_at, attempts.c.closed_at, attempts.c.ended_by).where(
                attempts.c.organization_id == organization_id, attempts.c.id == attempt_id
            )
        )
        if found is None:
            return None
        used_at, closed_at, ended_by = found
        return Stand(
            came_back=used_at is not None,
            closed_at=closed_at,
            ended_by=PersonId(ended_by) if ended_by is not None else None,
        )

    async def keep(
        self, organization_id: OrganizationId, attempt_id: AttemptId, *, found: Secret, until: datetime
    ) -> None:
        cell = _cell(organization_id, attempt_id, "found")
        kept = await self._work.row(
            update(attempts)
            .where(attempts.c.organization_id == organization_id, attempts.c.id == attempt_id)
            .values(found=self._work.keyring.encrypt(found, cell), found_until=until)
            .returning(attempts.c.id)
        )
        if kept is None:
            raise NotThere("there is no such attempt in the organization")

    async def take(self, organization_id: OrganizationId, attempt_id: AttemptId, now: datetime) -> Secret | None:
        # Read locked: whoever waits for the lock finds it taken.
        kept = await self._work.row(_kept(organization_id, attempt_id, now).with_for_update(key_share=True))
        if kept is None:
            return None
        await self._work.run(
            update(attempts)
            .where(attempts.c.organization_id == organization_id, attempts.c.id == attempt_id)
            .values(found=None)
        )
        return self._work.keyring.decrypt(kept[0], _cell(organization_id, attempt_id, "found"))

    async def kept(self, organization_id: OrganizationId, attempt_id: AttemptId, now: datetime) -> Secret | None:
        kept = await self._work.row(_kept(organization_id, attempt_id, now))
        if kept is None:
            return None
        return self._work.keyring.decrypt(kept[0], _cell(organization_id, attempt_id, "found"))


def _kept(organization_id: OrganizationId, attempt_id: AttemptId, now: datetime) -> Select[Any]:
    return select(attempts.c.found).where(
        attempts.c.organization_id == organization_id,
        attempts.c.id == attempt_id,
        attempts.c.found.is_not(None),
        attempts.c.found_until > now,
    )


_USE_ATTEMPT = (
    update(attempts)
    .where(
        attempts.c.state_hash == bindparam("of_state"),
        attempts.c.browser_hash == bindparam("of_browser"),
        attempts.c.used_at.is_(None),
        attempts.c.closed_at.is_(None),
        attempts.c.expires_at > bindparam("now", type_=attempts.c.expires_at.type),
    )
    .values(used_at=bindparam("now", type_=attempts.c.expires_at.type))
    .returning(*columns(attempts, ATTEMPT))
)


async def use_attempt(work: Work, *, state_hash: bytes, browser_hash: bytes, now: datetime) -> Attempt | None:
    """Implements `Directory.use_attempt`: the update has one winner."""
    used = await work.row(_USE_ATTEMPT, {"of_state": state_hash, "of_browser": browser_hash, "now": now})
    return None if used is None else attempt_of(used, work.keyring)


def attempt_of(values: Sequence[Any], keyring: Keyring) -> Attempt:
    (
        row_id, organization_id, link_id, person_id, connection_id, authorization_id, network, session_id,
        redirect_uri, code_verifier, opened_at, expires_at, outcome,
    ) = values  # fmt: skip
    return Attempt(
        id=AttemptId(row_id),
        organization_id=OrganizationId(organization_id),
        link_id=LinkId(link_id),
        person_id=PersonId(person_id),
        connection_id=connection_id,
        authorization_id=authorization_id,
        network=network,
        session_id=SessionId(session_id),
        redirect_uri=redirect_uri,
        code_verifier=None
        if code_verifier is None
        else keyring.decrypt(code_verifier, _cell(organization_id, row_id, "code_verifier")),
        opened_at=opened_at,
        expires_at=expires_at,
        outcome=outcome,
    )


def _attempt_values(attempt: Attempt, keyring: Keyring, state_hash: bytes, browser_hash: bytes) -> dict[str, Any]:
    verifier = attempt.code_verifier
    return {
        "id": attempt.id,
        "organization_id": attempt.organization_id,
        "link_id": attempt.link_id,
        "person_id": attempt.person_id,
        "connection_id": attempt.connection_id,
        "authorization_id": attempt.authorization_id,
        "network": attempt.network,
        "session_id": attempt.session_id,
        "redirect_uri": attempt.redirect_uri,
        "code_verifier": None
        if verifier is None
        else keyring.encrypt(verifier, _cell(attempt.organization_id, attempt.id, "code_verifier")),
        "opened_at": attempt.opened_at,
        "expires_at": attempt.expires_at,
        "outcome": attempt.outcome,
        "state_hash": state_hash,
        "browser_hash": browser_hash,
    }


def _cell(organization_id: UUID, attempt_id: UUID, column: str) -> Cell:
    return Cell(organization_id=organization_id, table="attempts", row=attempt_id, column=column)
