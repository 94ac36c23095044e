"""Transferring a login, or an account that a login reached, to the owner for whom it is wanted (R-10, R-11): asks
first, and says afterwards how much works (A-6).
"""

from dataclasses import dataclass, replace

from aiohttp import web

from bot.web.attempts import OwnAttempt, own_attempt
from bot.web.site import SITE, last_value, leads_nowhere, page, read_fields
from commands.access import Act, may, may_see
from commands.aftermath import Count, count_working
from commands.auditing import By
from commands.command import Services
from commands.drawing import network_name
from commands.ids import to_wire
from commands.linking import origin_of
from commands.model import ConnectionView
from commands.outcomes import Outcome, OutcomeKind
from commands.ports.reconnecting import Attempt
from commands.ports.storage import UnitOfWork
from commands.profiles import profile_of
from commands.transfers import (
    MayNotTransfer,
    NoAccess,
    ProfileTransfer,
    allowed,
    of_profile,
    with_their_business,
    write,
    write_profile,
)
from commands.wording import Sentence, named, shown

_CHANGED = Sentence("It changed a moment ago, or is not yours to transfer. Go back and look again.")


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferFacts:
    """What the page says: a question, how it was answered (`done`), or why it cannot be (`refused`)."""

    what: str
    """The login's or account's name."""
    login: bool
    was: str
    to: str
    moving: tuple[ConnectionView, ...]
    back: str
    path: str = ""
    account: str = ""
    done: Count | None = None
    refused: str = ""


async def show_login(request: web.Request) -> web.StreamResponse:
    """Ask whether the login that an attempt came back with is to be the account's owner's. Changes nothing."""
    own = await own_attempt(request)
    if own is None:
        return leads_nowhere(request)
    async with request.app[SITE].services.storage.reading() as uow:
        wanted = await _login(uow, own)
    if wanted is None:
        return leads_nowhere(request)
    return _page(request, own, _facts_of_login(own.attempt, wanted))


async def transfer_login(request: web.Request) -> web.StreamResponse:
    """Transfer it, with what hangs on it of its former owner's."""
    site = request.app[SITE]
    await read_fields(request, await site.session(request))
    own = await own_attempt(request)
    if own is None:
        return leads_nowhere(request)
    async with site.services.storage.transaction() as uow:
        wanted = await _login(uow, own)
        if wanted is None:
            return leads_nowhere(request)
        facts = _facts_of_login(own.attempt, wanted)
        try:
            await write_profile(uow, _by(site.services, own), wanted)  # refuses before it writes
        except (MayNotTransfer, NoAccess) as refusal:
            return _page(request, own, replace(facts, refused=_why(refusal, facts.to)))
        locator = await uow.links.locator(own.attempt.organization_id, own.attempt.link_id)
    count = await count_working(site.services, own.attempt.organization_id, wanted.moving)
    back = f"/r/{locator}" if locator else facts.back
    return _page(request, own, replace(facts, done=count, back=back))


async def show_account(request: web.Request) -> web.StreamResponse:
    """Ask whether an account that is to be chosen from is to be the reader's, instead of its owner's."""
    own = await own_attempt(request)
    account_id = request.query.get("account", "")
    found = await _account(request.app[SITE].services, own, account_id) if own is not None else None
    if own is None or found is None:
        return leads_nowhere(request)
    return _page(request, own, _facts_of_account(own, *found))


