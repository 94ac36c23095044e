"""Being let into workspaces and whole organizations by OAuth v2; tokens are kept by our own encrypted store.

Rules: docs.slack.dev/authentication/installing-with-oauth and /enterprise/organization-ready-apps. The caller binds
`state` to the browser and spends it once.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from urllib.parse import urlencode

from commands.errors import DeliveryError, SignInError
from commands.ports.chat import Installed
from commands.ports.clock import Clock
from commands.ports.installations import Installation
from commands.ports.storage import StorageError
from commands.secret import Secret
from platform_adapters.chat.slack.api import Reply, SlackApi
from platform_adapters.chat.slack.installations import Installations
from platform_adapters.chat.slack.manifest import BOT_SCOPES
from platform_adapters.chat.slack.settings import SlackSettings
from platform_adapters.chat.slack.spans import PLATFORM


class SlackInstall:
    """Lets the bot in. `installed` hears of each workspace or organization."""

    def __init__(
        self,
        *,
        api: SlackApi,
        settings: SlackSettings,
        installations: Installations,
        clock: Clock,
        installed: Callable[[Installation], Awaitable[None]],
    ) -> None:
        self._api = api
        self._settings = settings
        self._installations = installations
        self._clock = clock
        self._installed = installed

    def authorize_url(self, *, state: str, redirect_uri: str) -> str:
        """Build the address of Slack's consent page."""
        query = {
            "client_id": self._settings.client.client_id if self._settings.client else "",
            "scope": ",".join(BOT_SCOPES),
            "state": state,
            "redirect_uri": redirect_uri,
        }
        return f"{self._settings.authorize_url}/oauth/v2/authorize?{urlencode(query)}"

    async def complete(self, *, code: str, redirect_uri: str) -> Installed:
        """Exchange the code and keep the token, in place of an earlier one. Raises SignInError."""
        client = self._settings.client
        if client is None:
            raise SignInError("no_client")
        form = {
            "client_id": client.client_id,
            "client_secret": client.secret.reveal(),
            "code": code,
            "redirect_uri": redirect_uri,
        }
        began = self._clock.now()
        try:
            reply = await self._api.call("oauth.v2.access", token=None, form=form)
        except DeliveryError as error:
            raise SignInError(error.code) from error
        installation = self._read(reply, began)
        try:
            await self._installations.keep(installation)
        except StorageError as error:
            raise SignInError("not_stored") from error
        await self._installed(installation)
        return Installed(platform=PLATFORM, tenant=installation.tenant, name=installation.name)

    def _read(self, reply: Reply, began: datetime) -> Installation:
        is_org_wide = reply.body.get("is_enterprise_install") is True
        place = _object(reply.body.get("enterprise" if is_org_wide else "team"))
        tenant, name, token = place.get("id"), place.get("name"), reply.text("access_token")
        if not isinstance(tenant, str) or not tenant or not token or reply.text("token_type") != "bot":
            raise SignInError("no_workspace_or_token")
        if self._settings.app_id is not None and reply.text("app_id") != self._settings.app_id:
            raise SignInError("another_app")
        if reply.body.get("refresh_token"):  # it would end within hours, and Slack never lets one go back
            raise SignInError("token_rotation_is_on")
        return Installation(
            platform=PLATFORM,
            tenant=tenant,
            name=name if isinstance(name, str) else "",
            is_org_wide=is_org_wide,
            bot_token=Secret(token),
            bot_user=reply.text("bot_user_id"),
            scopes=frozenset(filter(None, reply.text("scope").split(","))),
            installed_at=began,
        )


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
