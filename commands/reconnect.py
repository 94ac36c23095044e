"""Links, attempts and the round trip through a network. Driven by pages, but knows none; asks networks by their port.

No transaction is held across a call out, and what came back is compared before anything is written (R-16).
"""

import asyncio
import base64
import hashlib
import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from commands.access import may_reconnect, may_see
from commands.command import Services
from commands.comparison import AccountOutcome, AccountResult, Comparison, ComparisonKind
from commands.drawing import ID_LIMIT, open_lapse
from commands.errors import NetworkError
from commands.ids import AttemptId, new_id, to_wire
from commands.linking import origin_of
from commands.model import ConnectionView, Person, Verdict
from commands.outcomes import Outcome, OutcomeKind, OutcomeRow, shortened
from commands.ports.network import Discovery, Grant, Network
from commands.ports.notices import AuditEntry
from commands.ports.reconnecting import Attempt, Link, Session
from commands.ports.storage import UnitOfWork
from commands.rehearsal import MAY_START, Rehearsal, rehearse
from commands.restoring import Login, Weighed, restore, taken_over, weigh
from commands.secret import Secret
from commands.wording import shown

logger = logging.getLogger(__name__)

ATTEMPT_LIFE = timedelta(minutes=10)
NETWORK_LIMIT = 45.0
"""Seconds that a network may take for all that finishing asks: inside the pages' own limit, so that an end is
written.
"""
REACHES_NAMED = 5
"""Accounts of a wrong login that its page names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """An attempt was opened: the browser goes on to `url`, which carries `state`."""

    attempt_id: AttemptId
    url: str = field(repr=False)
    state: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Somebody else is at it (R-17)."""

    holder: str
    """Their name."""
    since: datetime
    rehearsal: Rehearsal


def hashed(secret: str) -> bytes:
    """What is stored of a random secret. It has 256 random bits, so a fast hash is enough."""
    return hashlib.sha256(secret.encode()).digest()


