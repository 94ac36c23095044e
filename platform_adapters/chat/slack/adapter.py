"""Slack as a ChatPlatform: wires the parts of this folder together, and posts and edits messages."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID, uuid5

from slack_sdk.web.async_client import AsyncWebClient

from commands.errors import DeliveryError, DeliveryErrorKind
from commands.ids import DeliveryId, to_wire
from commands.messages import Message, Picture
from commands.ports.chat import (
    Address,
    AddressKind,
    ChatPlatform,
    Diagnosis,
    Endpoint,
    HttpRequest,
    HttpResponse,
    Inbound,
    Install,
    InstallationChanged,
    MessageRef,
    Pace,
    Profile,
    SignIn,
    Surroundings,
)
from commands.ports.installations import Installation
from platform_adapters.chat.slack.accounts import profile
from platform_adapters.chat.slack.answers import Answers
from platform_adapters.chat.slack.api import Reply, SlackApi
from platform_adapters.chat.slack.diagnosis import diagnose
from platform_adapters.chat.slack.inbound import SUBMISSION_PATIENCE, Receiver
from platform_adapters.chat.slack.install import SlackInstall
from platform_adapters.chat.slack.installations import Access, Installations
from platform_adapters.chat.slack.lifecycle import Lifecycle
from platform_adapters.chat.slack.manifest import EVENTS_PATH, manifest_json
from platform_adapters.chat.slack.render import PictureUrl, Rendered, render
from platform_adapters.chat.slack.settings import PREFIX, SlackSettings, read_settings
from platform_adapters.chat.slack.shared import SharedChannels
from platform_adapters.chat.slack.sign_in import SlackSignIn
from platform_adapters.chat.slack.signature import RefusedRequest, SignatureCheck, is_ssl_check
from platform_adapters.chat.slack.socket_mode import hold_socket
from platform_adapters.chat.slack.spans import PLATFORM
from platform_adapters.chat.slack.views import Views, nowhere

_log = logging.getLogger(__name__)

_SAME_MESSAGE = UUID("6f0c7f57-7d1c-4c5a-9f4b-5a1f6f3a3b52")  # namespace of client_msg_id; any constant will do
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 60.0  # seconds between attempts to learn whose our token is
_LONGEST_CHALLENGE = 1000


def build(environment: Mapping[str, str], surroundings: Surroundings) -> ChatPlatform | None:
    """Build the platform from its settings; None where it has none. Raises SettingError. Connects nothing."""
    settings = read_settings(environment)
    if settings is None:
        return None
    return SlackPlatform(settings, surroundings)


def how_to_install(environment: Mapping[str, str], public_url: str) -> str:
    """The manifest to paste. Without an address that Slack could reach, or with an app-level token, for Socket Mode."""
    socket_mode = bool(environment.get(f"{PREFIX}APP_TOKEN", "").strip()) or not public_url.startswith("https://")
    redirect_urls = [f"{public_url}/{way}/cb/{PLATFORM}" for way in ("sign-in", "install")]
    return manifest_json(public_url=public_url, redirect_urls=redirect_urls, socket_mode=socket_mode)


class SlackPlatform:
    """Slack: the workspace of the settings' token, and all that let the bot in through their consent page."""

    name = PLATFORM
    label = "Slack"
    # About a message a second and channel; of bursts Slack says that they may be neither stored nor shown.
    pace = Pace(interval=timedelta(seconds=1), burst=1)
    deduplicates = False
    finds_by_email = True
    addressed_by_email = False
    edits = True
    personal_links = False

    def __init__(
        self,
        settings: SlackSettings,
        surroundings: Surroundings,
        *,
        ping_interval: float = 10.0,
        submission_patience: float = SUBMISSION_PATIENCE,
    ) -> None:
        self._settings = settings
        self._clock = clock = surroundings.clock
        self._picture_url: PictureUrl = surroundings.picture_url
        self._ping_interval = ping_interval
        self._submission_patience = submission_patience
        self._api = SlackApi(settings, clock)
        self._installations = Installations(self._api, settings.bot_token, surroundings.installations, clock)
        self._check = SignatureCheck(settings.signing_secrets, settings.app_id, clock)
        self._inbound: Inbound | None = None
        self._receiver: Receiver | None = None
        self.sign_in: SignIn | None = None
        self.install: Install | None = None
        if settings.client is not None:
            self.sign_in = SlackSignIn(self._api, settings.client, settings.authorize_url, clock)
            self.install = SlackInstall(
                api=self._api,
                settings=settings,
                installations=self._installations,
                clock=clock,
                installed=self._let_in,
            )

    @asynccontextmanager
    async def running(self, inbound: Inbound | None) -> AsyncIterator[None]:
        """Take requests in until the block is left; then stop taking, finish the answers begun, and close.

        Without `inbound` nothing is taken in, and no socket is opened. A Slack that cannot be reached does not keep
        this from starting: it is tried again behind the scenes.
        """
        failure: Exception | None = None
        async with self._api.running(), self._api.session() as session, asyncio.TaskGroup() as work:
            background = [work.create_task(self._identify())]
            if inbound is not None:
                background += self._receive(inbound, self._api.client(None, session), work)
            try:
                yield
            except Exception as error:  # noqa: BLE001  # raised again below, as it is: a task group would wrap it
                failure = error
            finally:
                self._receiver = self._inbound = None
                for task in background:
                    task.cancel()
        if failure is not None:
            raise failure

    def _receive(
        self, inbound: Inbound, client: AsyncWebClient, work: asyncio.TaskGroup
    ) -> Sequence[asyncio.Task[None]]:
        """Begin to take requests in; gives the tasks that go on until they are cancelled."""
        self._inbound = inbound
        views = Views(self._installations, self._picture_url)
        answers = Answers(
            api=self._api,
            installations=self._installations,
            views=views,
            picture_url=self._picture_url,
            api_url=self._settings.api_url,
        )
        receiver = self._receiver = Receiver(
            inbound=inbound,
            answers=answers,
            views=views,
            installations=self._installations,
            shared=SharedChannels(self._installations, self._clock),
            lifecycle=Lifecycle(inbound=inbound, installations=self._installations, clock=self._clock),
            clock=self._clock,
            client=client,
            work=work,
            submission_patience=self._submission_patience,
        )
        token = self._settings.app_token
        if token is None:
            return []
        socket = hold_socket(client, token, receiver.receive, ping_interval=self._ping_interval)
        return [work.create_task(socket)]

    async def _let_in(self, installation: Installation) -> None:
        """Say that the bot is back, or new, where it was let in. A process that takes nothing in says nothing."""
        if self._inbound is None:
            return
        teams: Sequence[str] = (installation.tenant,)
        if installation.is_org_wide:
            try:
                teams = list(await self._installations.teams(installation.tenant))
            except DeliveryError as error:
                _log.warning("where an organization has the bot could not be read: %s", error.code)
                teams = ()
        for team in teams:
            at = installation.installed_at
            await self._inbound.signal(InstallationChanged(platform=PLATFORM, tenant=team, alive=True, at=at))

    async def _identify(self) -> None:
        """Learn whose the settings' token is, if there is one.

        A dead one is said once; deliveries meet it again and say so where it is seen.
        """
        if not self._installations.has_own_token:
            return
        wait = _FIRST_WAIT
        while True:
            try:
                installation = await self._installations.identify()
            except DeliveryError as error:
                if error.kind is not DeliveryErrorKind.RETRY:
                    _log.error("Slack does not accept the bot token: %s", error.code)
                    return
                _log.warning("Slack cannot be reached (%s); trying again in %.0f s", error.code, wait)
                await asyncio.sleep(wait)
                wait = min(wait * 2, _LONGEST_WAIT)
            else:
                _log.info("the bot is in the Slack workspace %s", installation.team_id)
                return

    def lane(self, address: Address) -> str:
        """One installation for each workspace."""
        return f"{PLATFORM}:{address.tenant}"

    async def post(
        self, address: Address, message: Message, delivery: DeliveryId, *, under: MessageRef | None = None
    ) -> MessageRef:
        """Post, in the thread of `under` where that is given.

        The delivery's id goes along as metadata, which anybody in the workspace may read.
        """
        access = await self._installations.of(address.tenant)
        thread = {"thread_ts": under.message} if under is not None else {}
        body = {
            "channel": under.destination if under is not None else await self._destination(access, address),
            **thread,
            "unfurl_links": False,
            "unfurl_media": False,
            "metadata": {"event_type": "lapsebot_delivery", "event_payload": {"delivery": to_wire(delivery)}},
            # Slack knows it, though not its documentation: the same one again may be taken for the same message.
            "client_msg_id": str(uuid5(_SAME_MESSAGE, str(delivery))),
        }
        reply = await self._send("chat.postMessage", access, message, body)
        channel, ts = reply.text("channel"), reply.text("ts")
        if not channel or not ts:
            raise DeliveryError(DeliveryErrorKind.UNKNOWN, "reply_without_ts")
        return MessageRef(platform=PLATFORM, tenant=access.team_id, destination=channel, message=ts)

    async def update(self, ref: MessageRef, message: Message) -> None:
        """Replace a posted message."""
        access = await self._installations.of(ref.tenant)
        await self._send("chat.update", access, message, {"channel": ref.destination, "ts": ref.message})

    async def profile(self, tenant: str, user: str) -> Profile:
        """Ask what a user of a workspace is now."""
        return await profile(self._installations, tenant, user)

    def endpoints(self) -> Sequence[Endpoint]:
        """One address for commands, buttons and events; none in Socket Mode."""
        return () if self._settings.app_token is not None else (Endpoint(path=EVENTS_PATH, handle=self._handle),)

    async def diagnose(self) -> Sequence[Diagnosis]:
        """Check tokens, scopes and sign-in."""
        return await diagnose(self._api, self._settings, self._installations)

    async def _send(self, method: str, access: Access, message: Message, body: Mapping[str, object]) -> Reply:
        """Post or edit. Slack fetches pictures, and refuses the message if it does not get one: then without them."""
        try:
            rendered = _rendered(message, access.team_id, self._picture_url)
            return await self._installations.call(access, method, json={**body, **rendered})
        except DeliveryError as error:
            if error.code != "invalid_blocks" or not any(isinstance(part, Picture) for part in message.parts):
                raise
        _log.warning("Slack did not take the picture of a message; it is sent without")
        rendered = _rendered(message, access.team_id, nowhere)
        return await self._installations.call(access, method, json={**body, **rendered})

    async def _destination(self, access: Access, address: Address) -> str:
        """The id that chat.postMessage takes: a person's own id opens the messages between them and the bot."""
        if address.kind is not AddressKind.BY_EMAIL:
            return address.external_id
        try:
            reply = await self._installations.call_form(access, "users.lookupByEmail", email=address.external_id)
        except DeliveryError as error:
            if error.code == "missing_scope":  # the operator gave no leave to look people up: another way may be open
                raise DeliveryError(DeliveryErrorKind.ADDRESS_GONE, "missing_scope_for_email") from error
            raise
        user = reply.body.get("user")
        found = user if isinstance(user, Mapping) else {}
        for reason in ("deleted", "is_bot", "is_restricted", "is_ultra_restricted", "is_stranger"):
            if found.get(reason):  # an address may decide whom to tell, but only among the company's own people
                raise DeliveryError(DeliveryErrorKind.ADDRESS_GONE, f"email_of_{reason}")
        user_id = found.get("id")
        if not isinstance(user_id, str) or not user_id or found.get("team_id", address.tenant) != address.tenant:
            raise DeliveryError(DeliveryErrorKind.ADDRESS_GONE, "email_of_nobody_here")
        return user_id

    async def _handle(self, request: HttpRequest) -> HttpResponse:
        if self._receiver is None:
            return HttpResponse(status=503)
        try:
            payload = self._check.read(request)
        except RefusedRequest as refused:
            if is_ssl_check(request):
                return HttpResponse(status=200)
            _log.warning("a request to Slack's endpoint was refused: %s", refused.reason)
            return HttpResponse(status=refused.status)
        if payload.get("ssl_check") == "1":
            return HttpResponse(status=200)
        if payload.get("type") == "url_verification":
            return _challenged(payload.get("challenge"))
        acknowledgement = await self._receiver.receive(payload)
        return HttpResponse(status=200, body=acknowledgement.body.encode(), content_type="application/json")


def _challenged(challenge: object) -> HttpResponse:
    """The proof that the address is ours: Slack's own words, as plain text, never as a page."""
    if not isinstance(challenge, str) or len(challenge) > _LONGEST_CHALLENGE:
        return HttpResponse(status=400)
    return HttpResponse(status=200, body=challenge.encode("utf-8", "replace"))


def _rendered(message: Message, tenant: str, picture_url: PictureUrl) -> Mapping[str, object]:
    try:
        rendered: Rendered = render(message, tenant, picture_url)
    except ValueError as error:  # an action too long to be carried: our bug, and not for Slack to find
        raise DeliveryError(DeliveryErrorKind.REJECTED, "unrenderable") from error
    return {"text": rendered.text, "blocks": rendered.blocks, "parse": "none"}
