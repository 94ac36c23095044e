"""One process of several that look after one authorization: real storage, the real watch, a real network's adapter."""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import aiohttp

from bot.playground.vendors.networks import NetworkPeople
from bot.watch.rules import WatchRules
from bot.watch.watcher import Watcher
from commands.command import Services
from commands.ids import AuthorizationId, LinkId, OrganizationId, PersonId, SessionId, new_id
from commands.ports.network import Networks
from commands.ports.reconnecting import Link, Session
from commands.reconnect import Reconnecting
from commands.round_trip import Started
from commands.secret import Secret, hashed
from platform_adapters.discovery import build_networks
from storage import Keyring, SqlStorage, open_storage

TOGETHER = 120.0
"""Seconds for all processes to be ready."""
SLUG = "x"
RULES = WatchRules(lease=timedelta(minutes=10), check_within=timedelta(minutes=5))
"""Long enough for sixteen processes on a machine that is busy with something else: no test is about time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What one process is told; what can be pickled."""

    database_url: str
    keys: str
    environment: Mapping[str, str]
    base: str
    """Where the network is."""
    organization_id: UUID
    authorization_id: UUID
    does: str
    """"sweep", "check", or "reconnect"."""
    person_id: UUID


def run(orders: Orders, barrier: Barrier, reconnecting: Barrier, told: "Queue[str]") -> None:
    """Be that process, and tell how it went."""
    try:
        told.put(asyncio.run(_run(orders, barrier, reconnecting)))
    except BaseException as error:
        told.put(f"broke: {type(error).__name__}: {error}")
        raise


async def _run(orders: Orders, barrier: Barrier, reconnecting: Barrier) -> str:
    keyring = Keyring.from_settings(Secret(orders.keys))
    async with open_storage(orders.database_url, keyring, connections=2) as storage:
        networks = build_networks(orders.environment, storage.clock)
        async with networks[SLUG].running(), aiohttp.ClientSession() as session:
            await asyncio.to_thread(barrier.wait, TOGETHER)
            if orders.does == "reconnect":
                return await _reconnect(orders, storage, networks, NetworkPeople(orders.base, session), reconnecting)
            watcher = Watcher(storage=storage, clock=storage.clock, networks=networks, rules=RULES)
            if orders.does == "sweep":
                return f"swept {await watcher.run_once()}"
            checked = await watcher.check(
                OrganizationId(orders.organization_id), AuthorizationId(orders.authorization_id)
            )
            return checked.name.lower()


async def _reconnect(
    orders: Orders, storage: SqlStorage, networks: Networks, people: NetworkPeople, pressed: Barrier
) -> str:
    """Press Reconnect, and once all have pressed it, log in and come back, as the pages do it."""
    organization_id, now = OrganizationId(orders.organization_id), storage.clock.now()
    browser = hashed(secrets.token_urlsafe(32))
    session = Session(
        id=SessionId(new_id(now)),
        platform="slack",
        tenant="T1",
        user="U",
        name="Somebody",
        email=None,
        created_at=now,
        expires_at=now + timedelta(hours=12),
    )
    async with storage.transaction() as uow:
        await uow.sessions.add(session, secret_hash=browser)
        person = await uow.people.get(organization_id, PersonId(orders.person_id))
        (view,) = await uow.connections.under(organization_id, AuthorizationId(orders.authorization_id))
        link = Link(
            id=LinkId(new_id(now)),
            organization_id=organization_id,
            person_id=person.id,
            connection_id=view.connection.id,
            created_at=now,
        )
        await uow.links.ensure(link)
    services = Services(
        storage=storage,
        clock=storage.clock,
        networks=networks,
        checker=Watcher(storage=storage, clock=storage.clock, networks=networks, rules=RULES),
        public_url="http://127.0.0.1:9",
    )
    reconnects = Reconnecting(services)
    started = await reconnects.start(link, person, session, browser_hash=browser, take_over=False, again=False)
    await asyncio.to_thread(pressed.wait, TOGETHER)
    if not isinstance(started, Started):
        return f"did not start: {type(started).__name__}"
    answer = dict(parse_qsl(urlsplit(await people.consent(started.url, profile="ana")).query))
    attempt = await storage.directory.use_attempt(
        state_hash=hashed(answer.pop("state")), browser_hash=browser, now=storage.clock.now()
    )
    if attempt is None:
        return "came too late"
    outcome = await reconnects.finish(attempt, session, answer)
    return f"reconnected: {outcome.kind.value}"
