"""Discord as a chat platform: posts and edits over REST, requests over the gateway, sign-in by OAuth."""

import asyncio
import base64
import hashlib
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

from commands.catalogue import COMMANDS
from commands.errors import DeliveryError, DeliveryErrorKind, SettingError
from commands.ids import DeliveryId
from commands.messages import Message
from commands.ports.chat import (
    Address,
    AddressKind,
    Diagnosis,
    Endpoint,
    Inbound,
    Install,
    MessageRef,
    Pace,
    Profile,
    SignIn,
    Surroundings,
)
from commands.ports.clock import Clock
from platform_adapters.chat.chart import Draughtsman
from platform_adapters.chat.discord.bodies import Body, Draw, body_of
from platform_adapters.chat.discord.diagnosis import diagnose
from platform_adapters.chat.discord.failures import MAY_NOT_REPLY
from platform_adapters.chat.discord.gateway import Pause, stay_connected
from platform_adapters.chat.discord.inbound import ANSWER_WITHIN, Receiver
from platform_adapters.chat.discord.markup import PLATFORM
from platform_adapters.chat.discord.profiles import look_up
from platform_adapters.chat.discord.rest import Rest
from platform_adapters.chat.discord.settings import CLIENT_ID, DiscordSettings, read_settings
from platform_adapters.chat.discord.sign_in import DiscordSignIn
from platform_adapters.chat.discord.tree import build_tree, register

_log = logging.getLogger(__name__)
_NONCE_LENGTH = 25  # docs, resources/message
_KNOWN_DMS = 10_000
_LAST_ANSWERS = 5.0
"""Seconds that what is being carried out gets when we stop."""
_BETWEEN_REGISTRATIONS = 60.0


def build(environment: Mapping[str, str], surroundings: Surroundings) -> "DiscordPlatform | None":
    """Build it; None without credentials. Raises SettingError."""
    settings = read_settings(environment)
    return DiscordPlatform(settings, surroundings.clock) if settings is not None else None


def how_to_install(environment: Mapping[str, str], _public_url: str) -> str:
    """The link that adds the bot to a server. Needs the application's settings. Raises SettingError."""
    settings = read_settings(environment)
    if settings is None:
        raise SettingError(CLIENT_ID, "is not set; the README's “Connect a Discord server” says where to find it")
    return settings.install_link()


