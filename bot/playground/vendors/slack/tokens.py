"""The app's bot tokens: one workspace or organization each, optionally rotating (single-use refresh, two live at most).

A token of a whole organization has the organization's id (`E…`) where others have their workspace's; which of its
workspaces it reaches is decided by the organization's administrators afterwards.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from bot.playground.vendors.slack.config import SlackConfig
from bot.playground.vendors.slack.wire import RefusedError

MAX_LIVE = 2


class TokenState(StrEnum):
    """Whether a token works, and the error that Slack names when it does not."""

    LIVE = "live"
    REVOKED = "token_revoked"
    EXPIRED = "token_expired"
    UNINSTALLED = "account_inactive"


@dataclass(slots=True, kw_only=True)
class BotToken:
    """A bot token of one workspace, or of the organization `team_id`. `expires_at` None: it does not rotate."""

    value: str
    team_id: str
    scopes: tuple[str, ...]
    state: TokenState = TokenState.LIVE
    refresh: str | None = None
    expires_at: float | None = None

    @property
    def is_org(self) -> bool:
        """Whether it is a whole organization's."""
        return self.team_id.startswith("E")


class Tokens:
    """Mints, finds, refreshes and ends tokens."""

    def __init__(self, config: SlackConfig, now: Callable[[], float]) -> None:
        self.app = config.app
        self._life = config.timing.token_life
        self._now = now
        self._all: list[BotToken] = [
            BotToken(value=each.bot_token, team_id=each.team_id, scopes=config.app.scopes)
            for each in config.workspaces
            if each.bot_token
        ]
        self._spent: set[str] = set()
        self._enterprises = {each.team_id: each.enterprise_id for each in config.workspaces if each.enterprise_id}
        self.granted: dict[str, set[str]] = {each.id: set() for each in config.enterprises}
        """By organization: the workspaces that its administrators added the app to."""

    def check(self, value: str) -> BotToken:
        """The live token of that value; refused with the error that fits."""
        found = next(
            (t for t in self._all if secrets.compare_digest(t.value.encode(), value.encode())),
            None,
        )
        if found is None:
            raise RefusedError("invalid_auth")
        if found.state is TokenState.LIVE and found.expires_at is not None and self._now() > found.expires_at:
            found.state = TokenState.EXPIRED
        if found.state is not TokenState.LIVE:
            raise RefusedError(found.state.value)
        return found

    def serving(self, team_id: str) -> str | None:
        """Whose installation serves a workspace: its own id, its organization's, or None where the app is not in it."""
        if self._has(team_id):
            return team_id
        enterprise = self._enterprises.get(team_id)
        if enterprise and team_id in self.granted[enterprise] and self._has(enterprise):
            return enterprise
        return None

    def installed(self, team_id: str) -> bool:
        """Whether the app is in that workspace."""
        return self.serving(team_id) is not None

    def _has(self, owner: str) -> bool:
        return any(t.team_id == owner and t.state in (TokenState.LIVE, TokenState.EXPIRED) for t in self._all)

    def install(self, team_id: str, scopes: tuple[str, ...]) -> BotToken:
        """Install or install again: scopes only ever grow; a token that does not rotate stays the same."""
        live = [t for t in self._all if t.team_id == team_id and t.state is TokenState.LIVE]
        held = tuple(dict.fromkeys([s for t in live for s in t.scopes] + list(scopes)))
        for token in live:
            token.scopes = held
        if live and not self.app.token_rotation:
            return live[-1]
        return self._mint(team_id, held)

    def refresh(self, value: str) -> BotToken:
        """Exchange a refresh token, once."""
        old = next((t for t in self._all if t.refresh == value), None)
        if old is None or value in self._spent or old.state in (TokenState.REVOKED, TokenState.UNINSTALLED):
            raise RefusedError("invalid_refresh_token")
        self._spent.add(value)
        return self._mint(old.team_id, old.scopes)

    def revoke(self, team_id: str, why: TokenState) -> None:
        """End every token of a workspace or organization."""
        if team_id in self.granted and why is TokenState.UNINSTALLED:
            self.granted[team_id].clear()
        for token in self._all:
            if token.team_id == team_id:
                token.state = why

    def _mint(self, team_id: str, scopes: tuple[str, ...]) -> BotToken:
        token = BotToken(value="xoxb-" + secrets.token_hex(24), team_id=team_id, scopes=scopes)
        if self.app.token_rotation:
            token.value = "xoxe." + token.value
            token.refresh = "xoxe-1-" + secrets.token_hex(32)
            token.expires_at = self._now() + self._life
        live = [t for t in self._all if t.team_id == team_id and t.state is TokenState.LIVE]
        if self.app.token_rotation and len(live) >= MAX_LIVE:
            live[0].state = TokenState.EXPIRED
        self._all.append(token)
        return token
