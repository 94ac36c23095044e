"""The parts of the bot that are measured inside this process, over a store, with networks that answer at once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench import dataset
from bench.dataset import keyring
from bot.watch.rules import WatchRules
from bot.watch.watcher import Watcher
from commands.command import Services
from commands.dispatcher import Dispatcher
from commands.ports.chat import ChatUser, CommandRequest, Place, Words
from commands.ports.network import Networks
from storage import open_storage
from tests.support.network import FakeNetwork, spec

LAPSED = CommandRequest(
    name="lapsed",
    arguments=Words(text=""),
    user=ChatUser(platform=dataset.PLATFORM, tenant=dataset.TEAM, external_id=dataset.ASKER, name="bench"),
    place=Place(workspace=dataset.TEAM, workspace_name="Bench", channel="C0BENCH", is_direct=False),
)


def networks() -> Networks:
    """Every network of the data set; all of them say that all is well."""
    return {slug: FakeNetwork(spec=spec(slug)) for slug in dataset.NETWORKS}


@asynccontextmanager
async def services_on(url: str) -> AsyncIterator[tuple[Services, Watcher]]:
    """What handlers work with, and the watch."""
    async with open_storage(url, keyring()) as storage:
        known = networks()
        watcher = Watcher(storage=storage, clock=storage.clock, networks=known, rules=WatchRules())
        services = Services(
            storage=storage,
            clock=storage.clock,
            networks=known,
            checker=watcher,
            public_url="http://127.0.0.1:1",
        )
        yield services, watcher


async def answer_lapsed(services: Services, times: int) -> None:
    """Answer `/lapsed` so many times, one after the other. Raises if it was not the list that came."""
    dispatcher = Dispatcher(services)
    for _ in range(times):
        message = await dispatcher.command(LAPSED)
        assert len(message.parts) > 3, message
