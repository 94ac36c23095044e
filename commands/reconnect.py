"""Reconnecting one connection, and with it all that hangs on the same login. Driven by pages, but knows none.

What came back is compared before anything is written (R-16).
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from commands.access import Standing, may_reconnect, may_see
from commands.command import Services
from commands.comparison import AccountOutcome, AccountResult, ComparisonKind
from commands.drawing import ID_LIMIT
from commands.ids import EventId, new_id
from commands.linking import origin_of
from commands.model import ConnectionView, Person, Verdict
from commands.outcomes import Outcome, OutcomeKind, OutcomeRow, shortened, why
from commands.ports.events import Event, EventKind
from commands.ports.network import NetworkKind
from commands.ports.reconnecting import Attempt, Link, OpenAttempt, Session
from commands.ports.storage import AlreadyThere, UnitOfWork
from commands.profiles import other_owner
from commands.rehearsal import MAY_START, Rehearsal, rehearse
from commands.restoring import Login, Weighed, restore, taken_over, weigh
from commands.round_trip import (
    LANDING,
    CameBack,
    NotStarted,
    Started,
    begin,
    came_back,
    close,
    give_back,
    login_address,
    new_attempt,
    refusal,
)
from commands.wording import shown

logger = logging.getLogger(__name__)

REACHES_NAMED = 5
"""Accounts of a wrong login that its page names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Somebody else is at it (R-17)."""

    holder: str
    """Their name."""
    since: datetime
    rehearsal: Rehearsal
    being_finished: bool = False
    """At this moment: nobody can take over."""


async def held_by(uow: UnitOfWork, holder: OpenAttempt, rehearsal: Rehearsal) -> Held:
    """Who is at it, for whoever comes second."""
    name = (await uow.people.get(rehearsal.organization.id, holder.person_id)).name
    return Held(holder=shown(name), since=holder.opened_at, rehearsal=rehearsal, being_finished=holder.spared)


class Reconnecting:
    """The round trip, for one process. Holds no state of its own."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def login_address(self, slug: str) -> str:
        """Where the network's login is, for a page's headers."""
        return login_address(self._services, slug)

    async def look(self, link: Link, person: Person) -> Rehearsal | None:
        """What the link's page says. None: it leads nowhere, or is not this person's. Changes nothing (R-1)."""
        async with self._services.storage.reading() as uow:
            return await self._rehearse(uow, link, person)

    async def start(
        self, link: Link, person: Person, session: Session, *, browser_hash: bytes, take_over: bool, again: bool
    ) -> Started | NotStarted | Held | Rehearsal | None:
        """Open an attempt, and ask the network for its login. What may be done is asked anew.

        A Rehearsal says why there is nothing to open, None that the link leads nowhere. `take_over`: end whoever is at
        it. `again`: the last login left a permission out.
        """
        async with self._services.storage.transaction() as uow:
            rehearsal = await self._rehearse(uow, link, person)
            if rehearsal is None or rehearsal.spec is None or rehearsal.offer not in MAY_START:
                return rehearsal
            if rehearsal.spec.kind is not NetworkKind.OAUTH:
                return rehearsal  # there is no login to go to: its page says what there is instead
            view, network = rehearsal.view, self._services.networks[rehearsal.spec.slug]
            new = new_attempt(self._services, link, session, network, view.connection.authorization_id)
            holder = await uow.attempts.open(
                new.attempt,
                state_hash=new.state_hash,
                browser_hash=browser_hash,
                take_over=take_over,
                # Where a second login ends the first, one that lands after its successor would end that.
                spare_since=new.attempt.opened_at - LANDING if network.spec.one_grant_per_subject else None,
            )
            if holder is not None:
                return await held_by(uow, holder, rehearsal)
            await self._record(uow, EventKind.ATTEMPT_OPENED, new.attempt, view, {})
        hint, lost = _hint(view, person), _permission_lost(view)
        started = await begin(self._services, new, network, login_hint=hint, again=again or lost)
        if isinstance(started, Outcome):
            async with self._services.storage.transaction() as uow:
                await self._end_in_failure(uow, new.attempt, started)
            return NotStarted(attempt_id=new.attempt.id)
        return started

    async def _rehearse(self, uow: UnitOfWork, link: Link, person: Person) -> Rehearsal | None:
        if person.id != link.person_id or person.organization_id != link.organization_id or link.connection_id is None:
            return None
        view = await uow.connections.view(link.organization_id, link.connection_id)
        if view is None:
            return None
        network = self._services.networks.get(view.connection.network)
        if network is None:
            logger.error(
                "no credentials for network %s: its connections cannot be reconnected", view.connection.network
            )
        spec = network.spec if network else None
        return await rehearse(uow, link, view, spec, person=person, now=self._services.clock.now())

    async def give_up(self, attempt: Attempt, session: Session | None, kind: OutcomeKind) -> Outcome:
        """End a used attempt without asking the network anything, and write down why."""
        outcome = Outcome(kind=kind)
        async with self._services.storage.transaction() as uow:
            await self._end_in_failure(uow, attempt, outcome)
            origin = origin_of(session) if session else "web"
            await uow.audit.write(refusal(self._services, attempt, outcome, origin))
        return outcome

    async def finish(self, attempt: Attempt, session: Session, answer: Mapping[str, str]) -> Outcome:
        """Carry out what the callback brought for an attempt that was just used up.

        Exchange, discover, compare; then everything is written in one transaction, or nothing but how it ended.
        """
        back = await came_back(self._services, attempt, answer)
        if isinstance(back, Outcome):
            if back.kind is OutcomeKind.FOREIGN_ANSWER:
                return await self.give_up(attempt, session, back.kind)
            async with self._services.storage.transaction() as uow:
                await self._end_in_failure(uow, attempt, back)
            return back
        try:
            outcome = await self._settle(attempt, session, back)
        except AlreadyThere:  # the same login was stored through another attempt at this moment: now it is known
            outcome = await self._settle(attempt, session, back)
        if not outcome.stored:
            await give_back(self._services, back)
        return outcome

    async def _settle(self, attempt: Attempt, session: Session, back: CameBack) -> Outcome:
        """Compare, and write all of it or nothing but how it ended."""
        now, spec, organization_id = self._services.clock.now(), back.network.spec, attempt.organization_id
        async with self._services.storage.transaction() as uow:
            person = await uow.people.get(organization_id, attempt.person_id)
            view = await self._view(uow, attempt)
            login = Login(person=person, origin=origin_of(session), grant=back.grant, discovery=back.discovery)
            weighed = None
            if view is None or not may_reconnect(person, view).allowed:
                outcome = Outcome(kind=OutcomeKind.NOT_ALLOWED, used_login=shown(back.discovery.subject_name))
            else:
                weighed = await weigh(uow, spec, view, login)
                outcome = _anothers(weighed, login) or _outcome(weighed, login)
            ending = close(self._services, uow, attempt, outcome) if outcome.stored else None
            if not await (ending or self._end_in_failure(uow, attempt, outcome)):
                return Outcome(kind=OutcomeKind.NOT_ACCEPTED)  # somebody took over meanwhile: nothing is written
            if weighed is not None:
                await restore(uow, spec, weighed, login, now)
            if not outcome.stored:
                await uow.audit.write(refusal(self._services, attempt, outcome, origin_of(session)))
        return outcome

    async def _end_in_failure(self, uow: UnitOfWork, attempt: Attempt, outcome: Outcome) -> bool:
        """Write that it did not help; what hangs on the lapse's messages hears of it."""
        if not await close(self._services, uow, attempt, outcome):
            return False
        view = await self._view(uow, attempt)
        if view is not None:
            network = self._services.networks.get(attempt.network)
            form = network.spec.key_form if network is not None else None
            reason = why(outcome, form.called) if form is not None else why(outcome)
            await self._record(uow, EventKind.ATTEMPT_FAILED, attempt, view, {"why": reason})
        return True

    async def _view(self, uow: UnitOfWork, attempt: Attempt) -> ConnectionView | None:
        if attempt.connection_id is None:
            return None
        return await uow.connections.view(attempt.organization_id, attempt.connection_id)

    async def _record(
        self, uow: UnitOfWork, kind: EventKind, attempt: Attempt, view: ConnectionView, data: Mapping[str, str]
    ) -> None:
        """Tell of an attempt, where there is a lapse whose messages can say it."""
        lapse, now = view.open_lapse, self._services.clock.now()
        if lapse is None:
            return
        event = Event(
            id=EventId(new_id(now)),
            organization_id=attempt.organization_id,
            kind=kind,
            at=now,
            lapse_id=lapse.id,
            connection_id=attempt.connection_id,
            authorization_id=attempt.authorization_id,
            person_id=attempt.person_id,
            data=data,
        )
        await uow.notices.record([event])


