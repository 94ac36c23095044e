"""Builds the bot: the only place that knows adapters and storage, used by production, demo and tests alike."""

import os
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web

from bot.delivery.loop import DeliveryLoop
from bot.delivery.sending import Sender
from bot.logs import LogRules
from bot.notices.composer import Composer
from bot.notices.desk import Desks
from bot.notices.errands import errands
from bot.notices.outbox import Outbox
from bot.notices.planner import Planner
from bot.schedule import Loop, Ticker, ticking
from bot.settings import Part, Settings
from bot.watch.rules import WatchRules
from bot.watch.watcher import Watcher
from bot.web.app import create_web, listening
from bot.web.pictures import picture_url
from bot.webhooks.loop import WebhookLoop
from commands.command import Services
from commands.dispatcher import Dispatcher
from commands.ids import new_id, to_wire
from commands.messages import Message, Picture
from commands.ports.chat import ChatPlatform, Surroundings
from commands.ports.clock import Clock
from commands.ports.network import Networks, NetworkSpec
from commands.ports.signals import Signals
from commands.ports.storage import Storage
from commands.secret import Secret
from platform_adapters import discovery
from platform_adapters.chat.chart import Draughtsman
from platform_adapters.discovery import build_chat_platforms, build_networks, build_signals
from storage import Keyring, Rekeyed, open_storage, rekey, upgrade

ALL_PARTS = frozenset(Part)
PURGE_EVERY = 3600.0
"""Seconds between removals of what nobody can use any more."""


class Liveness:
    """Whether the loops of this process come round; all is well until there are any."""

    def __init__(self) -> None:
        self.ticker: Ticker | None = None

    def __call__(self) -> bool:
        return self.ticker is None or not self.ticker.late()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """A bot, built but not running. `web` may have more mounted on it until it runs."""

    settings: Settings
    storage: Storage
    clock: Clock
    platforms: Mapping[str, ChatPlatform]
    networks: Networks
    services: Services
    watcher: Watcher
    planner: Planner
    delivery: DeliveryLoop
    errands: Sequence[Loop]
    webhooks: WebhookLoop
    web: web.Application
    liveness: Liveness


def keyring_of(settings: Settings) -> Keyring:
    """The keys from the settings, or those of the embedded key file, which is made if there is none."""
    if settings.encryption_keys:
        return Keyring.from_settings(Secret(settings.encryption_keys))
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    return Keyring.load_or_create(settings.key_file)


async def upgrade_database(settings: Settings) -> None:
    """Bring the schema up to this version. Raises StorageError if it is newer than this version knows."""
    if not settings.database_url:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    await upgrade(settings.storage_url)


async def rekey_database(settings: Settings) -> Rekeyed:
    """Move every encrypted value to the first key of the settings. May be stopped, and run again, at any time."""
    return await rekey(settings.storage_url, keyring_of(settings))


def network_specs(environment: Mapping[str, str]) -> Sequence[NetworkSpec]:
    """The declarations of all networks there are, with credentials or without. Raises SettingError."""
    return discovery.network_specs(environment)


def log_rules() -> LogRules:
    """What the adapters know of their libraries' logs."""
    shapes, quiet = discovery.log_shapes_and_levels()
    return LogRules(secret_shapes=shapes, quiet_loggers=quiet)


def chat_platform_names() -> Sequence[str]:
    """The chat platforms there are, with credentials or without."""
    return discovery.chat_platform_names()


def preview(platform: str, message: Message) -> Mapping[str, object]:
    """What a chat platform would be sent of a message, for looking at; needs no settings."""
    return discovery.preview(platform, message)


def how_to_install(platform: str, environment: Mapping[str, str], settings: Settings) -> str:
    """What a chat platform needs to take the bot in. Raises SettingError."""
    return discovery.how_to_install(platform, environment, settings.public_url)


def adapters(
    environment: Mapping[str, str],
    surroundings: Surroundings,
    *,
    only_chat: str | None = None,
    wrong: discovery.Wrong = discovery.raised,
) -> tuple[Mapping[str, ChatPlatform], Networks]:
    """Build the adapters that have settings. What is `wrong` with a setting is raised, unless it is to be noted."""
    return (
        build_chat_platforms(environment, surroundings, only=only_chat, wrong=wrong),
        build_networks(environment, surroundings.clock, wrong=wrong),
    )


def ears(
    environment: Mapping[str, str], clock: Clock, *, wrong: discovery.Wrong = discovery.raised
) -> Mapping[str, Signals]:
    """What networks tell on their own, heard of those that have settings."""
    return build_signals(environment, clock, wrong=wrong)


def surroundings_of(settings: Settings, storage: Storage, clock: Clock) -> Surroundings:
    """What adapters are given of the process that they run in."""
    key = keyring_of(settings).picture_key

    def address_of(picture: Picture) -> str | None:
        if not settings.serves_pictures:
            return None
        return picture_url(settings.public_url, picture, key=key, now=clock.now())

    return Surroundings(
        clock=clock, installations=storage.installations, public_url=settings.public_url, picture_url=address_of
    )


@asynccontextmanager
async def opened_storage(settings: Settings) -> AsyncIterator[tuple[Storage, Clock]]:
    """Open the store and its clock, as the settings say, for work beside a running bot. The schema must be there."""
    async with open_storage(settings.storage_url, keyring_of(settings)) as storage:
        yield storage, storage.clock


