"""Reconnect links and attempts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, or_, select, tuple_, update
from sqlalchemy.sql import ColumnElement

from commands.ids import AttemptId, ConnectionId, LinkId, OrganizationId, PersonId, SessionId
from commands.ports.reconnecting import Attempt, Link, OpenAttempt
from commands.ports.storage import StorageError
from storage.engine import insert
from storage.rows import columns
from storage.secrets import Cell, Keyring, secret_hash
from storage.tables import OPEN_ATTEMPT, attempts, links
from storage.work import Work, portions

LINK = ("id", "organization_id", "person_id", "connection_id", "created_at")
ATTEMPT = (
    "id", "organization_id", "link_id", "person_id", "connection_id", "authorization_id", "network", "session_id",
    "redirect_uri", "code_verifier", "opened_at", "expires_at", "outcome",
)  # fmt: skip


class SqlLinks:
    """Implements `Links`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def ensure(self, link: Link) -> str:
        return (await self.ensure_many((link,)))[link.person_id, link.connection_id]

    async def ensure_many(self, links: tuple[Link, ...]) -> dict[tuple[PersonId, ConnectionId], str]:
        located: dict[tuple[PersonId, ConnectionId], str] = {}
        # Two parameters for each link, and one key for the same wish twice. In order, so that nobody waits in a circle.
        wanted = sorted({(link.person_id, link.connection_id): link for link in links}.items())
        for portion in portions(wanted[:]):
            located |= await self._ensure_portion([link for _, link in portion])
        return located

    async def _ensure_portion(self, wanted: Sequence[Link]) -> dict[tuple[PersonId, ConnectionId], str]:
        keyring = self._work.keyring
        await self._work.run(
            insert(_links).on_conflict_do_nothing(index_elements=["organization_id", "person_id", "connection_id"]),
            [_link_values(link, keyring) for link in wanted],
        )
        organization_ids = {link.organization_id for link in wanted}
        found = await self._work.rows(
            select(_links.c.id, _links.c.person_id, _links.c.connection_id, _links.c.key_id).where(
                _links.c.organization_id.in_(organization_ids),
                tuple_(_links.c.person_id, _links.c.connection_id).in_(
                    [(link.person_id, link.connection_id) for link in wanted]
                ),
            )
        )
        located: dict[tuple[PersonId, ConnectionId], str] = {}
        for row_id, person_id, connection_id, key_id in found:
            locator = keyring.locator(row_id, key_id) or await self._derive_anew(row_id)
            located[PersonId(person_id), ConnectionId(connection_id)] = locator
        return located

    async def _derive_anew(self, link_id: UUID) -> str:
        """Give a link whose key was taken away a new address; the one that was posted stops working."""
        keyring = self._work.keyring
        locator = keyring.locator(link_id, keyring.primary)
        if locator is None:
            raise StorageError("the primary key derives no locator")
        await self._work.run(
            update(_links)
            .where(_links.c.id == link_id)
            .values(key_id=keyring.primary, locator_hash=secret_hash(locator))
        )
        return locator

    async def get(self, organization_id: OrganizationId, link_id: LinkId) -> Link | None:
        found = await self._work.row(
            select(*columns(_links, LINK)).where(_links.c.organization_id == organization_id, _links.c.id == link_id)
        )
        return None if found is None else link_of(found)


_links = links  # the port names its argument so


class SqlAttempts:
    """Implements `Attempts`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def open(
        self, attempt: Attempt, *, state_hash: bytes, browser_hash: bytes, take_over: bool
    ) -> OpenAttempt | None:
        if attempt.authorization_id is not None:
            await self._end_others(attempt, take_over)
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
                select(attempts.c.person_id, attempts.c.opened_at).where(
                    attempts.c.organization_id == attempt.organization_id,
                    attempts.c.authorization_id == attempt.authorization_id,
                    attempts.c.closed_at.is_(None),
                )
            )
            if holder is not None:
                return OpenAttempt(person_id=PersonId(holder[0]), opened_at=holder[1])
        raise StorageError("an attempt could not be opened")

    async def _end_others(self, attempt: Attempt, take_over: bool) -> None:
        ended: list[ColumnElement[bool]] = [
            attempts.c.expires_at <= attempt.opened_at,
            attempts.c.person_id == attempt.person_id,
        ]
        whose = [] if take_over else [or_(*ended)]
        await self._work.run(
            update(attempts)
            .where(
                attempts.c.organization_id == attempt.organization_id,
                attempts.c.authorization_id == attempt.authorization_id,
                attempts.c.closed_at.is_(None),
                *whose,
            )
            # What the round trip needed is gone with it.
            .values(closed_at=attempt.opened_at, code_verifier=None)
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


def link_of(values: Sequence[Any]) -> Link:
    row_id, organization_id, person_id, connection_id, created_at = values
    return Link(
        id=LinkId(row_id),
        organization_id=OrganizationId(organization_id),
        person_id=PersonId(person_id),
        connection_id=ConnectionId(connection_id),
        created_at=created_at,
    )


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
        connection_id=ConnectionId(connection_id),
        authorization_id=authorization_id,
        network=network,
        session_id=SessionId(session_id),
        redirect_uri=redirect_uri,
        code_verifier=None
        if code_verifier is None
        else keyring.decrypt(code_verifier, _verifier_cell(organization_id, row_id)),
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
        else keyring.encrypt(verifier, _verifier_cell(attempt.organization_id, attempt.id)),
        "opened_at": attempt.opened_at,
        "expires_at": attempt.expires_at,
        "outcome": attempt.outcome,
        "state_hash": state_hash,
        "browser_hash": browser_hash,
    }


def _verifier_cell(organization_id: UUID, attempt_id: UUID) -> Cell:
    return Cell(organization_id=organization_id, table="attempts", row=attempt_id, column="code_verifier")


def _link_values(link: Link, keyring: Keyring) -> dict[str, Any]:
    locator = keyring.locator(link.id, keyring.primary)
    if locator is None:
        raise StorageError("the primary key derives no locator")
    return {
        "id": link.id,
        "organization_id": link.organization_id,
        "person_id": link.person_id,
        "connection_id": link.connection_id,
        "created_at": link.created_at,
        "key_id": keyring.primary,
        "locator_hash": secret_hash(locator),
    }
