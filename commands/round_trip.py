"""The round trip through a network's login, whatever it is for: its addresses, its limits, what came back.

Knows no pages, and asks networks by their port. No transaction is held across a call out.
"""

import asyncio
import base64
import hashlib
import logging
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit

from commands.auditing import Actor, entry
from commands.command import Services
from commands.errors import NetworkError
from commands.ids import AttemptId, AuthorizationId, new_id, to_wire
from commands.model import Evidence, Finding, Verdict
from commands.outcomes import Outcome, OutcomeKind
from commands.ports.auditing import AuditEntry
from commands.ports.network import Discovery, Grant, Network, NetworkSpec
from commands.ports.reconnecting import Attempt, Link, Session
from commands.ports.storage import UnitOfWork
from commands.secret import Secret, hashed

logger = logging.getLogger(__name__)
_CODE = re.compile(r"[\w.:-]{1,80}", re.ASCII)

ATTEMPT_LIFE = timedelta(minutes=10)
NETWORK_LIMIT = 45.0
"""Seconds that a network may take for all that finishing asks: inside the pages' own limit, so that an end is
written.
"""
LANDING = timedelta(minutes=1)
"""How long finishing a login that came back may take in all: the pages' own limit. After that its process is dead."""
BEGIN_LIMIT = 15.0
"""Seconds that a network may take to prepare a login: somebody waits for the page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """An attempt was opened: the browser goes on to `url`, which carries `state`."""

    attempt_id: AttemptId
    url: str = field(repr=False)
    state: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotStarted:
    """The network could not prepare a login. The attempt is over, and remembers how."""

    attempt_id: AttemptId


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAttempt:
    """An attempt that is about to be opened, with what only the browser and the network will see of it."""

    attempt: Attempt
    state: str = field(repr=False)
    verifier: str = field(repr=False)

    @property
    def state_hash(self) -> bytes:
        """What is stored of the state."""
        return hashed(self.state)


def login_address(services: Services, slug: str) -> str:
    """Where the network's login is: for a page's headers, and for telling whence an answer should come."""
    return services.networks[slug].login_url


def redirect_uri(services: Services, slug: str) -> str:
    """Where the network sends the browser back to: a path of its own for each network."""
    return f"{services.public_url}/oauth/cb/{slug}"


def new_attempt(
    services: Services, link: Link, session: Session, network: Network, authorization_id: AuthorizationId | None
) -> NewAttempt:
    """Prepare an attempt. Nothing is written yet."""
    now, verifier = services.clock.now(), secrets.token_urlsafe(48)
    attempt = Attempt(
        id=AttemptId(new_id(now)),
        organization_id=link.organization_id,
        link_id=link.id,
        person_id=link.person_id,
        connection_id=link.connection_id,
        authorization_id=authorization_id,
        network=network.spec.slug,
        session_id=session.id,
        redirect_uri=redirect_uri(services, network.spec.slug),
        code_verifier=Secret(verifier) if network.spec.uses_pkce else None,
        opened_at=now,
        expires_at=now + ATTEMPT_LIFE,
    )
    return NewAttempt(attempt=attempt, state=secrets.token_urlsafe(32), verifier=verifier)


async def begin(
    services: Services, new: NewAttempt, network: Network, *, login_hint: str | None, again: bool
) -> Started | Outcome:
    """Ask the network where the browser goes, now that the attempt is open. An Outcome: nowhere, the attempt is over.

    What the network gives for the exchange alone is kept with the attempt.
    """
    attempt = new.attempt
    try:
        async with asyncio.timeout(BEGIN_LIMIT):
            begun = await network.begin(
                state=new.state,
                redirect_uri=attempt.redirect_uri,
                code_challenge=_challenge(new.verifier) if network.spec.uses_pkce else None,
                login_hint=login_hint,
                again=again,
            )
    except NetworkError as error:
        return _outcome_of_error(error, attempt)
    except TimeoutError:
        return Outcome(kind=OutcomeKind.NETWORK_DOWN, verdict=Verdict.NETWORK_DOWN)
    if begun.secret is not None:
        async with services.storage.transaction() as uow:
            await uow.attempts.entrust(attempt.organization_id, attempt.id, code_verifier=begun.secret)
    return Started(attempt_id=attempt.id, url=begun.url, state=new.state)


@dataclass(frozen=True, slots=True, kw_only=True)
class CameBack:
    """A login that the network proved."""

    network: Network
    grant: Grant
    discovery: Discovery


async def came_back(services: Services, attempt: Attempt, answer: Mapping[str, str]) -> CameBack | Outcome:
    """Exchange what the callback brought, and ask whom and what that reaches. Writes nothing."""
    network = services.networks.get(attempt.network)
    if network is None:
        logger.error("no credentials for network %s: a login that was under way is lost", attempt.network)
        return Outcome(kind=OutcomeKind.OUR_FAULT)
    if "iss" in answer and _origin(answer["iss"]) != _origin(login_address(services, attempt.network)):
        return Outcome(kind=OutcomeKind.FOREIGN_ANSWER)
    refused = _refused(network.spec, answer, attempt)
    if refused is not None:
        return refused
    try:
        async with asyncio.timeout(NETWORK_LIMIT):
            grant = await network.exchange(
                answer=answer,
                redirect_uri=attempt.redirect_uri,
                code_verifier=attempt.code_verifier.reveal() if attempt.code_verifier else None,
            )
            discovery = await network.discover(grant.tokens)
    except NetworkError as error:
        return _outcome_of_error(error, attempt)
    except TimeoutError:
        return Outcome(kind=OutcomeKind.NETWORK_DOWN, verdict=Verdict.NETWORK_DOWN)
    return CameBack(network=network, grant=grant, discovery=discovery)


async def give_back(services: Services, back: CameBack) -> None:
    """Revoke a login that was not used, unless somebody here relies on it: then what they rely on is looked at now,
    since some networks end one grant of a login by the next.
    """
    slug, subject_id = back.network.spec.slug, back.discovery.subject_id
    if await services.storage.directory.subject_known(slug, subject_id):
        await services.storage.queues.look_now(slug, [subject_id], now=services.clock.now())
    else:
        await back.network.revoke(back.grant.tokens)


async def close(services: Services, uow: UnitOfWork, attempt: Attempt, outcome: Outcome) -> bool:
    """Write how an attempt ended. False, and nothing is written, if it was ended already."""
    return await uow.attempts.finish(
        attempt.organization_id, attempt.id, outcome=outcome.to_json(), at=services.clock.now()
    )


def refusal(services: Services, attempt: Attempt, outcome: Outcome, origin: str) -> AuditEntry:
    """What the audit log keeps of a login that changed nothing."""
    connection_id = attempt.connection_id
    by = Actor(organization_id=attempt.organization_id, person_id=attempt.person_id, origin=origin)
    detail = {"outcome": outcome.kind.value, "login": outcome.used_login}
    now = services.clock.now()
    if connection_id is None:
        return entry(by, now, "connecting failed", f"network {attempt.network}", **detail)
    return entry(by, now, "reconnecting failed", f"connection {to_wire(connection_id)}", **detail)


def _refused(spec: NetworkSpec, answer: Mapping[str, str], attempt: Attempt) -> Outcome | None:
    """What an answer without a login in it means; None: there is one. Of its words only what looks like a code is
    kept.
    """
    code = answer.get("error", "")
    if spec.denied_with in answer or code in spec.cancelled_by:
        return Outcome(kind=OutcomeKind.DECLINED)
    if "error" not in answer:
        return None
    evidence = Evidence(check="login", code=code if _CODE.fullmatch(code) else None)
    refusal = Finding(verdict=spec.refused_by.get(code, Verdict.UNCLEAR), evidence=evidence)
    return _outcome_of_error(NetworkError(refusal), attempt)


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
