"""The organization that is measured, as rows: only the number of its connections differs from size to size.

People, clients, networks and what needs connecting stay the same, so that whatever grows with the size is a cost of
size alone. Every connection has a login of its own: for the watch that is the worst case.
"""

import base64
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Table

from commands.model import ConnectionState, Role, Verdict, WorkingHours
from commands.secret import Secret
from storage import Keyring, tables
from storage.rows import hours_values
from storage.secrets import Cell
from storage.views import URGENCY

PLATFORM, TEAM, ASKER = "slack", "T0BENCH", "U0BENCH0"
NETWORKS = ("linkedin", "meta", "tiktok")
CLIENTS, ADMINISTRATORS, CONNECTORS = 50, 10, 100
READERS = 2_000  # staff who may see everything and connected nothing
_PEOPLE = ADMINISTRATORS + CONNECTORS + READERS
NEEDING = 1_000  # connections that are lapsed; as many are unconnected, and as many are retired
CAUSES = (Verdict.EXPIRED, Verdict.REVOKED, Verdict.PERMISSION_MISSING)
KEYS = f"k1:{base64.urlsafe_b64encode(bytes(range(32))).decode()}"
_COMBINATIONS = CONNECTORS * len(NETWORKS)
_CANARY = "lapsebot can read this database"

Row = tuple[object, ...]


def keyring() -> Keyring:
    """The keys of all measured databases."""
    return Keyring.from_settings(Secret(KEYS))


def row_id(table: Table, number: int) -> UUID:
    """A time-ordered id, the same in every run."""
    return UUID(int=_FIRST_ID | _KINDS[table.name] << 48 | number)


METADATA = tables.organizations.metadata
_FIRST_ID = 0x0190_0000_0000_7000_8000_0000_0000_0000  # a UUIDv7: below are 62 bits, 48 of them for the number
_KINDS = {name: place for place, name in enumerate(sorted(METADATA.tables))}
ORGANIZATION = row_id(tables.organizations, 0)


def reader(number: int) -> int:
    """The person who is this reader."""
    return ADMINISTRATORS + CONNECTORS + number


def user_of(person: int) -> str:
    """The Slack user of a person."""
    return f"U0BENCH{person}"


@dataclass(frozen=True, slots=True)
class Place:
    """What a connection's number decides."""

    number: int
    state: ConnectionState
    network: str
    client: int
    connector: int
    """A person: administrators come first."""