class Reconnecting:
    """The round trip, for one process. Holds no state of its own."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def login_address(self, slug: str) -> str:
        """Where the network's login is: for a page's headers, and for telling whence an answer should come."""
        return self._services.networks[slug].authorize_url(
            state="-", redirect_uri=self._redirect_uri(slug), code_challenge=None, login_hint=None, again=False
        )

    def _redirect_uri(self, slug: str) -> str:
        return f"{self._services.public_url}/oauth/cb/{slug}"

    async def look(self, link: Link, person: Person) -> Rehearsal | None:
        """What the link's page says. None: it leads nowhere, or is not this person's. Changes nothing (R-1)."""
        async with self._services.storage.reading() as uow:
            return await self._rehearse(uow, link, person)

    async def start(
        self, link: Link, person: Person, session: Session, *, browser_hash: bytes, take_over: bool, again: bool
    ) -> Started | Held | Rehearsal | None:
        """Open an attempt. What may be done is asked anew.

        A Rehearsal says why there is nothing to open, None that the link leads nowhere. `take_over`: end whoever is at
        it. `again`: the last login left a permission out.
        """
        state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
        async with self._services.storage.transaction() as uow:
            rehearsal = await self._rehearse(uow, link, person)
            if rehearsal is None or rehearsal.spec is None or rehearsal.offer not in MAY_START:
                return rehearsal
            network = self._services.networks[rehearsal.spec.slug]
            attempt = self._attempt(link, rehearsal.view, session, network, verifier)
            holder = await uow.attempts.open(
                attempt, state_hash=hashed(state), browser_hash=browser_hash, take_over=take_over
            )
            if holder is not None:
                name = (await uow.people.get(person.organization_id, holder.person_id)).name
                return Held(holder=shown(name), since=holder.opened_at, rehearsal=rehearsal)
        url = network.authorize_url(
            state=state,
            redirect_uri=attempt.redirect_uri,
            code_challenge=_challenge(verifier) if network.spec.uses_pkce else None,
            login_hint=_hint(rehearsal.view, person),
            again=again or _permission_lost(rehearsal.view),
        )
        return Started(attempt_id=attempt.id, url=url, state=state)

    def _attempt(self, link: Link, view: ConnectionView, session: Session, network: Network, verifier: str) -> Attempt:
        now = self._services.clock.now()
        return Attempt(
            id=AttemptId(new_id(now)),
            organization_id=link.organization_id,
            link_id=link.id,
            person_id=link.person_id,
            connection_id=link.connection_id,
            authorization_id=view.connection.authorization_id,
            network=network.spec.slug,
            session_id=session.id,
            redirect_uri=self._redirect_uri(network.spec.slug),
            code_verifier=Secret(verifier) if network.spec.uses_pkce else None,
            opened_at=now,
            expires_at=now + ATTEMPT_LIFE,
        )

    async def _rehearse(self, uow: UnitOfWork, link: Link, person: Person) -> Rehearsal | None:
        if person.id != link.person_id or person.organization_id != link.organization_id:
            return None
        view = await uow.connections.view(link.organization_id, link.connection_id)
        if view is None:
            return None
        network = self._services.networks.get(view.connection.network)
        if network is None:
            logger.error(
                "no credentials for network %s: its connections cannot be reconnected", view.connection.network
            )
        return await rehearse(uow, person, view, network.spec if network else None, self._services.clock.now())

    async def give_up(self, attempt: Attempt, session: Session | None, kind: OutcomeKind) -> None:
        """End a used attempt without asking the network anything, and write down why."""
        outcome = Outcome(kind=kind)
        async with self._services.storage.transaction() as uow:
            await self._finish(uow, attempt, outcome)
            await uow.audit.write(self._refusal(attempt, outcome, origin_of(session) if session else "web"))

    async def finish(self, attempt: Attempt, session: Session, answer: Mapping[str, str]) -> Outcome:
        """Carry out what the callback brought for an attempt that was just used up.

        Exchange, discover, compare; then everything is written in one transaction, or nothing but how it ended.
        """
        network = self._services.networks.get(attempt.network)
        if network is None:
            logger.error("no credentials for network %s: a login that was under way is lost", attempt.network)
            return await self._failed(attempt, Outcome(kind=OutcomeKind.OUR_FAULT))
        if "iss" in answer and _origin(answer["iss"]) != _origin(self.login_address(attempt.network)):
            await self.give_up(attempt, session, OutcomeKind.FOREIGN_ANSWER)
            return Outcome(kind=OutcomeKind.FOREIGN_ANSWER)
        if "error" in answer:
            declined = answer["error"] in network.spec.cancelled_by
            return await self._failed(
                attempt, Outcome(kind=OutcomeKind.DECLINED if declined else OutcomeKind.NOT_ACCEPTED)
            )
        try:
            async with asyncio.timeout(NETWORK_LIMIT):
                grant = await network.exchange(
                    answer=answer,
                    redirect_uri=attempt.redirect_uri,
                    code_verifier=attempt.code_verifier.reveal() if attempt.code_verifier else None,
                )
                discovery = await network.discover(grant.tokens)
        except NetworkError as error:
            return await self._failed(attempt, _outcome_of_error(error, attempt))
        except TimeoutError:
            return await self._failed(attempt, Outcome(kind=OutcomeKind.NETWORK_DOWN, verdict=Verdict.NETWORK_DOWN))
        outcome = await self._settle(attempt, session, network, grant, discovery)
        stored = outcome.kind in (OutcomeKind.RESTORED, OutcomeKind.PARTIAL)
        if not stored and not await self._services.storage.directory.subject_known(
            attempt.network, discovery.subject_id
        ):
            await network.revoke(grant.tokens)  # only a login that nobody here relies on
        return outcome

    async def _settle(
        self, attempt: Attempt, session: Session, network: Network, grant: Grant, discovery: Discovery
    ) -> Outcome:
        """Compare, and write all of it or nothing but how it ended."""
        now = self._services.clock.now()
        async with self._services.storage.transaction() as uow:
            person = await uow.people.get(attempt.organization_id, attempt.person_id)
            view = await uow.connections.view(attempt.organization_id, attempt.connection_id)
            login = Login(person=person, origin=origin_of(session), grant=grant, discovery=discovery)
            weighed = None
            if view is None or not may_reconnect(person, view).allowed:
                outcome = Outcome(kind=OutcomeKind.NOT_ALLOWED, used_login=shown(discovery.subject_name))
            else:
                weighed = await weigh(uow, network.spec, view, login)
                outcome = _outcome(weighed, login)
            if not await self._finish(uow, attempt, outcome):
                return Outcome(kind=OutcomeKind.NOT_ACCEPTED)  # somebody took over meanwhile: nothing is written
            if weighed is not None:
                await restore(uow, network.spec, weighed, login, now)
            if outcome.kind not in (OutcomeKind.RESTORED, OutcomeKind.PARTIAL):
                await uow.audit.write(self._refusal(attempt, outcome, origin_of(session)))
        return outcome

    async def _failed(self, attempt: Attempt, outcome: Outcome) -> Outcome:
        async with self._services.storage.transaction() as uow:
            await self._finish(uow, attempt, outcome)
        return outcome

    async def _finish(self, uow: UnitOfWork, attempt: Attempt, outcome: Outcome) -> bool:
        return await uow.attempts.finish(
            attempt.organization_id, attempt.id, outcome=outcome.to_json(), at=self._services.clock.now()
        )

    def _refusal(self, attempt: Attempt, outcome: Outcome, origin: str) -> AuditEntry:
        return AuditEntry(
            organization_id=attempt.organization_id,
            at=self._services.clock.now(),
            actor_id=attempt.person_id,
            origin=origin,
            action="reconnecting failed",
            subject=f"connection {to_wire(attempt.connection_id)}",
            detail={"outcome": outcome.kind.value, "login": outcome.used_login},
        )


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
    kind = _kind(comparison, first=expected is None)
    seen = [outcome for outcome in comparison.concerned if may_see(login.person, outcome.connection)]
    if kind is OutcomeKind.PARTIAL and all(outcome.proved for outcome in seen):
        kind = OutcomeKind.RESTORED  # what is not back is not theirs to know of (N-8)
    accounts = login.discovery.accounts[:REACHES_NAMED]
    return Outcome(
        kind=kind,
        used_login=shown(login.discovery.subject_name),
        expected_login=shown(expected.subject_name) if expected else "",
        granted=comparison.granted,
        missing=tuple(dict.fromkeys(label for o in comparison.waiting if o in seen or not seen for label in o.missing)),
        rows=rows,
        more=more,
        reaches=tuple(shown(account.name) for account in accounts) if kind is OutcomeKind.WRONG_LOGIN else (),
    )


def _kind(comparison: Comparison, *, first: bool) -> OutcomeKind:
    if comparison.kind is not ComparisonKind.NOTHING:
        return OutcomeKind(comparison.kind.value)
    if comparison.wrong_login and not (first and comparison.missing):
        return OutcomeKind.WRONG_LOGIN
    lacking = comparison.missing or any(o.result is AccountResult.MISSING_PERMISSION for o in comparison.waiting)
    return OutcomeKind.MISSING_PERMISSION if lacking else OutcomeKind.NOT_BACK


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


def _outcome_of_error(error: NetworkError, attempt: Attempt) -> Outcome:
    verdict, evidence = error.finding.verdict, error.finding.evidence
    if verdict is Verdict.OUR_FAULT:
        logger.error(
            "%s refuses our app: check %s, code %s, status %s; a login of attempt %s is lost",
            attempt.network, evidence.check, evidence.code, evidence.http_status, to_wire(attempt.id),
        )  # fmt: skip
        return Outcome(kind=OutcomeKind.OUR_FAULT, verdict=verdict)
    logger.warning("%s did not complete a login: %s %s", attempt.network, verdict.value, evidence.code)
    if verdict in (Verdict.NETWORK_DOWN, Verdict.THROTTLED):
        return Outcome(kind=OutcomeKind.NETWORK_DOWN, verdict=verdict)
    return Outcome(kind=OutcomeKind.NOT_ACCEPTED, verdict=verdict)


def _origin(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", ""  # of nobody
    return parts.scheme.lower(), parts.netloc.lower()


def _challenge(verifier: str) -> str:
    """PKCE's S256 (RFC 7636, section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _hint(view: ConnectionView, person: Person) -> str | None:
    """Which login the network may offer first: the one of last time, where the same person comes back."""
    authorization = view.authorization
    same_person = authorization is not None and authorization.connector_id == person.id
    return authorization.subject_name if authorization and same_person and "@" in authorization.subject_name else None


def _permission_lost(view: ConnectionView) -> bool:
    lapse = open_lapse(view)
    return lapse is not None and lapse.cause is Verdict.PERMISSION_MISSING
