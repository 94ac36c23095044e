"""Who hears of a lapse, and in which part. A pure function over facts; asks `commands/access.py` who may see what.

Staff and administrators have every lapse in their list by default (N-7); of them only those who opted in, or are to
act, get a message.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from commands.access import may_see, takes_immediate_notices
from commands.ids import ClientId, LapseId, PersonId
from commands.model import (
    Channel,
    Connection,
    ConnectionView,
    Mute,
    Person,
    Preference,
    Rhythm,
    Subscription,
    Topic,
    Workspace,
)
from commands.ports.notices import Part

ParentKey = tuple[str, str]
"""A network's slug and a parent's id there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Somebody who is told, in one part. For a channel, `person` is who set it up: they bound what it shows, narrowed
    to what may be spoken of there.
    """

    person: Person
    part: Part
    channel: Channel | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Circle:
    """Those in an organization who may have to hear, besides each connection's own people."""

    administrators: Sequence[Person]
    subscriptions: Sequence[Subscription]
    """The oldest first."""
    subscribers: Mapping[PersonId, Person]
    """The people of `subscriptions`."""
    workspaces: Sequence[Workspace] = ()
    """Some are narrowed to clients (X-11)."""
    gone: frozenset[PersonId] = frozenset()
    """People whose every chat account is deactivated (N-12)."""
    others: Mapping[ParentKey, Sequence[Person]] = field(default_factory=dict)
    """Who is known to hold a role under a parent, for parents of which a connector is gone."""
    mutes: Sequence[Mute] = ()

    def is_gone(self, person: Person | None) -> bool:
        """Whether a connector cannot be counted on. Nobody is not somebody who is gone."""
        return person is not None and (person.left_at is not None or person.id in self.gone)


def audience(
    views: Iterable[ConnectionView], circle: Circle, *, copies: bool = True
) -> dict[Reader, tuple[ConnectionView, ...]]:
    """Give everybody who is to hear of these accounts, each with those that they may see.

    A person hears of one once, in their highest part: connector, owner, stand-in, administrator, subscriber. A channel
    hears of it once too, in the name of whoever of its subscribers asked first and may see it. Without `copies`
    administrators hear only where they have to take over, or asked for it.
    """
    away = frozenset((mute.lapse_id, mute.person_id) for mute in circle.mutes if mute.until is None)
    told: dict[Reader, list[ConnectionView]] = {}
    for view in views:
        for reader in _readers(view, circle, away, copies=copies):
            told.setdefault(reader, []).append(view)
    return {reader: tuple(own) for reader, own in told.items()}


def covers(subscription: Subscription, connection: Connection) -> bool:
    """Whether an opt-in asks for this connection. Says nothing about whether the reader may see it."""
    return subscription.network in (None, connection.network) and subscription.client_id in (None, connection.client_id)


def heard_in(person: Person, channel: Channel | None, workspaces: Iterable[Workspace]) -> Person:
    """The reader, narrowed to the clients that may be spoken of in the channel's workspace. What a person hears in
    direct messages is bounded by their own rights alone.
    """
    if channel is None:
        return person
    for workspace in workspaces:
        if (workspace.platform, workspace.external_id) == (channel.platform, channel.tenant):
            return replace(person, within=workspace.client_ids)
    return person


def rhythm_for(
    preferences: Iterable[Preference], person_id: PersonId, topic: Topic, network: str, client_id: ClientId
) -> Rhythm:
    """How often somebody wants to hear of this (N-16): their most exact wish, else at once."""
    wishes = {
        (wish.network, wish.client_id): wish.rhythm
        for wish in preferences
        if wish.person_id == person_id and wish.topic is topic
    }
    for key in ((network, client_id), (None, client_id), (network, None), (None, None)):
        if key in wishes:
            return wishes[key]
    return Rhythm.IMMEDIATE


def copies_administrators(view: ConnectionView, reader: PersonId, circle: Circle, held: Iterable[PersonId]) -> bool:
    """Whether this reader's last reminder is the one that administrators get a copy of: of connector and owner the
    first who can be counted on and is told now, so that the copies come once. `held`: who wants no reminder now.
    """
    answering = [person.id for person in view.answering if not circle.is_gone(person) and person.id not in held]
    return not answering or answering[0] == reader


def _readers(
    view: ConnectionView, circle: Circle, away: frozenset[tuple[LapseId, PersonId]], *, copies: bool
) -> list[Reader]:
    heard: set[PersonId | Channel] = set()
    readers = []
    for candidate in _candidates(view, circle, copies=copies):
        person, channel = candidate.person, candidate.channel
        who = person.id if channel is None else channel
        if who in heard or not may_see(person, view.connection):
            continue
        heard.add(who)
        if channel is not None or view.lapse is None or (view.lapse.id, person.id) not in away:
            readers.append(candidate)
    return readers


def _candidates(view: ConnectionView, circle: Circle, *, copies: bool) -> Iterable[Reader]:
    """Everybody with a reason to hear, the highest part first."""
    if view.connector is not None:
        yield Reader(person=view.connector, part=Part.CONNECTOR)
    if view.owner is not None:
        yield Reader(person=view.owner, part=Part.OWNER)
    if circle.is_gone(view.connector):
        parent = view.connection.parent
        others = circle.others.get((view.connection.network, parent.id), ()) if parent is not None else ()
        for person in (*circle.administrators, *others):
            yield Reader(person=person, part=Part.STAND_IN)
    for administrator in circle.administrators if copies else ():
        if takes_immediate_notices(administrator):
            yield Reader(person=administrator, part=Part.ADMINISTRATOR)
    for subscription in circle.subscriptions:
        person_or_none = circle.subscribers.get(subscription.person_id)
        if person_or_none is not None and covers(subscription, view.connection):
            part = Part.SUBSCRIBER if subscription.channel is None else Part.CHANNEL
            heard = heard_in(person_or_none, subscription.channel, circle.workspaces)
            yield Reader(person=heard, part=part, channel=subscription.channel)
