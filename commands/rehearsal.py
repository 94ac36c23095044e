"""What a Reconnect page says before the login: what happened, what to check, whether to go on (R-1, R-2, X-5).

Made of what is stored; nothing is asked of a network.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from commands.access import Standing, may_reconnect, may_see
from commands.causes import lapse_text
from commands.drawing import ID_LIMIT, RENEWABLE_WITHIN
from commands.ids import PersonId
from commands.model import ConnectionState, ConnectionView, Organization, Person
from commands.moves import Move, read_move
from commands.ports.network import CauseText, NetworkSpec
from commands.ports.reconnecting import Link, UnderWay
from commands.ports.storage import UnitOfWork
from commands.wording import Fact, Sentence, duration, names_in, shown


class Offer(StrEnum):
    """What the page can do for its reader."""

    RECONNECT = "reconnect"
    CONNECT = "connect"
    """It was never connected."""
    RENEW = "renew"
    """It works, but its consent ends soon: a planned login now saves a lapse."""
    WORKING = "working"
    """There is nothing to do."""
    NOT_HELPING = "not_helping"
    """Something on the network has to be put right first (R-7)."""
    UNAVAILABLE = "unavailable"
    """The network has no credentials here: the operator's to mend."""


MAY_START = frozenset({Offer.RECONNECT, Offer.CONNECT, Offer.RENEW})
"""Offers that a press of the page's button takes up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Helpers:
    """Who can help, on pages that say that something did not work (R-15)."""

    connector: str | None
    """Who connected it, unless that is the reader."""
    administrators: tuple[str, ...]
    """Names, the primary administrator's first; the reader's own is left out."""
    support_contact: str | None
    role_holders: tuple[str, ...] = ()
    """Others who connected something under the same business, and so are known to hold a role there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HalfWay:
    """A login of the reader's own that is under way: begun and left, or coming back at this moment (R-18)."""

    attempt: UnderWay
    ago: Sentence
    """How long since it was begun, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """The facts of a Reconnect page, for the one person that it is for."""

    organization: Organization
    person: Person
    view: ConnectionView
    spec: NetworkSpec | None
    """None where the network has no credentials here."""
    offer: Offer
    cause: CauseText | None
    missing: tuple[str, ...]
    """Labels of the permissions whose loss caused the lapse."""
    checklist: tuple[Sentence, ...]
    siblings: tuple[ConnectionView, ...]
    """What else comes back with the same login, as far as the reader may see it."""
    helpers: Helpers
    at_it: Sentence | None = None
    """Who is reconnecting it, or has claimed it, in words; None: nobody but the reader (X-4)."""
    at_it_since: datetime | None = None
    """Since when they are reconnecting it; None: it is a claim."""
    begun: HalfWay | None = None
    own_role: bool = False
    """The reader has a login and a role of their own to come with: they are not the one who connected it."""
    move: Move | None = None
    """Where the account went, if it lapsed because it moved (X-2)."""
    failing_since: datetime | None = None
    """Since when the network fails for many at once, as the organization was told (X-3)."""


async def rehearse(
    uow: UnitOfWork, link: Link, view: ConnectionView, spec: NetworkSpec | None, *, person: Person, now: datetime
) -> Rehearsal | None:
    """Gather what the page of a link shows. None: it leads nowhere, for it may not be seen or is retired."""
    offer = _offer(person, view, spec, now)
    if offer is None:
        return None
    lapse, under_way = view.open_lapse, None
    if offer in MAY_START:
        under_way = await uow.attempts.under_way(
            link.organization_id, link_id=link.id, authorization_id=view.connection.authorization_id, now=now
        )
    others = under_way is not None and under_way.person_id != person.id
    return Rehearsal(
        organization=await uow.organizations.get(person.organization_id),
        person=person,
        view=view,
        spec=spec,
        offer=offer,
        cause=lapse_text(spec, lapse) if spec and lapse else None,
        missing=lapse.evidence.missing if lapse else (),
        checklist=checklist(spec, view, person) if spec and offer in MAY_START else (),
        siblings=await _siblings(uow, person, view) if offer in MAY_START else (),
        helpers=await helpers_of(uow, person, view),
        at_it=_at_it(person, view, now) if offer in MAY_START else None,
        at_it_since=under_way.opened_at if under_way and others else None,
        begun=half_way(under_way, now) if under_way and not others else None,
        own_role=may_reconnect(person, view).standing is not Standing.CONNECTOR,
        move=await read_move(uow, person, view),
        failing_since=await _failing_since(uow, view, now) if offer in MAY_START else None,
    )


async def _failing_since(uow: UnitOfWork, view: ConnectionView, now: datetime) -> datetime | None:
    connection = view.connection
    standing = await uow.outages.standing(connection.organization_id)
    since = [one.since for one in standing if one.network == connection.network and one.holds(now)]
    return min(since, default=None)


def half_way(attempt: UnderWay, now: datetime) -> HalfWay:
    """Words for an attempt that is under way."""
    return HalfWay(attempt=attempt, ago=duration(now - attempt.opened_at))


def _at_it(person: Person, view: ConnectionView, now: datetime) -> Sentence | None:
    if view.reconnecting_by is not None and view.reconnecting_id != person.id:
        return Sentence("{name} is reconnecting it", name=shown(view.reconnecting_by))
    claim = view.standing_claim(now)
    if claim is not None and claim.person_id != person.id:
        return Sentence("{name} is on it", name=shown(view.claimant_name or "") or Sentence("somebody"))
    return None


async def helpers_of(uow: UnitOfWork, person: Person, view: ConnectionView | None) -> Helpers:
    """Who can help this person with this connection; None: with connecting new accounts."""
    organization = await uow.organizations.get(person.organization_id)
    administrators = await uow.people.administrators(person.organization_id)
    connector = view.connector if view and view.connector and view.connector.left_at is None else None
    asked = {person.id, connector.id if connector else None}
    names = tuple(shown(admin.name) for admin in administrators if admin.id not in asked)
    return Helpers(
        connector=shown(connector.name) if connector and connector.id != person.id else None,
        administrators=names[:2],
        support_contact=organization.support_contact,
        role_holders=await _role_holders(uow, view, {*asked, *(admin.id for admin in administrators)}) if view else (),
    )


async def _role_holders(uow: UnitOfWork, view: ConnectionView, asked: set[PersonId | None]) -> tuple[str, ...]:
    connection = view.connection
    if connection.parent is None:
        return ()
    parent_id, organization_id = connection.parent.id, connection.organization_id
    known = await uow.connections.others_under(organization_id, connection.network, [parent_id])
    ids = [person_id for person_id in known.get(parent_id, ()) if person_id not in asked]
    people = await uow.people.many(organization_id, ids) if ids else {}
    # Of a colleague limited to other clients nothing is told by naming them: that they work here is no secret.
    return tuple(shown(people[person_id].name) for person_id in ids if person_id in people)[:2]


def checklist(spec: NetworkSpec, view: ConnectionView, person: Person) -> tuple[Sentence, ...]:
    """The network's sentences with the facts of this connection filled in; one whose fact is not known is left out.

    Whose login it was is no advice to a colleague, who has one of their own (P-2).
    """
    connection, authorization = view.connection, view.authorization
    if may_reconnect(person, view).standing is Standing.ROLE_UNKNOWN:
        authorization = None
    facts = {
        "account": shown(connection.account_name),
        "account_id": shown(connection.account_id, ID_LIMIT),
        "subject": shown(authorization.subject_name) if authorization else "",
        "parent": shown(connection.parent.name) if connection.parent else "",
        "parent_id": shown(connection.parent.id, ID_LIMIT) if connection.parent else "",
    }
    return sentences(spec, facts)


def sentences(spec: NetworkSpec, facts: Mapping[str, str]) -> tuple[Sentence, ...]:
    """The network's checklist with these facts; a sentence that names another is left out."""
    known: dict[str, Fact] = {**facts, "permissions": tuple(permission.label for permission in spec.permissions)}
    named = [(text, names_in(text)) for text in spec.checklist]
    return tuple(
        Sentence(text, **{name: known[name] for name in names}) if names else Sentence(text.format())
        for text, names in named
        if all(known.get(name) for name in names)
    )