def place_of(number: int, size: int) -> Place:
    """Scatter the states evenly over the table, and over every client, connector and network alike."""
    step = size // NEEDING
    lap, rest = divmod(number, step)
    states = (ConnectionState.LAPSED, ConnectionState.UNCONNECTED, ConnectionState.RETIRED)
    combination = (number + lap) % _COMBINATIONS
    connector = combination % CONNECTORS
    return Place(
        number=number,
        state=states[rest] if rest < len(states) else ConnectionState.ACTIVE,
        network=NETWORKS[combination // CONNECTORS],
        client=connector % CLIENTS,
        connector=ADMINISTRATORS + connector,
    )


@dataclass(slots=True, kw_only=True)
class DataSet:
    """The rows of one size. `now` is when everything was as it is; nothing is due before a measurement makes it so."""

    size: int
    now: datetime
    keys: Keyring
    _counted: Counter[tuple[object, ...]] = field(default_factory=Counter)

    def parts(self) -> Iterator[tuple[Table, Iterator[Row]]]:
        """Tables in the order in which they refer to each other, each with its rows in the order of its columns."""
        yield tables.canaries, self._canary()
        yield tables.organizations, iter([(ORGANIZATION, "Bench", "UTC", None, hours_values(WorkingHours()))])
        workspace = (row_id(tables.workspaces, 0), ORGANIZATION, PLATFORM, TEAM, "Bench", None, False, None)
        yield tables.workspaces, iter([workspace])
        yield (
            tables.clients,
            ((row_id(tables.clients, n), ORGANIZATION, f"Client {n}", f"client {n}") for n in range(CLIENTS)),
        )
        yield tables.people, (self._person(n) for n in range(_PEOPLE))
        yield tables.identities, (self._identity(n) for n in range(_PEOPLE))
        yield tables.authorizations, self._authorizations()
        yield tables.connections, self._connections()
        yield tables.lapses, self._lapses()
        yield (
            tables.counters,
            (
                (ORGANIZATION, network, client, connector, owner, state, number)
                for (network, client, connector, owner, state), number in self._counted.items()
            ),
        )

    def _canary(self) -> Iterator[Row]:
        cell = Cell(organization_id=tables.NOBODY, table="canaries", row=tables.NOBODY, column="value")
        yield tables.NOBODY, self.keys.encrypt(Secret(_CANARY), cell)

    def _person(self, number: int) -> Row:
        roles = [Role.PRIMARY_ADMINISTRATOR] + [Role.ADMINISTRATOR] * (ADMINISTRATORS - 1)
        role = roles[number] if number < ADMINISTRATORS else Role.STAFF
        name, email = f"Person {number}", f"person{number}@bench.example"
        return (
            *(row_id(tables.people, number), ORGANIZATION, name, name.casefold(), email, role.value),
            *(None, number == 0, None, None, None, None, None),
        )

    def _identity(self, number: int) -> Row:
        person = row_id(tables.people, number)
        return (
            *(row_id(tables.identities, number), ORGANIZATION, person, PLATFORM, TEAM, user_of(number)),
            *(self.now, self.now, None),
        )

    def _authorizations(self) -> Iterator[Row]:
        later, earlier = self.now + timedelta(days=3650), self.now - timedelta(minutes=30)
        obtained = self.now - timedelta(days=90)
        unread = "v1.k1." + "A" * 16 + "." + "A" * 96  # as long as a real one; a measurement encrypts what it reads
        for place in self._places():
            if place.state is ConnectionState.UNCONNECTED:
                continue
            ends_at = warn_at = None
            if place.network == "linkedin":
                is_over = place.state is ConnectionState.LAPSED
                ends_at = self.now + timedelta(days=-3 if is_over else 30 + place.number % 335, seconds=place.number)
                warn_at = None if is_over else ends_at - timedelta(days=14)
            yield (
                *(row_id(tables.authorizations, place.number), ORGANIZATION, place.network, str(place.number)),
                *(f"Login {place.number}", row_id(tables.people, place.connector), ["read", "report"], obtained),
                *(ends_at, warn_at, earlier, earlier, later, None, None, "", None, 1, unread, None, None, self.now),
                *(None, 0, None),
            )

    def _connections(self) -> Iterator[Row]:
        for place in self._places():
            is_connected = place.state is not ConnectionState.UNCONNECTED
            client, person = row_id(tables.clients, place.client), row_id(tables.people, place.connector)
            connector = person if is_connected else None
            counted = (place.network, client, connector or tables.NOBODY, person, place.state.value)
            self._counted[counted] += 1
            name = f"Account {place.number} of Client {place.client}"
            yield (
                *(row_id(tables.connections, place.number), ORGANIZATION, client, place.network),
                *(f"{7_000_000_000 + place.number}", name, name.casefold(), place.state.value, URGENCY[place.state]),
                self._lapsed_since(place) if place.state is ConnectionState.LAPSED else None,
                *("8194", "Business 8194", row_id(tables.authorizations, place.number) if is_connected else None),
                *(connector, person, None, None, self.now - timedelta(minutes=30) if is_connected else None),
            )

    def _lapses(self) -> Iterator[Row]:
        for place in lapsed_places(self.size):
            since = self._lapsed_since(place)
            yield (
                *(row_id(tables.lapses, place.number), ORGANIZATION, row_id(tables.connections, place.number)),
                *(row_id(tables.authorizations, place.number), CAUSES[place.number % len(CAUSES)].value),
                *({"check": "bench"}, since - timedelta(hours=1), since, None, None, None, None, None),
            )

    def _places(self) -> Iterator[Place]:
        return (place_of(number, self.size) for number in range(self.size))

    def _lapsed_since(self, place: Place) -> datetime:
        return self.now - timedelta(minutes=1 + place.number * NEEDING // self.size)


def lapsed_places(size: int) -> Sequence[Place]:
    """Where the lapsed connections are."""
    return [place_of(number, size) for number in range(0, size, size // NEEDING)]
