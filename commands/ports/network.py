"""An ad or social network, seen from the core: a declaration, and a few questions that can be asked of it."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from commands.model import Finding, Parent, Tokens, Verdict
from commands.ports.chat import Diagnosis
from commands.secret import Secret


class Grouping(StrEnum):
    """How several lapses of one network are told (N-4)."""

    EACH = "each"
    SUMMARY = "summary"


class NetworkKind(StrEnum):
    """Who holds what a network is read with, which decides how a lapse is mended."""

    OAUTH = "oauth"
    """A grant of somebody's login, which we hold: mended by a round trip through the network's login."""
    API_KEY = "api_key"
    """A key that somebody pastes: mended by hand, client by client, never in bulk (R-9)."""
    HOSTED = "hosted"
    """The host product holds it, reports lapses (D-7), and has its own page for reconnecting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """A permission that reading needs."""

    label: str
    """Its name on the network's consent page."""
    satisfied_by: frozenset[str]
    """Any one of these codes grants it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseText:
    """A network's own words for one cause, where the common ones in `commands/causes.py` would be too vague."""

    happened: str
    """One sentence: what happened, without "token", "scope" or "OAuth"."""
    mend: str
    """One sentence: who can mend it, and how."""
    not_helping: str = ""
    """What will not help, or must not be done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyField:
    """One field of what is entered by hand, as a form asks for it."""

    name: str
    label: str
    help: str = ""
    """One sentence: what it looks like, or where it stands."""
    secret: bool = True
    """Never shown again, and hidden while it is typed."""
    pattern: str = ""
    """A regular expression that the whole value matches; empty: anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyForm:
    """What is entered by hand to read a network of kind API_KEY."""

    called: str
    """What people call it: "API key"."""
    fields: tuple[KeyField, ...]
    needs: tuple[str, ...] = ()
    """What the key must be allowed to do, in the network's own words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPage:
    """Where the host product of a network of kind HOSTED has its connections mended. From the declaration alone."""

    product: str
    """What people call the host product."""
    reconnect_url: str
    """An https address; may name {connection_id}, which is ours, and {account_id}, written to fit an address."""
    connect_url: str = ""
    """Where new accounts are connected; empty: nowhere that could be linked to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSpec:
    """The declaration of a network: facts and words, no behaviour. People read `name`; commands take slug and
    aliases.
    """

    slug: str
    name: str
    aliases: tuple[str, ...] = ()
    kind: NetworkKind = NetworkKind.OAUTH
    grouping: Grouping = Grouping.EACH
    permissions: tuple[Permission, ...]
    parent_label: str | None
    """What accounts hang under: "Business Center"; None where there is no such thing."""
    login_label: str
    """Which login to use: "your personal Facebook profile"."""
    reconnect_requirement: str
    """What it takes to reconnect, for who-can and refusals: "the Admin role in its Business Center"."""
    stops: tuple[str, ...]
    """Which data stop while it is lapsed: "spend", "creative data" (N-18)."""
    checklist: tuple[str, ...] = ()
    """What to check before the login, one sentence each (R-2). May name {account}, {account_id}, {subject}, {parent},
    {parent_id} and {permissions}; a sentence whose fact is not known is left out."""
    steps: tuple[str, ...] = ()
    """What the network's own pages will ask, in order (R-2)."""
    switch_login: str = ""
    """Where the network's page shows who is logged in, and how to change it there first (R-6), in a sentence or two;
    empty: nothing is known of its pages, and a neutral sentence stands there."""
    re_asks: bool = False
    """The network can be sent back to for one permission alone (X-5). Where it cannot, the whole consent is asked for
    again."""
    term: timedelta | None = None
    """How often the network demands a fresh consent; None: never."""
    causes: Mapping[Verdict, CauseText] = field(default_factory=dict)
    detects: frozenset[Verdict] = frozenset()
    """The causes that this network lets us tell apart, besides a refusal without a reason, which is UNCLEAR."""
    uses_pkce: bool = False
    refresh_leeway: timedelta = timedelta(minutes=10)
    """How long before the access token's end it is refreshed."""
    check_interval: timedelta = timedelta(hours=1)
    cancelled_by: frozenset[str] = frozenset({"access_denied"})
    """Values of `error` at the callback that mean: the person pressed Cancel."""
    refused_by: Mapping[str, Verdict] = field(default_factory=dict)
    """Values of `error` at the callback that tell why the network refuses the login; any other is unclear."""
    denied_with: str | None = None
    """The parameter at the callback that means Cancel by being there; None: only `error` tells."""
    key_form: KeyForm | None = None
    """Of kind API_KEY, and of no other."""
    own_page: OwnPage | None = None
    """Of kind HOSTED, and of no other."""
    one_grant_per_subject: bool = False
    """A second sign-in of the same account ends the first (X-4): the pages warn whoever comes second."""
    fresh_grant_grace: timedelta = timedelta(0)
    """How long after a grant refusals may be false (LinkedIn: minutes); meanwhile they count as unclear."""
    history: timedelta | None = None
    """How far back the network lets data be fetched (X-9); None: not known, and said so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """An account that an authorization should reach."""

    account_id: str
    parent: Parent | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What a check of an authorization found. A probe that says the grant is healthy has a finding for every
    account.
    """

    grant: Finding
    accounts: Mapping[str, Finding] = field(default_factory=dict)
    """By account id; accounts not named share the grant's finding."""
    ends_at: datetime | None = None
    """When the network now says that the consent ends; None: it did not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A login that may be gone to now."""

    url: str = field(repr=False)
    """Where the browser goes: it leads back with the state."""
    secret: Secret | None = None
    """What only `exchange` may see of it, in the place of the code verifier: an OAuth 1.0a network's request token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a code was exchanged for."""

    tokens: Tokens
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReachedAccount:
    """An account that a login reaches."""

    account_id: str
    name: str
    parent: Parent | None
    finding: Finding
    """Whether it can be read: HEALTHY, or why not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """Who logged in, what they granted, and what that reaches."""

    subject_id: str
    subject_name: str
    granted: frozenset[str]
    accounts: tuple[ReachedAccount, ...]


class Network(Protocol):
    """One network with its credentials. Every call out has a timeout; none holds a transaction."""

    spec: NetworkSpec

    def running(self) -> AbstractAsyncContextManager[None]:
        """Hold HTTP connections open until the block is left. The calls below work only inside it."""
        ...

    @property
    def login_url(self) -> str:
        """The address of the network's login, without what is asked there."""
        ...

    async def begin(
        self, *, state: str, redirect_uri: str, code_challenge: str | None, login_hint: str | None, again: bool
    ) -> Begun:
        """Prepare a login. `again`: a permission was unticked and has to be asked for anew. Raises NetworkError."""
        ...

    async def exchange(self, *, answer: Mapping[str, str], redirect_uri: str, code_verifier: str | None) -> Grant:
        """Exchange what the callback brought (its query, each name once). Raises NetworkError.

        `code_verifier` is the challenge's, or what `begin` gave as its secret.
        """
        ...

    async def refresh(self, tokens: Tokens) -> Grant | None:
        """Get fresh tokens; None where this network, or this grant, cannot. A refresh token that the network left out
        is carried over (R-16). Raises NetworkError.
        """
        ...

    async def probe(self, tokens: Tokens, expected: Sequence[Expected]) -> Probe:
        """Ask whether the grant still works and still reaches what it should. Never raises NetworkError: failures to
        reach the network are findings too.
        """
        ...

    async def discover(self, tokens: Tokens) -> Discovery:
        """Ask who logged in and what that reaches. Raises NetworkError."""
        ...

    async def revoke(self, tokens: Tokens) -> None:
        """Give a grant back, best effort. Raises nothing."""
        ...

    async def diagnose(self) -> Sequence[Diagnosis]:
        """Check the app's credentials for `doctor`. Raises nothing."""
        ...


Networks = Mapping[str, Network]
"""The networks that have credentials here, by slug."""