class DiscordPlatform:
    """The `ChatPlatform` of Discord. Within one process there is one Discord: the library's addresses are shared."""

    name = PLATFORM
    label = "Discord"
    # As observed, and as the replies' headers say; Discord documents only that they do (topics/rate-limits).
    pace = Pace(interval=timedelta(seconds=1), burst=5)
    deduplicates = True
    finds_by_email = False
    addressed_by_email = False
    edits = True
    personal_links = False
    install: Install | None = None  # a plain link adds the bot, see `how_to_install`

    def __init__(
        self,
        settings: DiscordSettings,
        clock: Clock,
        *,
        pause: Pause = asyncio.sleep,
        draw: Draw | None = None,
        answer_within: float = ANSWER_WITHIN,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._pause = pause
        self._draw = draw or Draughtsman().draw
        self._answer_within = answer_within
        self._rest: Rest | None = None
        self._dms: OrderedDict[str, str] = OrderedDict()
        self._signing_in = DiscordSignIn(settings)
        self.sign_in: SignIn | None = self._signing_in

    @asynccontextmanager
    async def running(self, inbound: Inbound | None) -> AsyncIterator[None]:
        """Connect in the background, again and again if need be: that Discord is down keeps nobody from starting.

        Without `inbound` there is no gateway, and the commands are left as they are.
        """
        async with Rest(self._settings, self._clock) as rest:
            self._rest = rest
            try:
                if inbound is None:
                    yield
                else:
                    async with self._receiving(rest, self._receiver(rest, inbound)):
                        yield
            finally:
                self._rest = None

    def _receiver(self, rest: Rest, inbound: Inbound) -> Receiver:
        return Receiver(rest, inbound, self._draw, self._clock, answer_within=self._answer_within)

    @asynccontextmanager
    async def _receiving(self, rest: Rest, receiver: Receiver) -> AsyncIterator[None]:
        """Take requests; at the end close the gateway first, then let what was begun be answered."""
        async with asyncio.TaskGroup() as tasks:
            connection = tasks.create_task(stay_connected(self._settings, receiver, self._pause))
            registration = tasks.create_task(self._register(rest))
            try:
                yield
            finally:
                registration.cancel()
                connection.cancel()
        await receiver.settled(_LAST_ANSWERS)

    def lane(self, address: Address) -> str:
        """One application posts to all servers, under one limit."""
        return PLATFORM

    async def post(
        self, address: Address, message: Message, delivery: DeliveryId, *, under: MessageRef | None = None
    ) -> MessageRef:
        """Post. The delivery's nonce makes Discord give back the earlier message if this one is there already."""
        body = (await body_of(message, self._draw)).with_(nonce=nonce_of(delivery), enforce_nonce=True)
        async with self._connected() as rest:
            channel = await self._channel(rest, address)
            try:
                if under is not None and under.destination == channel:
                    posted = await _reply(rest, channel, body, under)
                else:
                    posted = await _post(rest, channel, body)
            except DeliveryError as failure:
                if failure.kind is DeliveryErrorKind.ADDRESS_GONE:
                    self._dms.pop(address.external_id, None)
                raise
        return MessageRef(platform=PLATFORM, tenant=address.tenant, destination=channel, message=posted)

    async def update(self, ref: MessageRef, message: Message) -> None:
        """Replace a posted message."""
        path = "/channels/{channel_id}/messages/{message_id}"
        channel, posted = _identifier(ref.destination), _identifier(ref.message)
        body = await body_of(message, self._draw)
        async with self._connected() as rest:
            await rest.message("PATCH", path, body=body.json, files=body.files, channel_id=channel, message_id=posted)

    async def profile(self, tenant: str, user: str) -> Profile:
        """Ask what a user is in the server `tenant`; without one, whether there still is such an account."""
        server = _identifier(tenant) if tenant else ""
        async with self._connected() as rest:
            return await look_up(rest, server, _identifier(user))

    def endpoints(self) -> Sequence[Endpoint]:
        """None: everything arrives over the gateway."""
        return ()

    async def diagnose(self) -> Sequence[Diagnosis]:
        """Check the token, the application, its servers and the sign-in's credentials."""
        async with Rest(self._settings, self._clock) as rest:
            return await diagnose(rest, self._settings, self._signing_in)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Rest]:
        """The requests of the running platform; outside of it, ones that log in for themselves."""
        if self._rest is not None:
            yield self._rest
            return
        async with Rest(self._settings, self._clock) as rest:
            yield rest

    async def _channel(self, rest: Rest, address: Address) -> str:
        if address.kind is AddressKind.BY_EMAIL:
            raise DeliveryError(DeliveryErrorKind.ADDRESS_GONE, "no look-up by email")
        external_id = _identifier(address.external_id)
        if address.kind is AddressKind.CHANNEL:
            return external_id
        known = self._dms.get(external_id)
        if known is None:
            opened = await rest.message("POST", "/users/@me/channels", body={"recipient_id": external_id})
            known = self._dms[external_id] = opened["id"]
            if len(self._dms) > _KNOWN_DMS:
                self._dms.popitem(last=False)
        return known

    async def _register(self, rest: Rest) -> None:
        """Register the commands where they differ, trying until Discord has answered."""
        tree = build_tree(COMMANDS)
        while True:
            try:
                await register(rest, self._settings.client_id, tree)
            except DeliveryError as failure:
                _log.error("the commands could not be registered with Discord: %s", failure)
                if failure.kind in (DeliveryErrorKind.INSTALLATION_DEAD, DeliveryErrorKind.REJECTED):
                    return
                await self._pause((failure.retry_after or timedelta()).total_seconds() or _BETWEEN_REGISTRATIONS)
            else:
                return


def nonce_of(delivery: DeliveryId) -> str:
    """The delivery's key at Discord: the same in every try, of any process."""
    digest = hashlib.sha256(str(delivery).encode()).digest()
    return base64.b32encode(digest).decode()[:_NONCE_LENGTH]


async def _post(rest: Rest, channel: str, body: Body) -> str:
    """Post to a channel; gives the message's id. Raises DeliveryError."""
    path = "/channels/{channel_id}/messages"
    return str((await rest.message("POST", path, body=body.json, files=body.files, channel_id=channel))["id"])


async def _reply(rest: Rest, channel: str, body: Body, under: MessageRef) -> str:
    """Post as a reply. Where that cannot be, since the message is gone or the bot may not read the history, it stands
    by itself: what it tells is still true. Raises DeliveryError.
    """
    reference = {"type": 0, "message_id": _identifier(under.message), "channel_id": channel}
    try:
        return await _post(rest, channel, body.with_(message_reference={**reference, "fail_if_not_exists": False}))
    except DeliveryError as failure:
        if failure.code != str(MAY_NOT_REPLY):
            raise
    return await _post(rest, channel, body)


def _identifier(text: str) -> str:
    """A Discord id. Anything else never was one, and must not get into a path."""
    if not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise DeliveryError(DeliveryErrorKind.ADDRESS_GONE, "not an id of Discord's")
    return text
