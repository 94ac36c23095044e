"""From what a network answers to what a person reads: real adapter, watch, planner, delivery; the chat is a fake.

Every answer that a network's file carries as an example is given by the network in the place of its own, and every way
in which a stand-in can break is gone through. Whatever verdict that comes to, somebody reads its words.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import ModuleType

import pytest

from bot.delivery.loop import DeliveryLoop
from bot.delivery.sending import Sender
from bot.notices.composer import Composer
from bot.notices.desk import Desks
from bot.notices.planner import Planner
from bot.watch.rules import WatchRules
from bot.watch.watcher import Watcher
from commands.causes import cause_text
from commands.errors import NetworkError
from commands.ids import AuthorizationId, ConnectionId, new_id
from commands.model import (
    CLEAR_LAPSES,
    Authorization,
    Connection,
    ConnectionState,
    Lapse,
    LapseEnd,
    Tokens,
    Verdict,
)
from commands.plain import plain_text
from commands.ports.network import Network
from commands.secret import Secret
from platform_adapters.discovery import network_modules
from platform_adapters.networks.examples import Example
from tests.notices.world import PUBLIC_URL, World, made_world
from tests.support.between import Between, behind, body_of
from tests.support.network_rigs import ADDRESSES, EAST, PERMISSIONS, WEST, NetworkRig, network_rig

TOLD = CLEAR_LAPSES | {Verdict.UNCLEAR}
"""Verdicts that somebody hears of."""
MODULES = [module for module in network_modules() if module.SPEC.slug in ADDRESSES]


@dataclass
class Chain:
    """One network in front of one organization: Ana connected what her login reaches."""

    rig: NetworkRig
    network: Network
    """The same adapter, behind `between`."""
    between: Between
    world: World
    login: AuthorizationId | None = None
    reached: list[ConnectionId] = field(default_factory=list)

    @property
    def slug(self) -> str:
        return self.network.spec.slug

    def pass_time(self, by: timedelta) -> None:
        """Everywhere."""
        self.rig.clock.advance(by)
        self.world.clock.advance(by)

    async def log_in(self, *, without: str | None = None) -> Tokens:
        """Ana logs in anew: whatever was lapsed works again, and the network is whole. `without`: a permission that
        she leaves out.
        """
        self.between.replace(-1, {})
        await self.rig.people.repair_all()
        self.pass_time(timedelta(days=1))
        if without is None:
            tokens = await self.rig.log_in()
        else:
            left_on = [one for one in PERMISSIONS[self.slug] if one != without]
            tokens = Tokens(access=Secret((await self.rig.people.issue("ana", left_on))["access_token"]))
        await self._store(tokens)
        self.pass_time(timedelta(minutes=15))  # past the minutes in which some networks refuse falsely
        return tokens

    async def _store(self, tokens: Tokens) -> None:
        world, now = self.world, self.world.clock.now()
        subject_id, subject_name = self.rig.subject("ana")
        login = self.login or AuthorizationId(new_id(now))
        authorization = Authorization(
            id=login,
            organization_id=world.organization.id,
            network=self.slug,
            subject_id=subject_id,
            subject_name=subject_name,
            connector_id=world.ana.id,
            granted=frozenset(),
            obtained_at=now,
            last_good_at=now,
        )
        parent = EAST if self.network.spec.parent_label else None
        async with world.storage.transaction() as uow:
            if self.login is not None:
                await uow.authorizations.replace_grant(authorization, tokens)
            else:
                await uow.authorizations.add(authorization, tokens)
                for account_id in self.rig.reached:
                    self.reached.append(ConnectionId(new_id(now)))
                    await uow.connections.add(
                        Connection(
                            id=self.reached[-1],
                            organization_id=world.organization.id,
                            client_id=world.acme,
                            network=self.slug,
                            account_id=account_id,
                            account_name=f"Account {account_id}",
                            state=ConnectionState.ACTIVE,
                            parent=parent,
                            authorization_id=login,
                            connector_id=world.ana.id,
                        )
                    )
            for connection_id in self.reached:
                await uow.lapses.end(
                    world.organization.id, connection_id, at=now, how=LapseEnd.RECONNECTED, by=world.ana.id
                )
                await uow.connections.attach(
                    world.organization.id,
                    connection_id,
                    authorization_id=login,
                    connector_id=world.ana.id,
                    account_name="Account",
                    parent=parent,
                    good_at=now,
                )
        self.login = login

    async def age(self, tokens: Tokens) -> None:
        """The access of what Ana gave is over: only a refresh can tell what became of the rest."""
        await self.rig.people.expire_grant(await self.rig.grant_id(), only="access")
        world = self.world
        async with world.storage.transaction() as uow:
            found = await uow.authorizations.get(world.organization.id, self.login)  # type: ignore[arg-type]  # stored by now
            await uow.authorizations.replace_grant(found, replace(tokens, access_expires_at=world.clock.now()))

    async def place_of(self, example: Example, tokens: Tokens) -> int | None:
        """Which call of a check has to be answered with an example for it to mean what it says; None: no one. What is
        asked only about an account that is not among the others is asked once one was taken away.
        """
        asked = _refreshing if _is_of_refresh(example) else _probing
        people, last = self.rig.people, self.rig.reached[-1]
        nth = await self._place(asked, example, tokens)
        if nth is None:
            broken = await people.delete_account(last)
            nth = await self._place(asked, example, tokens)
            if nth is None:
                await people.repair(broken)
                await people.lower_role(last, "ana")
                nth = await self._place(asked, example, tokens)
        return nth

    async def _place(self, asked: Asked, example: Example, tokens: Tokens) -> int | None:
        self.between.replace(-1, {})
        before = await asked(self, tokens)
        for nth in range(self.between.calls):
            self.between.replace(nth, body_of(example.reply.body), example.reply.status)
            if example.verdict in await asked(self, tokens) - before:
                return nth
        return None

    async def heard(self) -> tuple[Lapse | None, str]:
        """Check until something is told, and give the lapse, if one is open, and all that Ana read of it."""
        world, before = self.world, len(self.world.chat.posts)
        watcher = Watcher(
            storage=world.storage, clock=world.clock, networks={self.slug: self.network}, rules=WatchRules(jitter=0.0)
        )
        lapse: Lapse | None = None
        for _ in range(5):
            self.between.calls = 0  # the same call of every check
            await watcher.check(world.organization.id, self.login)  # type: ignore[arg-type]  # stored by now
            async with world.storage.reading() as uow:
                views = await uow.connections.views(world.organization.id, self.reached)
            lapse = next((view.lapse for view in views if view.lapse is not None), None)
            if lapse is not None:
                break
            self.pass_time(timedelta(minutes=6))
        await self._tell()
        told = [plain_text(post.message) for post in world.chat.posts[before:]]
        return lapse, "\n".join(told)

    async def _tell(self) -> None:
        world, networks = self.world, {self.slug: self.network}
        self.pass_time(timedelta(seconds=2))
        outbox = world.outbox()
        await Planner(Desks(storage=world.storage, clock=world.clock, networks=networks, outbox=outbox)).run_once()
        sender = Sender(
            storage=world.storage,
            clock=world.clock,
            platforms=world.chats,
            composer=Composer(networks=networks, clock=world.clock, public_url=PUBLIC_URL, platforms=world.chats),
            outbox=outbox,
        )
        loop = DeliveryLoop(queues=world.storage.queues, clock=world.clock, sender=sender, holder="process")
        await loop.run_once()
        await loop.stop()


Asked = Callable[[Chain, Tokens], Awaitable[set[Verdict]]]


async def _probing(chain: Chain, tokens: Tokens) -> set[Verdict]:
    probe = await chain.network.probe(tokens, chain.rig.expected)
    return {probe.grant.verdict, *(finding.verdict for finding in probe.accounts.values())}


async def _refreshing(chain: Chain, tokens: Tokens) -> set[Verdict]:
    try:
        await chain.network.refresh(tokens)
    except NetworkError as error:
        # Some networks never say what ended a consent: then a refusal of any kind is called what is likeliest.
        as_likeliest = {Verdict.EXPIRED} if error.finding.verdict is Verdict.REVOKED else set()
        return {error.finding.verdict, *as_likeliest}
    return set()


def _is_of_refresh(example: Example) -> bool:
    return example.reply.check in ("token", "refresh_access_token")


@asynccontextmanager
async def chained(slug: str, database_url: str) -> AsyncIterator[Chain]:
    """One network, one organization."""
    async with network_rig(slug) as rig, made_world(database_url) as world:
        async with behind(rig) as (network, one):
            yield Chain(rig=rig, network=network, between=one, world=world)


def breaks(rig: NetworkRig, grant: str) -> dict[str, Callable[[], Awaitable[object]]]:
    """What can happen at a network, by name."""
    people, first = rig.people, rig.reached[0]
    happening: dict[str, Callable[[], Awaitable[object]]] = {
        "the app is removed": lambda: people.revoke_grant(grant),
        "the consent ages out": lambda: people.expire_grant(grant),
        "the password is changed": lambda: people.change_password("ana"),
        "the login is blocked": lambda: people.block_profile("ana"),
        "the role is taken away": lambda: people.lower_role(first, "ana"),
        "the account is deleted": lambda: people.delete_account(first),
        "the account is disabled": lambda: people.disable_account(first),
    }
    if rig.network.spec.parent_label is not None:
        happening["the account is moved"] = lambda: people.move_account(first, WEST.id)
    return happening


@pytest.mark.behaviour("D-1", "N-1")
@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.SPEC.slug)
async def test_every_cause_that_a_network_lets_us_tell_apart_reaches_the_person_in_its_words(
    module: ModuleType, sqlite_database_url: str
) -> None:
    reached: dict[Verdict, str] = {}
    unread = []
    async with chained(module.SPEC.slug, sqlite_database_url) as chain:

        async def listen(road: str) -> None:
            lapse, read = await chain.heard()
            if lapse is not None:
                reached.setdefault(lapse.cause, road)
                if cause_text(module.SPEC, lapse.cause).happened not in read:
                    unread.append(f"{road} -> {lapse.cause}")

        for example in module.EXAMPLES:
            if example.verdict not in TOLD:
                continue
            tokens = await chain.log_in()
            nth = await chain.place_of(example, tokens)
            if nth is None:
                continue  # meant for another moment than a check, or mended by what the adapter asks next
            if _is_of_refresh(example):
                await chain.age(tokens)
            chain.between.replace(nth, body_of(example.reply.body), example.reply.status)
            await listen(f"{example.reply.check} {example.reply.status} {example.reply.body}")
        for happening in breaks(chain.rig, ""):
            await chain.log_in()
            await breaks(chain.rig, await chain.rig.grant_id())[happening]()
            await listen(happening)
        for permission in PERMISSIONS[chain.slug]:
            await chain.log_in(without=permission)
            await listen(f"{permission} is switched off")
    assert unread == []
    assert set(reached) - {Verdict.UNCLEAR} == module.SPEC.detects, reached
