"""What one network file has to say, so that the shared parts can play it.

A network is a subclass of `NetworkWire` named `Wire` in a module of `wires/`; the module's name is the network's slug.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from aiohttp import web
from multidict import MultiMapping
from yarl import URL

from .authority import Authority, ConsentDesk, ConsentRequest, Failure
from .oauth_records import Terms
from .world import AdAccount, App, Business, Decision, Grant, Profile, Token, World

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One address of the network. Calls are counted, and faults aimed, by `label`."""

    method: str
    path: str
    label: str
    handler: Handler


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """One permission as the consent page words it."""

    id: str
    label: str
    detail: str = ""
    optional: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What the consent page puts before a person."""

    permissions: tuple[Permission, ...]
    businesses: tuple[Business, ...] = ()
    """To choose one of; none where the network has no such choice."""
    business_id: str | None = None
    chooses_accounts: bool = False
    """Whether the person ticks accounts; where not, all that they reach are granted."""
    accounts: tuple[AdAccount, ...] = ()
    all_means_later: bool = False
    """Whether ticking every account grants future ones too."""
    note: str = ""
    """One sentence in the network's voice above the buttons."""


def json_answer(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON reply that no cache keeps."""
    return web.json_response(body, status=status, headers={"Cache-Control": "no-store", **(headers or {})})


def with_query(address: str, **params: str | None) -> str:
    """`address` with the parameters that have a value added to its query."""
    return str(URL(address).update_query({name: value for name, value in params.items() if value is not None}))


def read_json_list(text: str | None) -> list[str] | None:
    """The strings of a JSON array, or None when it is not one."""
    try:
        value = json.loads(text or "")
    except ValueError:
        return None
    return [str(item) for item in value] if isinstance(value, list) else None


class NetworkWire(ABC):
    """One network's protocol over a shared `World`. Subclasses hold no state of their own."""

    title: ClassVar[str]
    """The name over the consent page."""
    accent: ClassVar[str]
    """A CSS colour that recalls the network."""
    business_word: ClassVar[str] = "business"
    terms: ClassVar[Terms]
    nothing_ticked_is_cancelled: ClassVar[bool] = False
    """Whether Allow without a single permission comes back as Cancel does."""
    disabled_status: ClassVar[str]
    """What an account's status becomes when the network disables it."""

    def __init__(self, world: World, issuer: str) -> None:
        self.world = world
        self.authority = Authority(world, self.terms, self.open_grant, issuer)
        self.desk: ConsentDesk = self.authority

    @property
    def issued_seconds(self) -> float | None:
        """How long the access token lives that a client ends up with, after every exchange; None: until revoked."""
        return self.terms.access_seconds

    @abstractmethod
    def endpoints(self) -> list[Endpoint]:
        """Every address but the consent page."""

    @abstractmethod
    def authorize_paths(self) -> list[str]:
        """Where the consent page lives."""

    @abstractmethod
    def offer(self, profile: Profile, app: App, requested: list[str], business_id: str | None) -> Offer:
        """What to ask of `profile` when `app` wants `requested` permissions, with a business chosen or not yet."""

    def offer_for(self, asked: ConsentRequest, profile: Profile, business_id: str | None) -> Offer:
        """What to ask of `profile`, where the page depends on more of the request than its permissions."""
        return self.offer(profile, asked.app, list(asked.scopes), business_id)

    def decided(self, asked: ConsentRequest, decision: Decision) -> Decision:
        """A decision, with what it means for this network that the request asked for more than permissions."""
        return decision

    def barred(self) -> str | None:
        """The error that the callback brings although the person pressed Allow; None: nothing stands in the way."""
        return None

    @abstractmethod
    def denied(self, redirect_uri: str, state: str | None, *, logged_in: bool) -> str:
        """The callback after Cancel, pressed on the login page or on the consent page."""

    @abstractmethod
    def throttled(self) -> web.Response:
        """The network's answer to a client that asks too often."""

    @abstractmethod
    def down(self) -> web.Response:
        """The network's answer when it is out of order itself."""

    def authorize_params(self, query: MultiMapping[str]) -> list[tuple[str, str]]:
        """The consent page's query under OAuth's own names; duplicates are kept, so that they can be refused."""
        return list(query.items())

    def refused(self, failure: Failure) -> str | None:
        """The callback for a request that cannot be put before a person, or None to show a page instead."""
        if failure.redirect_uri is None:
            return None
        return with_query(
            failure.redirect_uri,
            error=failure.error,
            error_description=failure.description,
            state=failure.state,
        )

    def allowed(self, location: str) -> str:
        """The callback after Allow, given the standard one."""
        return location

    def open_grant(self, app: App, decision: Decision) -> Grant:
        """The grant that a decision makes or renews."""
        return self.world.add_grant(app.id, decision)

    def family(self, grant: Grant) -> list[Grant]:
        """The grants that end together when a person removes the app."""
        return [grant]

    def role_of(self, profile_id: str, account: AdAccount) -> str | None:
        """The role a person has on an account, in the network's words."""
        return self.world.account_role(profile_id, account)

    def reach(self, grant: Grant) -> list[AdAccount]:
        """The accounts that a grant reads today, in the world's order."""
        return [
            account
            for account in self.world.accounts.values()
            if not account.deleted
            and (grant.accounts is None or account.id in grant.accounts)
            and self.role_of(grant.profile_id, account) is not None
        ]

    def handed_out(self, token: Token) -> str:
        """What a client holds of a token."""
        return token.value

    def access_token(self, value: str | None) -> Token | None:
        """The access token with that value, in whatever state."""
        token = self.world.tokens.get(value or "")
        return token if token is not None and token.kind == "access" else None

    def removal_notice(self, grant: Grant) -> tuple[str, dict[str, str]] | None:
        """The address and form of the call that reports a removed app, where the network makes one."""
        return None