@asynccontextmanager
async def built(
    settings: Settings, environment: Mapping[str, str], *, clock: Clock | None = None, only_chat: str | None = None
) -> AsyncIterator[Bot]:
    """Build a bot over an open store. Raises SettingError or StorageError with what to do."""
    keyring = keyring_of(settings)
    async with open_storage(settings.storage_url, keyring, clock) as storage:
        surroundings = surroundings_of(settings, storage, storage.clock)
        platforms, networks = adapters(environment, surroundings, only_chat=only_chat)
        watcher = Watcher(storage=storage, clock=storage.clock, networks=networks, rules=watch_rules(settings))
        services = Services(
            storage=storage,
            clock=storage.clock,
            networks=networks,
            checker=watcher,
            public_url=settings.public_url,
        )
        outbox = Outbox(platforms=platforms, clock=storage.clock)
        desks = Desks(storage=storage, clock=storage.clock, networks=networks, outbox=outbox)
        liveness = Liveness()
        yield Bot(
            settings=settings,
            storage=storage,
            clock=storage.clock,
            platforms=platforms,
            networks=networks,
            services=services,
            watcher=watcher,
            planner=Planner(desks, gather=settings.gathering),
            delivery=DeliveryLoop(
                queues=storage.queues,
                clock=storage.clock,
                sender=Sender(
                    storage=storage,
                    clock=storage.clock,
                    platforms=platforms,
                    composer=Composer(
                        networks=networks, clock=storage.clock, public_url=settings.public_url, platforms=platforms
                    ),
                    outbox=outbox,
                ),
                # This process and no other, also after a restart: a lane's lease is told apart by it.
                holder=f"{socket.gethostname()}/{os.getpid()}/{to_wire(new_id(storage.clock.now()))}",
            ),
            errands=errands(
                desks,
                platforms=platforms,
                tick=settings.calendar_tick,
                profile_age=timedelta(seconds=settings.profile_age),
            ),
            webhooks=WebhookLoop(storage=storage, clock=storage.clock, private=settings.webhook_private),
            web=create_web(
                services=services,
                platforms=platforms,
                alive=liveness,
                draw=Draughtsman().draw,
                picture_key=keyring.picture_key,
                specs=network_specs(environment),
                webhooks_private=settings.webhook_private,
                signals=ears(environment, storage.clock),
            ),
            liveness=liveness,
        )


@asynccontextmanager
async def running(bot: Bot, *, parts: frozenset[Part] = ALL_PARTS) -> AsyncIterator[int]:
    """Run what `parts` names until the block is left, then stop in order: nothing new is taken, what is in flight ends.

    Gives the port that the pages are served at, 0 where this process serves none.
    """
    async with AsyncExitStack() as stack:
        for network in bot.networks.values():
            await stack.enter_async_context(network.running())
        port = 0
        if Part.WEB in parts:
            settings = bot.settings
            port = await stack.enter_async_context(listening(bot.web, settings.listen_host, settings.listen_port))
        inbound = Dispatcher(bot.services)
        for platform in bot.platforms.values():
            takes_requests = Part.CHAT in parts or (Part.WEB in parts and bool(platform.endpoints()))
            await stack.enter_async_context(platform.running(inbound if takes_requests else None))
        loops = _loops(bot) if Part.WORKER in parts else []
        bot.liveness.ticker = await stack.enter_async_context(ticking(loops))
        yield port


def _loops(bot: Bot) -> Sequence[Loop]:
    settings = bot.settings

    async def purge() -> int:
        return await bot.storage.queues.purge(bot.clock.now())

    return [
        Loop(
            name="watch",
            every=settings.check_tick,
            run_once=bot.watcher.run_once,
            stop=bot.watcher.stop,
            progressed_at=bot.watcher.progressed_at,
        ),
        Loop(name="purge", every=PURGE_EVERY, run_once=purge),
        *bot.errands,
        Loop(
            name="webhooks",
            every=settings.notice_tick,
            run_once=bot.webhooks.run_once,
            stop=bot.webhooks.stop,
            progressed_at=bot.webhooks.progressed_at,
        ),
        Loop(name="planner", every=settings.notice_tick, run_once=bot.planner.run_once),
        Loop(
            name="delivery",
            every=settings.notice_tick,
            run_once=bot.delivery.run_once,
            stop=bot.delivery.stop,
            progressed_at=bot.delivery.progressed_at,
        ),
    ]


def watch_rules(settings: Settings) -> WatchRules:
    """The rules of the watch, as the settings have them."""
    return WatchRules(
        unclear_failures=settings.unclear_failures,
        unclear_period=timedelta(seconds=settings.unclear_period),
        recheck=timedelta(seconds=settings.recheck),
        flapping=timedelta(seconds=settings.flapping),
        outage_authorizations=settings.outage_authorizations,
        outage_share=settings.outage_share,
        outage_period=timedelta(seconds=settings.outage_period),
        outage_longest=timedelta(seconds=settings.outage_longest),
        outage_calm=timedelta(seconds=settings.outage_calm),
        outage_good=min(3, settings.outage_authorizations),  # where few open one, fewer than usual end it
    )