def _anothers(weighed: Weighed, login: Login) -> Outcome | None:
    """That the login is a parent profile of another owner (R-10)."""
    if weighed.profile is None or not weighed.is_anothers(login.person):
        return None
    return other_owner(weighed.profile, login.person, login.discovery)


def _outcome(weighed: Weighed, login: Login) -> Outcome:
    """What the person reads; of accounts that they may not see, nothing."""
    comparison, expected = weighed.comparison, weighed.view.authorization
    taken = {outcome.connection.id for outcome in taken_over(weighed, login.person)}
    rows, more = shortened(
        [
            _row(outcome, weighed.views[outcome.connection.account_id].client_name)
            for outcome in (*comparison.concerned, *comparison.joining)
            if may_see(login.person, outcome.connection) and (not outcome.proved or outcome.connection.id in taken)
        ]
    )
    kind = _kind(weighed, first=expected is None)
    seen = [outcome for outcome in comparison.concerned if may_see(login.person, outcome.connection)]
    if kind is OutcomeKind.PARTIAL and all(outcome.proved for outcome in seen):
        kind = OutcomeKind.RESTORED  # what is not back is not theirs to know of (N-8)
    accounts = login.discovery.accounts[:REACHES_NAMED] if kind is OutcomeKind.WRONG_LOGIN else ()
    businesses = {
        account.parent.id: f"{shown(account.parent.name)} {account.parent.id}" for account in accounts if account.parent
    }
    return Outcome(
        kind=kind,
        used_login=shown(login.discovery.subject_name),
        expected_login=shown(expected.subject_name) if expected else "",
        granted=comparison.granted,
        missing=tuple(dict.fromkeys(label for o in comparison.waiting if o in seen or not seen for label in o.missing)),
        rows=rows,
        more=more,
        reaches=tuple(f"{shown(account.name)} {shown(account.account_id, ID_LIMIT)}" for account in accounts),
        reaches_in=tuple(businesses.values()),
        somebody_elses=weighed.standing is not Standing.CONNECTOR,
    )


