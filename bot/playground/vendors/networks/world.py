"""What a network knows: people, businesses, ad accounts, apps, and the grants between them.

Plain mutable records in memory, changed only from the event loop. Nothing here knows a protocol. Times are seconds
since the epoch, by the network's own clock (`World.now`), which tests and the control API can move.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum


class TokenState(StrEnum):
    """Whether a token works, and if not, what its network would say was the cause."""

    LIVE = "live"
    UNKNOWN = "unknown"
    REVOKED = "revoked"
    EXPIRED = "expired"
    PASSWORD_CHANGED = "password_changed"
    BLOCKED = "blocked"


class IssuerMode(StrEnum):
    """What the callback's `iss` parameter (RFC 9207) is."""

    OFF = "off"
    ON = "on"
    WRONG = "wrong"


class RedirectMatch(StrEnum):
    """How a redirect address is compared with the registered ones. Real networks have been seen doing either."""

    EXACT = "exact"
    PREFIX = "prefix"


@dataclass(slots=True, kw_only=True)
class Profile:
    """A person who can log in at the network."""

    id: str
    name: str
    email: str
    password_changed_at: float | None = None
    """For people to read; the tokens that it ended are marked themselves."""
    blocked: bool = False
    """The network wants something from the person (a checkpoint) before it lets them, or their grants, in."""


@dataclass(slots=True, kw_only=True)
class Business:
    """A parent of ad accounts: a Business Center, a Business Manager, an organisation."""

    id: str
    name: str
    roles: dict[str, str] = field(default_factory=dict)
    """Profile id to role, in the network's own words."""


@dataclass(slots=True, kw_only=True)
class AdAccount:
    """An account that advertises."""

    id: str
    name: str
    business_id: str
    roles: dict[str, str] = field(default_factory=dict)
    """Profile id to role. An empty role takes away what the business's role would give."""
    status: str | None = None
    """The network's own status value; None is its healthy one."""
    region: str = ""
    """Which of the network's hosts knows it, where regions have their own (Amazon)."""
    deleted: bool = False


@dataclass(slots=True, kw_only=True)
class App:
    """A client application that is registered at the network."""

    id: str
    secret: str = field(repr=False)
    name: str
    redirect_uris: tuple[str, ...]
    refresh_tokens: bool = False
    """Whether this app is trusted with refresh tokens, where the network gives them to some only."""
    deauthorize_url: str | None = None
    """Where the network reports that a person removed the app, where it does."""


@dataclass(slots=True, kw_only=True)
class Grant:
    """What one person allowed one app."""

    id: str
    app_id: str
    profile_id: str
    permissions: set[str]
    declined: set[str] = field(default_factory=set)
    accounts: set[str] | None = None
    """The account ids that were allowed; None is every one the person reaches, now and later."""
    business_id: str | None = None
    wishes: frozenset[str] = frozenset()
    created_at: float
    revoked_at: float | None = None
    data_access_expires_at: float | None = None


@dataclass(slots=True, kw_only=True)
class Token:
    """A string that a client holds. `kind` is access or refresh."""

    value: str = field(repr=False)
    kind: str
    grant_id: str
    scope: str
    secret: str = field(default="", repr=False)
    """What calls are signed with, where tokens have a secret (OAuth 1.0a)."""
    issued_at: float
    expires_at: float | None = None
    revoked: bool = False
    outdated: bool = False
    """Made before the person changed the password."""


@dataclass(slots=True, kw_only=True)
class LoginRequest:
    """A login that an app announced before the browser came (OAuth 1.0a's request token)."""

    value: str = field(repr=False)
    secret: str = field(repr=False)
    app_id: str
    callback: str
    expires_at: float
    verifier: str | None = field(default=None, repr=False)
    """What the browser brings back once the person allowed it."""
    decision: Decision | None = None


@dataclass(slots=True, kw_only=True)
class Code:
    """An authorization code on its way through somebody's browser."""

    value: str = field(repr=False)
    app_id: str
    redirect_uri: str
    scope: str
    decision: Decision
    expires_at: float
    challenge: str | None = None
    challenge_method: str | None = None
    used: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a person chose on the consent page."""

    profile_id: str
    permissions: frozenset[str]
    declined: frozenset[str] = frozenset()
    accounts: frozenset[str] | None = None
    business_id: str | None = None
    wishes: frozenset[str] = frozenset()
    """What the request asked for beside permissions, in words that only the network's own file reads."""


