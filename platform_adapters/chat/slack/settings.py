"""Slack's settings: what the operator gives, checked before anything is connected.

A bot token (for one workspace) or the client id and secret (for many, which let the bot in one by one) are the least.
With an app-level token requests come in by Socket Mode; without one they come by signed HTTP, and a signing secret is
needed. The client id and secret turn on Sign in with Slack as well.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]  # typeshed has it for no platform

from commands.errors import SettingError
from commands.secret import Secret

PREFIX = "LAPSEBOT_SLACK_"
_API_URL = "https://slack.com/api/"
_AUTHORIZE_URL = "https://slack.com"
_CREDENTIALS = ("BOT_TOKEN", "SIGNING_SECRET", "APP_TOKEN", "CLIENT_ID", "CLIENT_SECRET")
_PLACEHOLDER = re.compile(
    r"(x(ox[bp]|app)-)?(|x+|\W+|(your|my|the|insert|put|replace|paste)[-_ ].*|.*(\.\.\.|…).*|<.*>"
    r"|change[-_ ]?me|todo|tbd|none|null|secret|token|password|example|placeholder|test)",
    re.IGNORECASE | re.DOTALL,
)
_SHORTEST_SIGNING_SECRET = 16  # Slack's have 32 characters
_SIGNING_SECRETS = 2  # the old and the new one, while it is being changed


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """The app's OAuth client, for Sign in with Slack and for being let into workspaces."""

    client_id: str
    secret: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackSettings:
    """What the operator set."""

    bot_token: Secret | None
    """The one workspace that needs no consent page; None: all are let in by theirs."""
    app_token: Secret | None
    """Set: Socket Mode."""
    signing_secrets: tuple[Secret, ...]
    """Any of them is good."""
    app_id: str | None
    client: Client | None
    api_url: str
    """Ends with a slash."""
    authorize_url: str
    """Where people's browsers find Slack; without a slash at the end."""
    proxy: str | None


def read_settings(environment: Mapping[str, str]) -> SlackSettings | None:
    """Read the LAPSEBOT_SLACK_ variables; None where no credential is set. Raises SettingError."""
    given = {name: environment.get(PREFIX + name, "").strip() for name in _CREDENTIALS}
    if not any(given.values()):
        return None
    for name, value in given.items():
        if value and _PLACEHOLDER.fullmatch(value):
            raise SettingError(PREFIX + name, "is still a placeholder; copy the value from api.slack.com/apps")
    if not given["BOT_TOKEN"] and not (given["CLIENT_ID"] or given["CLIENT_SECRET"]):
        reason = "is missing: set it for one workspace, or LAPSEBOT_SLACK_CLIENT_ID and _CLIENT_SECRET for many"
        raise SettingError(PREFIX + "BOT_TOKEN", reason)
    if given["BOT_TOKEN"] and not re.fullmatch(r"(xoxe\.)?xoxb-\S+", given["BOT_TOKEN"]):
        raise SettingError(PREFIX + "BOT_TOKEN", "must be a bot token, which begins with xoxb-")
    if given["APP_TOKEN"] and not re.fullmatch(r"xapp-\S+", given["APP_TOKEN"]):
        raise SettingError(PREFIX + "APP_TOKEN", "must be an app-level token, which begins with xapp-")
    if not given["APP_TOKEN"] and not given["SIGNING_SECRET"]:
        reason = "is missing: set it to take requests by HTTP, or LAPSEBOT_SLACK_APP_TOKEN for Socket Mode"
        raise SettingError(PREFIX + "SIGNING_SECRET", reason)
    api_url = _address(environment, "API_URL", _API_URL) + "/"
    return SlackSettings(
        bot_token=Secret(given["BOT_TOKEN"]) if given["BOT_TOKEN"] else None,
        app_token=Secret(given["APP_TOKEN"]) if given["APP_TOKEN"] else None,
        signing_secrets=_signing_secrets(given["SIGNING_SECRET"]),
        app_id=_app_id(environment),
        client=_client(given["CLIENT_ID"], given["CLIENT_SECRET"]),
        api_url=api_url,
        authorize_url=_address(environment, "AUTHORIZE_URL", _AUTHORIZE_URL),
        proxy=_proxy(environment, api_url),
    )


def _signing_secrets(value: str) -> tuple[Secret, ...]:
    if not value:
        return ()
    name, secrets = PREFIX + "SIGNING_SECRET", [part.strip() for part in value.split(",")]
    if len(secrets) > _SIGNING_SECRETS:
        raise SettingError(name, "takes one secret, or two with a comma between them while it is being changed")
    for secret in secrets:
        if len(secret) < _SHORTEST_SIGNING_SECRET or _PLACEHOLDER.fullmatch(secret):
            raise SettingError(name, "is empty or too short; copy it from Basic Information of the app at Slack")
    return tuple(Secret(secret) for secret in secrets)


def _client(client_id: str, secret: str) -> Client | None:
    if not client_id and not secret:
        return None
    for name, value in (("CLIENT_ID", client_id), ("CLIENT_SECRET", secret)):
        if not value:
            raise SettingError(PREFIX + name, "is missing, while the other half of the pair is set")
    return Client(client_id=client_id, secret=Secret(secret))


def _app_id(environment: Mapping[str, str]) -> str | None:
    value = environment.get(PREFIX + "APP_ID", "").strip()
    if value and not re.fullmatch(r"A[A-Z0-9]+", value):
        raise SettingError(PREFIX + "APP_ID", "must be the app's id, which begins with A")
    return value or None


def _address(environment: Mapping[str, str], name: str, default: str) -> str:
    value = environment.get(PREFIX + name, "").strip() or default
    parts = urlsplit(value)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.fragment:
        raise SettingError(PREFIX + name, "must be an address that begins with https://")
    return value.rstrip("/")


def _proxy(environment: Mapping[str, str], url: str) -> str | None:
    """The proxy on the way to `url`. slack_sdk would take one from the process's environment, heedless of NO_PROXY."""

    def read(name: str) -> str:
        return environment.get(name, "") or environment.get(name.lower(), "")

    parts = urlsplit(url)
    proxy = read(f"{parts.scheme.upper()}_PROXY")
    if not proxy or proxy_bypass_environment(parts.netloc, {"no": read("NO_PROXY")}):
        return None
    return proxy
