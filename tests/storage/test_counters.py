"""The counters equal a recount, whatever was done."""

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from commands.ids import AuthorizationId, ConnectionId, new_id
from commands.model import Authorization, Connection, ConnectionState
from commands.ports.storage import NotThere
from storage import SqlStorage
from storage.tables import NOBODY, connections, counters
from tests.support.clock import FakeClock
from tests.support.seed import Seeded, fresh_storage, seed
from tests.support.sqlite import copied

ACTIONS = st.one_of(
    st.tuples(st.just("state"), st.integers(0, 5), st.sampled_from(list(ConnectionState))),
    st.tuples(st.just("attach"), st.integers(0, 5), st.booleans()),
    st.tuples(st.just("own"), st.integers(0, 5), st.booleans()),
    st.tuples(st.just("merge"), st.just(0), st.booleans()),
    st.tuples(st.just("add"), st.integers(0, 9), st.sampled_from(list(ConnectionState))),
    st.tuples(st.just("break off"), st.integers(0, 5), st.sampled_from(list(ConnectionState))),
)


class BrokenOff(Exception):
    """Ends a transaction without a commit."""


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(transactions=st.lists(st.lists(ACTIONS, max_size=4), max_size=6))
def test_counters_equal_a_recount(empty_database: Path, transactions: list[list[tuple[str, int, object]]]) -> None:
    with copied(empty_database) as url:
        asyncio.run(play(url, transactions))


async def play(url: str, transactions: list[list[tuple[str, int, object]]]) -> None:
    clock = FakeClock()
    async with fresh_storage(url, clock) as storage:
        seeded = await seed(storage, clock.now(), connections=6)
        async with storage.transaction() as uow:
            other = AuthorizationId(new_id(clock.now()))
            await uow.authorizations.add(_other(seeded, other), seeded.tokens)
        for actions in transactions:
            with suppress(BrokenOff):
                await carry_out(storage, seeded, other, actions, clock)
            assert await counted(storage) == await recounted(storage)


async def carry_out(
    storage: SqlStorage,
    seeded: Seeded,
    other: AuthorizationId,
    actions: list[tuple[str, int, object]],
    clock: FakeClock,
) -> None:
    async with storage.transaction() as uow:
        for action, place, how in actions:
            if action in ("state", "break off") and isinstance(how, ConnectionState):
                await uow.connections.set_state(seeded.organization_id, seeded.connections[place].id, how)
                if action == "break off":
                    raise BrokenOff
            elif action == "attach":
                await uow.connections.attach(
                    seeded.organization_id,
                    seeded.connections[place].id,
                    authorization_id=other if how else seeded.authorization.id,
                    connector_id=seeded.raj.id if how else seeded.ana.id,
                    account_name="x",
                    parent=None,
                    good_at=clock.advance(timedelta(seconds=1)),
                )
            elif action == "own":
                owned = [connection.id for connection in seeded.connections[place:]]
                owner = seeded.sam if how else seeded.raj
                await uow.connections.set_owner(seeded.organization_id, owned, owner.id)
            elif action == "merge":
                with suppress(NotThere):  # once
                    gone = seeded.bo if how else seeded.pat
                    await uow.people.merge(seeded.organization_id, kept=seeded.mei.id, gone=gone.id)
            elif isinstance(how, ConnectionState):
                await uow.connections.add(
                    Connection(
                        id=ConnectionId(new_id(clock.now())),
                        organization_id=seeded.organization_id,
                        client_id=seeded.acme.id,
                        network="examplenet",
                        account_id=f"acct-{place}",
                        account_name="new",
                        state=how,
                    )
                )


async def counted(storage: SqlStorage) -> dict[tuple[object, ...], int]:
    columns = (counters.c.network, counters.c.client_id, counters.c.connector_id, counters.c.owner_id, counters.c.state)
    async with storage.reading_work() as work:
        rows = await work.rows(select(*columns, counters.c.number))
    return {tuple(row[:-1]): row[-1] for row in rows if row[-1]}


async def recounted(storage: SqlStorage) -> dict[tuple[object, ...], int]:
    c = connections.c
    async with storage.reading_work() as work:
        rows = await work.rows(select(c.network, c.client_id, c.connector_id, c.owner_id, c.state))
    return dict(Counter((row[0], row[1], row[2] or NOBODY, row[3] or NOBODY, row[4]) for row in rows))


def _other(seeded: Seeded, authorization_id: AuthorizationId) -> Authorization:
    return replace(seeded.authorization, id=authorization_id, subject_id="raj", connector_id=seeded.raj.id)
