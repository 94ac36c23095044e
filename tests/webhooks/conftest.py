"""An organization whose lapses are told to a receiver."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.notices.desk import Desks
from bot.notices.outbox import Outbox
from bot.notices.planner import Planner
from bot.webhooks.loop import WebhookLoop
from commands import hosting
from commands.auditing import Actor
from commands.ids import ConnectionId
from commands.model import Connection
from commands.ports.hosting import Endpoint, MessageState, WebhookMessage
from storage import SqlStorage
from tests.support.clock import FakeClock
from tests.support.network import FakeNetwork
from tests.support.seed import Seeded, fresh_storage, lapse, seed
from tests.webhooks.receiver import Receiver, receiving


class House:
    """The organization, its planner, and its sending loop."""

    def __init__(self, storage: SqlStorage, clock: FakeClock, seeded: Seeded, receiver: Receiver) -> None:
        self.storage, self.clock, self.seeded, self.receiver = storage, clock, seeded, receiver
        network = FakeNetwork()
        self.planner = Planner(
            Desks(
                storage=storage,
                clock=clock,
                networks={network.spec.slug: network},
                outbox=Outbox(platforms={}, clock=clock),
            )
        )
        self.caller = Actor(organization_id=seeded.organization_id, origin="test")

    def loop(self, **changes: object) -> WebhookLoop:
        facts: dict[str, object] = {"storage": self.storage, "clock": self.clock, "private": True, **changes}
        return WebhookLoop(**facts)  # type: ignore[arg-type]  # a test names what it changes

    async def endpoint(self, connection_id: ConnectionId | None = None, path: str = "") -> Endpoint:
        """An endpoint at the receiver, which verifies with its secret."""
        async with self.storage.transaction() as uow:
            added = await hosting.add_endpoint(
                uow, self.caller, self.receiver.url + path, connection_id=connection_id, now=self.clock.now()
            )
        assert added is not None
        self.receiver.secret = added[1]
        return added[0]

    async def lapsed(self, connection: Connection | None = None) -> None:
        """A lapse opens and is planned."""
        await lapse(self.storage, connection or self.seeded.connections[0], self.clock.now())
        await self.plan()

    async def plan(self) -> None:
        self.clock.advance(timedelta(seconds=2))
        assert await self.planner.run_once() > 0

    async def messages(self, state: MessageState | None = None) -> list[WebhookMessage]:
        async with self.storage.reading() as uow:
            return list(await uow.webhooks.messages(self.seeded.organization_id, state=state, limit=100))

    async def endpoints(self) -> list[Endpoint]:
        async with self.storage.reading() as uow:
            return list(await uow.webhooks.endpoints(self.seeded.organization_id))


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    clock = FakeClock()
    async with fresh_storage(database_url, clock) as storage, receiving(clock) as receiver:
        yield House(storage, clock, await seed(storage, clock.now()), receiver)
