"""Where the bot is installed: which token serves a workspace. As yet there is one, with the token of the settings."""

from dataclasses import dataclass

from commands.errors import DeliveryError, DeliveryErrorKind
from commands.secret import Secret
from platform_adapters.chat.slack.api import SlackApi


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """The bot in one workspace."""

    team_id: str
    team_name: str
    token: Secret
    scopes: tuple[str, ...]


class Installations:
    """Finds the installation of a workspace. Asks Slack whose the token is when it is first wanted, not before."""

    def __init__(self, api: SlackApi, token: Secret) -> None:
        self._api = api
        self._token = token
        self._known: Installation | None = None

    async def identify(self) -> Installation:
        """Ask Slack whose token ours is, once. Raises DeliveryError."""
        if self._known is None:
            self._known = await self.ask()
        return self._known

    async def ask(self) -> Installation:
        """Ask Slack again. Raises DeliveryError."""
        reply = await self._api.call("auth.test", token=self._token)
        team_id = reply.text("team_id")
        if not team_id:
            raise DeliveryError(DeliveryErrorKind.RETRY, "auth_without_team")
        return Installation(team_id=team_id, team_name=reply.text("team"), token=self._token, scopes=reply.scopes)

    async def of(self, tenant: str) -> Installation:
        """The installation that serves a workspace. Raises DeliveryError where the bot is not in it."""
        installation = await self.identify()
        if installation.team_id != tenant:
            raise DeliveryError(DeliveryErrorKind.ADDRESS_GONE, "not_installed_there")
        return installation

    def receiving(self, team_id: str) -> tuple[str, str | None]:
        """The workspace whose installation took a request in, and its name if it is known.

        In a channel shared with another company Slack may name that company's workspace; the request is still ours.
        """
        if self._known is None:
            return team_id, None
        return self._known.team_id, self._known.team_name