async def transfer_account(request: web.Request) -> web.StreamResponse:
    """Transfer it, with what its owner has under the same business."""
    site = request.app[SITE]
    fields = await read_fields(request, await site.session(request))
    own = await own_attempt(request)
    account_id = last_value(fields, "account")
    found = await _account(site.services, own, account_id) if own is not None else None
    if own is None or found is None:
        return leads_nowhere(request)
    view, _ = found
    facts, person = _facts_of_account(own, *found), own.person
    try:
        async with site.services.storage.transaction() as uow:
            fresh = await uow.connections.views(person.organization_id, [view.connection.id])
            views = await with_their_business(uow, person, fresh)
            allowed(person, person, views)
            moving = tuple(one for one in views if one.connection.owner_id != person.id)
            await write(uow, _by(site.services, own), person, moving)
    except (MayNotTransfer, NoAccess) as refusal:
        return _page(request, own, replace(facts, refused=_why(refusal, facts.to)))
    count = await count_working(site.services, person.organization_id, moving)
    return _page(request, own, replace(facts, moving=moving, done=count))


async def _login(uow: UnitOfWork, own: OwnAttempt) -> ProfileTransfer | None:
    """The login that the attempt was refused for, and what transferring it comes to; None: nothing of the kind."""
    attempt = own.attempt
    outcome = Outcome.from_json(attempt.outcome) if attempt.outcome else None
    if outcome is None or outcome.kind is not OutcomeKind.OTHER_OWNER or attempt.connection_id is None:
        return None
    view = await uow.connections.view(attempt.organization_id, attempt.connection_id)
    known = await uow.authorizations.by_subject(attempt.organization_id, attempt.network, outcome.login_id)
    if view is None or view.owner is None or known is None or not may_see(own.person, view.connection):
        return None
    profile = await profile_of(uow, known)
    if profile.owner is None or profile.owner.id == view.owner.id:
        return None
    wanted = of_profile(own.person, profile, view.owner)
    return wanted if wanted.may else None


async def _account(
    services: Services, own: OwnAttempt | None, account_id: str
) -> tuple[ConnectionView, tuple[ConnectionView, ...]] | None:
    """An account of another owner that this person may transfer, and all that would go along."""
    if own is None or own.attempt.connection_id is not None or not account_id:
        return None
    attempt, person = own.attempt, own.person
    async with services.storage.reading() as uow:
        views = await uow.connections.of_accounts(attempt.organization_id, attempt.network, [account_id])
        view = views[0] if views else None
        if view is None or view.connection.owner_id in (None, person.id) or not may(person, Act.TRANSFER, view):
            return None
        along = await with_their_business(uow, person, [view])
    return view, tuple(one for one in along if one.connection.owner_id != person.id)


def _facts_of_login(attempt: Attempt, wanted: ProfileTransfer) -> TransferFacts:
    back, owner = f"/a/{to_wire(attempt.id)}", wanted.profile.owner
    return TransferFacts(
        what=wanted.profile.authorization.subject_name,
        login=True,
        was=owner.name if owner is not None else "",
        to=wanted.to.name,
        moving=wanted.moving,
        back=back,
        path=f"{back}/transfer",
    )


def _facts_of_account(own: OwnAttempt, view: ConnectionView, moving: tuple[ConnectionView, ...]) -> TransferFacts:
    back, person = f"/choose/{to_wire(own.attempt.id)}", own.person
    return TransferFacts(
        what=view.connection.account_name,
        login=False,
        was=view.owner.name if view.owner is not None else "",
        to=person.name,
        moving=moving,
        back=back,
        path=f"{back}/transfer",
        account=view.connection.account_id,
    )


def _by(services: Services, own: OwnAttempt) -> By:
    return By(person=own.person, origin=origin_of(own.session), at=services.clock.now())


def _why(refusal: MayNotTransfer | NoAccess, to: str) -> Sentence:
    if isinstance(refusal, MayNotTransfer):
        return _CHANGED
    return Sentence(
        "{name} has no access to client {clients}. An administrator can give it, and then transfer.",
        name=named(to),
        clients=tuple(shown(client) for client in refusal.clients[:3]),
    )


def _page(request: web.Request, own: OwnAttempt, facts: TransferFacts) -> web.Response:
    network = network_name(request.app[SITE].services.networks, own.attempt.network)
    status = 409 if facts.refused else 200
    return page(request, "transfer.html", session=own.session, status=status, network=network, t=facts)