def _offer(person: Person, view: ConnectionView, spec: NetworkSpec | None, now: datetime) -> Offer | None:
    decision = may_reconnect(person, view)
    if decision.standing in (Standing.HIDDEN, Standing.RETIRED):
        return None
    if view.connection.state is ConnectionState.ACTIVE:
        ends_at = view.authorization.ends_at if view.authorization else None
        soon = ends_at is not None and ends_at <= now + RENEWABLE_WITHIN
        return Offer.RENEW if soon and spec is not None else Offer.WORKING
    if decision.standing is Standing.NOT_HELPING:
        return Offer.NOT_HELPING
    if spec is None:
        return Offer.UNAVAILABLE
    return Offer.CONNECT if view.connection.state is ConnectionState.UNCONNECTED else Offer.RECONNECT


async def _siblings(uow: UnitOfWork, person: Person, view: ConnectionView) -> tuple[ConnectionView, ...]:
    """Those that wait for the same login. The page says nothing of what works."""
    connection = view.connection
    if connection.authorization_id is None:
        return ()
    under = await uow.connections.under(connection.organization_id, connection.authorization_id)
    return tuple(
        sibling
        for sibling in under
        if sibling.connection.id != connection.id
        and sibling.connection.state is ConnectionState.LAPSED
        and may_see(person, sibling.connection)
    )