def _kind(weighed: Weighed, *, first: bool) -> OutcomeKind:
    comparison = weighed.comparison
    if comparison.kind is not ComparisonKind.NOTHING:
        return OutcomeKind(comparison.kind.value)
    if comparison.wrong_login and not (first and comparison.missing):
        return OutcomeKind.WRONG_LOGIN
    lacking = comparison.missing or any(o.result is AccountResult.MISSING_PERMISSION for o in comparison.waiting)
    if lacking:
        return OutcomeKind.MISSING_PERMISSION
    no_role = all(outcome.verdict in (Verdict.ROLE_LOST, Verdict.ACCOUNT_GONE) for outcome in comparison.waiting)
    if no_role and not comparison.same_login and weighed.standing is not Standing.CONNECTOR:
        return OutcomeKind.ROLE_MISSING
    return OutcomeKind.NOT_BACK


def _row(outcome: AccountOutcome, client_name: str) -> OutcomeRow:
    connection = outcome.connection
    return OutcomeRow(
        account_name=shown(connection.account_name),
        account_id=shown(connection.account_id, ID_LIMIT),
        client_name=shown(client_name),
        result=outcome.result,
        verdict=outcome.verdict,
        worked_before=not outcome.needed,
        missing=outcome.missing,
        parent_name=shown(connection.parent.name) if connection.parent else "",
        parent_id=shown(connection.parent.id, ID_LIMIT) if connection.parent else "",
        moved_to_name=shown(outcome.moved_to.name) if outcome.moved_to else "",
        moved_to_id=shown(outcome.moved_to.id, ID_LIMIT) if outcome.moved_to else "",
    )


def _hint(view: ConnectionView, person: Person) -> str | None:
    """Which login the network may offer first: the one of last time, where the same person comes back."""
    authorization = view.authorization
    same_person = authorization is not None and authorization.connector_id == person.id
    return authorization.subject_name if authorization and same_person and "@" in authorization.subject_name else None


def _permission_lost(view: ConnectionView) -> bool:
    lapse = view.open_lapse
    return lapse is not None and lapse.cause is Verdict.PERMISSION_MISSING
