"""What the operator sets for Discord, read once and checked. Nothing here connects."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from commands.errors import SettingError
from commands.secret import Secret

BOT_TOKEN = "LAPSEBOT_DISCORD_BOT_TOKEN"
CLIENT_ID = "LAPSEBOT_DISCORD_CLIENT_ID"
CLIENT_SECRET = "LAPSEBOT_DISCORD_CLIENT_SECRET"
API_URL = "LAPSEBOT_DISCORD_API_URL"
AUTHORIZE_URL = "LAPSEBOT_DISCORD_AUTHORIZE_URL"
GATEWAY_URL = "LAPSEBOT_DISCORD_GATEWAY_URL"

_WHERE = {
    BOT_TOKEN: "the Bot page of the application in Discord's developer portal shows it once, after Reset Token",
    CLIENT_ID: "it is the Application ID on the General Information page in Discord's developer portal",
    CLIENT_SECRET: "the OAuth2 page of the application in Discord's developer portal shows it once, after Reset Secret",
}

# Docs: topics/permissions. See a channel, write in it and in its threads, attach the picture of a chart, and read the
# history, without which nothing can be answered with a reply. Nothing else is needed: messages are made of components,
# which embed no links, and nobody is ever pinged.
_VIEW_CHANNEL, _SEND_MESSAGES, _SEND_MESSAGES_IN_THREADS = 1 << 10, 1 << 11, 1 << 38
_ATTACH_FILES, _READ_MESSAGE_HISTORY = 1 << 15, 1 << 16
PERMISSIONS = _VIEW_CHANNEL | _SEND_MESSAGES | _SEND_MESSAGES_IN_THREADS | _ATTACH_FILES | _READ_MESSAGE_HISTORY


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscordSettings:
    """One Discord application. Addresses have no slash at the end."""

    bot_token: Secret
    client_id: str
    """The application's id as well: Discord has them alike."""
    client_secret: Secret
    api_url: str = "https://discord.com/api/v10"
    authorize_url: str = "https://discord.com/oauth2/authorize"
    gateway_url: str = "wss://gateway.discord.gg"

    def install_link(self) -> str:
        """Build the address that adds the bot to a server, with just the permissions that it needs (A-2)."""
        asked = {
            "client_id": self.client_id,
            "scope": "bot applications.commands",
            "permissions": str(PERMISSIONS),
            "integration_type": "0",  # to a server, not to a person's own account
        }
        return f"{self.authorize_url}?{urlencode(asked)}"


def read_settings(environment: Mapping[str, str]) -> DiscordSettings | None:
    """Read the settings; None where no credential is set. Raises SettingError for what is half set or wrong."""
    given = {name: environment.get(name, "").strip() for name in _WHERE}
    if not any(given.values()):
        return None
    for name, value in given.items():
        if not value:
            raise SettingError(name, f"it is missing, while other Discord settings are there; {_WHERE[name]}")
        if len(value.split()) > 1:
            raise SettingError(name, f"it must be one word, without a scheme in front; {_WHERE[name]}")
    if not (given[CLIENT_ID].isascii() and given[CLIENT_ID].isdigit()):
        raise SettingError(CLIENT_ID, f"it must be a number; {_WHERE[CLIENT_ID]}")
    addresses = {
        "api_url": _address(environment, API_URL, ("http", "https")),
        "authorize_url": _address(environment, AUTHORIZE_URL, ("http", "https")),
        "gateway_url": _address(environment, GATEWAY_URL, ("ws", "wss")),
    }
    return DiscordSettings(
        bot_token=Secret(given[BOT_TOKEN]),
        client_id=given[CLIENT_ID],
        client_secret=Secret(given[CLIENT_SECRET]),
        **{name: address for name, address in addresses.items() if address is not None},
    )


def _address(environment: Mapping[str, str], name: str, schemes: tuple[str, ...]) -> str | None:
    address = environment.get(name, "").strip().rstrip("/")
    if not address:
        return None
    try:
        parts = urlsplit(address)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in schemes or not parts.hostname or parts.query or parts.fragment:
        raise SettingError(name, f"it must be an address that begins with {' or '.join(schemes)}://, without a query")
    return address