@dataclass(slots=True, kw_only=True)
class Settings:
    """What can be switched while the stand-in runs."""

    logged_in: str | None = None
    """The profile that the browser is logged in as at this network."""
    issuer: IssuerMode = IssuerMode.OFF
    redirect_match: RedirectMatch = RedirectMatch.EXACT
    clock_offset: float = 0.0
    code_seconds: float | None = None
    """How long a code lives; None is the network's own figure."""
    rotate_refresh: bool | None = None
    """Whether a refresh token is good once and replaced by each use; None is the network's own habit."""
    require_pkce: bool | None = None
    """Whether a login without a challenge is refused; None is the network's own habit."""
    false_revoked_seconds: float = 0.0
    """Tokens younger than this are called revoked although they are not, as LinkedIn does after a grant."""
    oldest_version: str | None = None
    """The oldest version of the API that is still served; None is the network's own."""
    show_owner: bool = True
    """Whether account details name the owning business; TikTok does so only under certain conditions."""
    failing_entries: list[str] = field(default_factory=list)
    """Ids whose entry in a list fails by itself, in an answer that is good otherwise, as Snapchat's may."""
    testing: bool = False
    """The app is not published: its refresh tokens live for seven days (Google)."""
    session_control: bool = False
    """The company's session policy wants a new login before any refresh (Google)."""
    admin_restricted: bool = False
    """The company's administrators have restricted what the app asks for (Google), or from where (Microsoft)."""
    app_trouble: str | None = None
    """Why every call of the app is refused, whoever's login it is, in the network's own word (X)."""
    login_trouble: str | None = None
    """Why every call of a login is refused, in the network's own word (X Ads)."""


class World:
    """Everything one network remembers. Ids are unique per kind."""

    def __init__(
        self,
        *,
        profiles: Iterable[Profile],
        businesses: Iterable[Business],
        accounts: Iterable[AdAccount],
        apps: Iterable[App],
        clock: Callable[[], float],
    ) -> None:
        self.profiles = {profile.id: profile for profile in profiles}
        self.businesses = {business.id: business for business in businesses}
        self.accounts = {account.id: account for account in accounts}
        self.apps = {app.id: app for app in apps}
        self.grants: dict[str, Grant] = {}
        self.tokens: dict[str, Token] = {}
        self.codes: dict[str, Code] = {}
        self.login_requests: dict[str, LoginRequest] = {}
        self.nonces: set[tuple[str, ...]] = set()
        """Of signed calls: none is good twice."""
        self.settings = Settings()
        self._clock = clock

    def now(self) -> float:
        """The network's time, in seconds since the epoch."""
        return self._clock() + self.settings.clock_offset

    def add_grant(self, app_id: str, decision: Decision) -> Grant:
        """Remember a new grant, beside any that the same person gave the same app before."""
        grant = Grant(
            id=f"g{len(self.grants) + 1}",
            app_id=app_id,
            profile_id=decision.profile_id,
            permissions=set(decision.permissions),
            declined=set(decision.declined),
            accounts=None if decision.accounts is None else set(decision.accounts),
            business_id=decision.business_id,
            wishes=decision.wishes,
            created_at=self.now(),
        )
        self.grants[grant.id] = grant
        return grant

    def add_token(
        self,
        grant: Grant,
        kind: str,
        seconds: float | None,
        *,
        scope: str = "",
        prefix: str = "",
    ) -> Token:
        """Make a token of `grant` that lives for `seconds`, or until it is revoked."""
        now = self.now()
        token = Token(
            value=prefix + secrets.token_urlsafe(32),
            kind=kind,
            grant_id=grant.id,
            scope=scope or " ".join(sorted(grant.permissions)),
            secret=secrets.token_urlsafe(32),
            issued_at=now,
            expires_at=None if seconds is None else now + seconds,
        )
        self.tokens[token.value] = token
        return token

    def state(
        self, token: Token | None, kind: str | None = None, *, despite: frozenset[TokenState] = frozenset()
    ) -> TokenState:
        """Whether `token` works now; a token of another `kind` than asked for is unknown.

        `despite`: troubles that do not end this network's tokens.
        """
        if token is None or (kind is not None and token.kind != kind):
            return TokenState.UNKNOWN
        grant = self.grants[token.grant_id]
        profile = self.profiles[grant.profile_id]
        troubles = {
            TokenState.REVOKED: token.revoked or grant.revoked_at is not None,
            TokenState.BLOCKED: profile.blocked,
            TokenState.PASSWORD_CHANGED: token.outdated,
            TokenState.EXPIRED: token.expires_at is not None and token.expires_at <= self.now(),
        }
        return next((state for state, stands in troubles.items() if stands and state not in despite), TokenState.LIVE)

    def tokens_of(self, grant_id: str) -> list[Token]:
        """The tokens of a grant, oldest first."""
        return [token for token in self.tokens.values() if token.grant_id == grant_id]

    def grants_of(self, app_id: str, profile_id: str) -> list[Grant]:
        """What a person granted an app, oldest first, dead ones included."""
        return [g for g in self.grants.values() if g.app_id == app_id and g.profile_id == profile_id]

    def account_role(self, profile_id: str, account: AdAccount) -> str | None:
        """The role a person was given on the account itself."""
        return account.roles.get(profile_id) or None

    def inherited_role(self, profile_id: str, account: AdAccount, admin: str) -> str | None:
        """The role on the account itself, else `admin` where the person has that role in the owning business."""
        if profile_id in account.roles:
            return account.roles[profile_id] or None
        business = self.businesses.get(account.business_id)
        return admin if business is not None and business.roles.get(profile_id) == admin else None
