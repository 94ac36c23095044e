"""What the repositories of one transaction share."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Executable, Table, TextClause, select, tuple_

from commands.ports.clock import Clock
from storage.engine import insert
from storage.reading import Execute
from storage.secrets import Keyring
from storage.tables import NOBODY, counters

_Item = TypeVar("_Item")

MOST_PARAMETERS = 10_000
"""How many values one statement is given; SQLite takes 32,766 and PostgreSQL 32,767."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Counted:
    """What connections are counted by."""

    organization_id: UUID
    network: str
    client_id: UUID
    connector_id: UUID
    owner_id: UUID
    state: str

    @classmethod
    def of(
        cls,
        *,
        organization_id: UUID,
        network: str,
        client_id: UUID,
        connector_id: UUID | None,
        owner_id: UUID | None,
        state: str,
    ) -> "Counted":
        return cls(
            organization_id=organization_id,
            network=network,
            client_id=client_id,
            connector_id=connector_id or NOBODY,
            owner_id=owner_id or NOBODY,
            state=state,
        )


_insert_counters = insert(counters)
_ADD_TO_COUNTERS = _insert_counters.on_conflict_do_update(
    index_elements=["organization_id", "network", "client_id", "connector_id", "owner_id", "state"],
    set_={"number": counters.c.number + _insert_counters.excluded.number},
)


@dataclass(slots=True, kw_only=True)
class Work:
    """One transaction: what carries its statements out, the keys, the clock, and the counters it has yet to change."""

    execute: Execute
    keyring: Keyring
    clock: Clock
    _changes: dict[Counted, int] = field(default_factory=dict)

    async def run(self, statement: Executable, values: Any = None) -> None:
        """Execute a statement that gives nothing back."""
        await self.execute(statement, values)

    async def rows(
        self, statement: Executable, values: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> Sequence[Sequence[Any]]:
        """Execute, and give all rows. With a list of values, SQLAlchemy makes as few statements of it as it can."""
        return await self.execute(statement, values)

    async def row(self, statement: Executable, values: Mapping[str, Any] | None = None) -> Sequence[Any] | None:
        """Execute, and give the first row."""
        found = await self.execute(statement, values)
        return found[0] if found else None

    def count(self, counted: Counted, by: int) -> None:
        """Note a change to a counter."""
        self._changes[counted] = self._changes.get(counted, 0) + by

    async def write_counters(self) -> None:
        """Write the changes noted.

        Always last and in order, so that transactions never wait for each other in a circle, and hold the counters,
        which everybody shares, for as short as can be.
        """
        changes = [(counted, by) for counted, by in sorted(self._changes.items()) if by]
        self._changes.clear()
        if changes:
            values = [
                {
                    "organization_id": counted.organization_id,
                    "network": counted.network,
                    "client_id": counted.client_id,
                    "connector_id": counted.connector_id,
                    "owner_id": counted.owner_id,
                    "state": counted.state,
                    "number": by,
                }
                for counted, by in changes
            ]
            await self.run(_ADD_TO_COUNTERS, values)


def in_order(table: Table, *where: ColumnElement[bool] | TextClause) -> ColumnElement[bool]:
    """The condition of a change to several rows: those that `where` names, each locked first, in the order of their
    keys. Two that change some of the same rows then wait one for the other, never both in a circle; who waited looks
    at the rows as they are by then.
    """
    key = tuple(table.primary_key.columns)
    held = select(*key).where(*where).order_by(*key).with_for_update(key_share=True).cte("held")
    return (key[0] if len(key) == 1 else tuple_(*key)).in_(select(*held.c))


def portions(items: Sequence[_Item], *, each: int = 1) -> Iterator[Sequence[_Item]]:
    """Cut a long list into what one statement takes, where each item becomes so many parameters."""
    most = MOST_PARAMETERS // each
    for start in range(0, len(items), most):
        yield items[start : start + most]
