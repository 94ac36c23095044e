"""Sixteen processes at one authorization whose network ends the grant when a refresh token comes twice."""

import asyncio
import multiprocessing
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import aiohttp
import pytest

from bot.playground.vendors.networks import (
    AdAccount,
    App,
    NetworkConfig,
    NetworkPeople,
    Profile,
    serve_network,
)
from commands.model import ConnectionState, Tokens, Verdict
from commands.ports.network import Expected
from commands.secret import Secret
from platform_adapters.discovery import build_networks
from storage import Keyring, SqlStorage, open_storage
from tests.process.one_of_many import SLUG, Orders, run
from tests.support.network_rigs import environment
from tests.support.seed import Seeded, seed

PROCESSES = 16
ACCOUNT = "acct-1"
TOKEN = "token"
CALLBACK = f"http://127.0.0.1:9/oauth/cb/{SLUG}"
WITHIN = 180.0
"""Seconds after which something has hung, for all processes together."""


@asynccontextmanager
async def network() -> AsyncIterator[tuple[str, NetworkPeople]]:
    """X, whose refresh tokens are good once, where Ana's account is the one that is connected."""
    config = NetworkConfig(
        network=SLUG,
        apps=[App(id="app", secret="app-secret", name="lapsebot", redirect_uris=(CALLBACK,))],
        profiles=[Profile(id="ana", name="Ana Ruiz", email="ana@acme.example")],
        accounts=[AdAccount(id=ACCOUNT, name="Acme", business_id="", roles={"ana": "ADMIN"})],
    )
    async with serve_network(config) as base, aiohttp.ClientSession() as session:
        yield base, NetworkPeople(base, session)


@pytest.fixture(scope="module")
def processes() -> multiprocessing.context.ForkServerContext:
    """A maker of processes that share nothing, which imports the code once."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.process.one_of_many"])
    return context


async def prepared(storage: SqlStorage, people: NetworkPeople) -> tuple[Seeded, Tokens]:
    """An authorization whose access ends in a minute, whose check is due, and which may be renewed by a login."""
    now = storage.clock.now()
    seeded = await seed(storage, now - timedelta(hours=2), connections=1, network=SLUG)
    grant = await people.issue("ana", ["users.read", "tweet.read", "offline.access"])
    tokens = Tokens(
        access=Secret(grant["access_token"]),
        refresh=Secret(grant["refresh_token"]),
        access_expires_at=now + timedelta(minutes=1),
        obtained_at=now - timedelta(hours=2),
    )
    authorization = replace(
        seeded.authorization,
        subject_id=ACCOUNT,
        subject_name="@acme",
        ends_at=now + timedelta(days=1),
        next_check_at=now - timedelta(hours=1),
    )
    async with storage.transaction() as uow:
        await uow.authorizations.replace_grant(authorization, tokens)
    return seeded, tokens


def together(processes: multiprocessing.context.ForkServerContext, orders: Sequence[Orders]) -> list[str]:
    """Let each process carry out its orders, all from one moment on; what they told, sorted."""
    pressing = sum(order.does == "reconnect" for order in orders)
    barrier, pressed, told = processes.Barrier(len(orders)), processes.Barrier(max(pressing, 1)), processes.Queue()
    started = [processes.Process(target=run, args=(order, barrier, pressed, told), daemon=True) for order in orders]
    until = time.monotonic() + WITHIN
    try:
        for process in started:
            process.start()
        return sorted(told.get(timeout=max(until - time.monotonic(), 0)) for _ in started)
    finally:
        for process in started:
            if process.pid is not None:
                process.join(max(until - time.monotonic(), 0))
                process.kill()


@pytest.mark.behaviour("D-3")
@pytest.mark.parametrize("reconnecting", [False, True])
async def test_one_refreshes_one_reconnects_and_nobody_is_locked_out(
    database_url: str, processes: multiprocessing.context.ForkServerContext, reconnecting: bool
) -> None:
    """X takes a refresh token once and has one grant of an account: a second user of either ends everything."""
    keys = Keyring.new_key("test")
    async with network() as (base, people), open_storage(database_url, Keyring.from_settings(keys)) as storage:
        seeded, before = await prepared(storage, people)
        settings = environment(SLUG, base)
        jobs = [
            "reconnect" if reconnecting and place % 4 == 0 else ("sweep", "check")[place % 2]
            for place in range(PROCESSES)
        ]
        hopeful = [seeded.ana, seeded.mei, seeded.raj, seeded.bo]
        orders = [
            Orders(
                database_url=database_url,
                keys=keys.reveal(),
                environment=settings,
                base=base,
                organization_id=seeded.organization_id,
                authorization_id=seeded.authorization.id,
                does=job,
                person_id=hopeful[place // 4].id,
            )
            for place, job in enumerate(jobs)
        ]
        words = await asyncio.to_thread(together, processes, orders)
        assert not [word for word in words if word.startswith("broke")], words
        reconnected = sum(word.startswith("reconnected") for word in words)
        asked = await people.calls()
        refreshes = asked.get(TOKEN, 0) - reconnected
        assert refreshes <= 1 if reconnecting else refreshes == 1, (asked, words)
        assert reconnected == reconnecting, words
        async with storage.reading() as uow:
            after = await uow.authorizations.tokens(seeded.organization_id, seeded.authorization.id)
            connection = await uow.connections.get(seeded.organization_id, seeded.connections[0].id)
        assert after.access != before.access
        assert after.refresh_begun_at is None
        assert connection.state is ConnectionState.ACTIVE
        x = build_networks(settings, storage.clock)[SLUG]
        async with x.running():
            probe = await x.probe(after, [Expected(account_id=ACCOUNT, parent=None)])
            assert probe.grant.verdict is Verdict.HEALTHY
            assert await x.refresh(after) is not None, "what is stored can still be refreshed"
