"""Keys that are entered by hand (R-9): what was typed is looked at, one question proves it, then it is stored, for one
account at a time.

It is the round trip without a login: the same attempt, the same comparison before anything is written, the same ends.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from re import fullmatch

from commands.access import may_reconnect, scope_of
from commands.choosing import Reached
from commands.command import Services
from commands.connecting import Connecting, Invitation, Unfit, Wish
from commands.ids import AttemptId, AuthorizationId, ClientId
from commands.model import ConnectionView, Filter, Person
from commands.outcomes import Outcome, OutcomeKind
from commands.ports.network import KeyField, KeyForm, NetworkKind, Networks
from commands.ports.reconnecting import Attempt, Link, OpenAttempt, Session
from commands.ports.storage import UnitOfWork
from commands.reconnect import Held, Reconnecting, held_by
from commands.rehearsal import MAY_START, Rehearsal
from commands.round_trip import new_attempt
from commands.secret import hashed

LONGEST = 512
"""Characters of a field: no vendor's key comes near it."""
NAMED = 20
"""Accounts to be verified by hand that a page names."""


NO_KEY_HELPS = frozenset({OutcomeKind.OTHER_OWNER, OutcomeKind.REACHES_LESS, OutcomeKind.NOT_ALLOWED})
"""Ends that the page of the result has more to say of than a form."""


class Fault(StrEnum):
    """What is wrong with a field before anybody is asked, as its page says beside it."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    UNWRITABLE = "unwritable"
    """Holds what no key holds: line ends, letters beyond ASCII."""
    UNLIKE = "unlike"
    """Does not look like what is declared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What came from a key's form."""

    values: Mapping[str, str] = field(repr=False)
    """By field, without the spaces around it that pasting brings along."""
    faults: Mapping[str, Fault]

    def again(self, form: KeyForm) -> Mapping[str, str]:
        """What the form shows again: nothing that is secret."""
        return {one.name: self.values[one.name] for one in form.fields if not one.secret}


def read_typed(form: KeyForm, given: Mapping[str, str]) -> Typed:
    """Look at what was typed."""
    values = {one.name: given.get(one.name, "").strip() for one in form.fields}
    found = {one.name: _fault(one, values[one.name]) for one in form.fields}
    return Typed(values=values, faults={name: fault for name, fault in found.items() if fault is not None})


def _fault(one: KeyField, value: str) -> Fault | None:
    if not value:
        return Fault.EMPTY
    if len(value) > LONGEST:
        return Fault.TOO_LONG
    if not (value.isascii() and value.isprintable()):
        return Fault.UNWRITABLE
    return Fault.UNLIKE if one.pattern and fullmatch(one.pattern, value) is None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """A key was tried."""

    attempt_id: AttemptId
    outcome: Outcome | None
    """None: it is good, and something is left to be chosen."""

    @property
    def is_over(self) -> bool:
        """Whether the form has done its work, or no other key would help; else it is shown again, with what is
        wrong.
        """
        return self.outcome is None or self.outcome.stored or self.outcome.kind in NO_KEY_HELPS


class Keys:
    """The way of keys, for one process. Holds no state of its own."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._reconnecting = Reconnecting(services)
        self._connecting = Connecting(services)

    async def reconnect(
        self, link: Link, person: Person, session: Session, typed: Typed, *, take_over: bool
    ) -> Entered | Held | Rehearsal | None:
        """Try a key for the link's connection, and store it if it is that account's.

        A Rehearsal says why there is nothing to enter, None that the link leads nowhere.
        """
        rehearsal = await self._reconnecting.look(link, person)
        if rehearsal is None or rehearsal.spec is None or rehearsal.offer not in MAY_START:
            return rehearsal
        authorization_id = rehearsal.view.connection.authorization_id
        attempt = await self._opened(link, session, rehearsal.spec.slug, authorization_id, take_over=take_over)
        if isinstance(attempt, OpenAttempt):
            async with self._services.storage.reading() as uow:
                return await held_by(uow, attempt, rehearsal)
        outcome = await self._reconnecting.finish(attempt, session, typed.values)
        return Entered(attempt_id=attempt.id, outcome=outcome)

    async def connect(
        self, link: Link, person: Person, session: Session, typed: Typed, wish: Wish
    ) -> Entered | Invitation | Unfit | None:
        """Try a key of an account that is new here, and connect that account as wished.

        An Invitation says why there is nothing to enter, None that the link leads nowhere.
        """
        invitation = await self._connecting.look(link, person)
        if invitation is None or invitation.spec is None or not invitation.may_start:
            return invitation
        if bool(wish.client) is bool(wish.new_client.strip()):
            return Unfit.TWO_CLIENTS if wish.client else Unfit.NO_CLIENT
        attempt = await self._opened(link, session, invitation.spec.slug, None, take_over=False)
        if isinstance(attempt, OpenAttempt):
            raise AssertionError("an attempt for a new account is in nobody's way")
        outcome = await self._connecting.finish(attempt, session, typed.values)
        if outcome is None:
            outcome = await self._chosen(attempt, person, session, wish)
        return Entered(attempt_id=attempt.id, outcome=outcome)

    async def _chosen(self, attempt: Attempt, person: Person, session: Session, wish: Wish) -> Outcome | None:
        """Connect the one account that the key is of; None where its page has to ask once more."""
        choice = await self._connecting.choice(attempt, person)
        if choice is None:
            return None
        new = frozenset(row.account.account_id for row in choice.of(Reached.NEW))
        connected = await self._connecting.connect(attempt, session, replace(wish, accounts=new))
        return connected if isinstance(connected, Outcome) else None

    async def _opened(
        self, link: Link, session: Session, slug: str, authorization_id: AuthorizationId | None, *, take_over: bool
    ) -> Attempt | OpenAttempt:
        """Open an attempt and use it up at once: there is nowhere to come back from."""
        new = new_attempt(self._services, link, session, self._services.networks[slug], authorization_id)
        browser = hashed(secrets.token_urlsafe(32))
        async with self._services.storage.transaction() as uow:
            holder = await uow.attempts.open(
                new.attempt, state_hash=new.state_hash, browser_hash=browser, take_over=take_over
            )
        if holder is not None:
            return holder
        await self._services.storage.directory.use_attempt(
            state_hash=new.state_hash, browser_hash=browser, now=self._services.clock.now()
        )
        return new.attempt  # if somebody took over just now, finishing it writes nothing


async def by_hand(
    uow: UnitOfWork, networks: Networks, person: Person, view: ConnectionView
) -> Sequence[ConnectionView]:
    """What waits for a key beside a login that mended other accounts of the same clients: no login brings it back, each
    is verified by hand (R-8). Only what this person may reconnect.
    """
    keyed = [slug for slug, network in networks.items() if network.spec.kind is NetworkKind.API_KEY]
    if not keyed or view.connection.network in keyed:
        return ()
    clients = await _clients(uow, view)
    found: list[ConnectionView] = []
    for slug in keyed:
        page = await uow.connections.page(
            person.organization_id, scope_of(person), Filter(network=slug), offset=0, limit=NAMED * 5
        )
        found += [
            row for row in page.rows if row.connection.client_id in clients and may_reconnect(person, row).allowed
        ]
    return found[:NAMED]


async def _clients(uow: UnitOfWork, view: ConnectionView) -> frozenset[ClientId]:
    connection = view.connection
    if connection.authorization_id is None:
        return frozenset({connection.client_id})
    under = await uow.connections.under(connection.organization_id, connection.authorization_id)
    return frozenset({connection.client_id, *(one.connection.client_id for one in under)})
