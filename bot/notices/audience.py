"""Who hears of a lapse, and in which part. A pure function over facts; asks `commands/access.py` who may see what."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from commands.access import is_administrator, may_see
from commands.ids import PersonId
from commands.model import Channel, Connection, ConnectionView, Person, Role, Subscription
from commands.ports.notices import Part


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Somebody who is told, in one part. For a channel, `person` is who set it up: they bound what it shows."""

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


def audience(views: Iterable[ConnectionView], circle: Circle) -> dict[Reader, tuple[ConnectionView, ...]]:
    """Give everybody who is to hear of these lapses, each with those that they may see.

    A person hears of a lapse once, in their highest part: connector, owner, administrator, subscriber. A channel
    hears of it once too, in the name of whoever of its subscribers asked first and may see it.
    """
    told: dict[Reader, tuple[ConnectionView, ...]] = {}
    for view in views:
        for reader in _readers(view, circle):
            told[reader] = (*told.get(reader, ()), view)
    return told


def takes_immediate_notices(person: Person) -> bool:
    """Whether an administrator is copied on first notices: the primary one always, others unless they said no (N-5)."""
    return is_administrator(person) and (person.role is Role.PRIMARY_ADMINISTRATOR or person.immediate_notices)


def covers(subscription: Subscription, connection: Connection) -> bool:
    """Whether an opt-in asks for this connection. Says nothing about whether the reader may see it."""
    return subscription.network in (None, connection.network) and subscription.client_id in (None, connection.client_id)


def _readers(view: ConnectionView, circle: Circle) -> list[Reader]:
    heard: set[PersonId | Channel] = set()
    readers = []
    for person, part, channel in _candidates(view, circle):
        who = person.id if channel is None else channel
        if who not in heard and may_see(person, view.connection):
            heard.add(who)
            readers.append(Reader(person=person, part=part, channel=channel))
    return readers


def _candidates(view: ConnectionView, circle: Circle) -> Iterable[tuple[Person, Part, Channel | None]]:
    """Everybody with a reason to hear, the highest part first."""
    if view.connector is not None:
        yield view.connector, Part.CONNECTOR, None
    if view.owner is not None:
        yield view.owner, Part.OWNER, None
    for administrator in circle.administrators:
        if takes_immediate_notices(administrator):
            yield administrator, Part.ADMINISTRATOR, None
    for subscription in circle.subscriptions:
        person = circle.subscribers.get(subscription.person_id)
        if person is not None and covers(subscription, view.connection):
            part = Part.SUBSCRIBER if subscription.channel is None else Part.CHANNEL
            yield person, part, subscription.channel
