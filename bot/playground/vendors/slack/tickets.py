"""What Slack hands out for a short while: trigger ids, response addresses, authorization codes."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.playground.vendors.slack.config import TimingConfig
from bot.playground.vendors.slack.wire import Json, RefusedError

RESPONSE_URL_USES = 5


@dataclass(slots=True, kw_only=True)
class ResponseTicket:
    """One `response_url`: where its answers go, and on which message it may work."""

    team_id: str
    channel_id: str
    user_id: str
    expires_at: float
    message_ts: str | None = None
    typed: str | None = None
    """What the person typed, shown when a command's answer goes to the channel."""
    uses: int = 0


@dataclass(slots=True, kw_only=True)
class CodeTicket:
    """One authorization code and all that it was given for."""

    flow: str
    """`install` or `openid`."""
    team_id: str
    user_id: str
    client_id: str
    redirect_uri: str | None
    scopes: tuple[str, ...]
    nonce: str | None
    expires_at: float
    used: bool = False


@dataclass(slots=True)
class Tickets:
    """Hands out and takes back. Times are of the clock given, in seconds."""

    timing: TimingConfig
    now: Callable[[], float]
    _triggers: dict[str, Json] = field(default_factory=dict)
    _responses: dict[str, ResponseTicket] = field(default_factory=dict)
    _codes: dict[str, CodeTicket] = field(default_factory=dict)

    def new_trigger(self, team_id: str, user_id: str) -> str:
        """A trigger id: three seconds, one use."""
        trigger = f"{secrets.randbelow(10**13)}.{secrets.randbelow(10**11)}.{secrets.token_hex(16)}"
        expires_at = self.now() + self.timing.trigger_life
        self._triggers[trigger] = {
            "team": team_id,
            "user": user_id,
            "expires_at": expires_at,
            "used": False,
        }
        return trigger

    def team_of_trigger(self, trigger: str) -> str | None:
        """The workspace in which a trigger arose."""
        found = self._triggers.get(trigger)
        return str(found["team"]) if found else None

    def use_trigger(self, trigger: str, team_id: str) -> str:
        """The user whose trigger it is; refused when it is unknown, over or used."""
        found = self._triggers.get(trigger)
        if found is None or found["team"] != team_id:
            raise RefusedError(
                "invalid_arguments",
                "[ERROR] invalid `trigger_id` [json-pointer:/trigger_id]",
            )
        if found["used"]:
            raise RefusedError("exchanged_trigger_id")
        if self.now() > found["expires_at"]:
            raise RefusedError("expired_trigger_id")
        found["used"] = True
        return str(found["user"])

    def new_response_url(self, ticket: ResponseTicket) -> str:
        """The secret last part of a response address."""
        secret = secrets.token_urlsafe(24)
        ticket.expires_at = self.now() + self.timing.response_url_life
        self._responses[secret] = ticket
        return secret

    def use_response_url(self, secret: str) -> ResponseTicket:
        """The ticket, with one use taken; refused as Slack does after five uses or thirty minutes."""
        ticket = self._responses.get(secret)
        if ticket is None:
            raise RefusedError("invalid_url")
        if self.now() > ticket.expires_at:
            raise RefusedError("expired_url")
        if ticket.uses >= RESPONSE_URL_USES:
            raise RefusedError("used_url")
        ticket.uses += 1
        return ticket

    def new_code(self, ticket: CodeTicket) -> str:
        """An authorization code: ten minutes, one use."""
        code = f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**12)}.{secrets.token_hex(32)}"
        ticket.expires_at = self.now() + self.timing.code_life
        self._codes[code] = ticket
        return code

    def use_code(self, code: str, *, flow: str, client_id: str, redirect_uri: str | None) -> CodeTicket:
        """What the code stands for. A code is spent by the first attempt, also by one with the wrong address."""
        ticket = self._codes.get(code)
        if ticket is None or ticket.flow != flow or ticket.client_id != client_id:
            raise RefusedError("invalid_code")
        if ticket.used:
            raise RefusedError("code_already_used")
        ticket.used = True
        if self.now() > ticket.expires_at:
            raise RefusedError("invalid_code")
        if ticket.redirect_uri is not None and ticket.redirect_uri != redirect_uri:
            raise RefusedError("bad_redirect_uri")
        return ticket
