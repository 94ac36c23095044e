"""Real network adapters against their loopback stand-ins."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

import aiohttp
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from bot.playground import stand_ins
from bot.playground.vendors.networks import (
    AdAccount,
    App,
    Business,
    NetworkConfig,
    NetworkPeople,
    Profile,
    serve_network,
)
from commands.errors import NetworkError
from commands.model import Parent, Tokens, Verdict
from commands.ports.network import Begun, Expected, Grant, Network, Probe
from platform_adapters.discovery import build_networks
from tests.support.clock import FakeClock

CALLBACK = "http://127.0.0.1:9/oauth/cb/network"
EAST, WEST = Parent(id="7001", name="Acme East"), Parent(id="7002", name="Acme West")
FIRST, SECOND = "1029384756", "1029384757"
BOS = "2039485761"
VERIFIER = "a-verifier-of-at-least-forty-three-letters-1"

ADDRESSES = stand_ins.ADDRESSES
"""Where each stand-in has its login, its token endpoint and its API."""

PERMISSIONS = {
    "amazon_ads": ["profile", "advertising::campaign_management"],
    "google_ads": ["openid", "email", "https://www.googleapis.com/auth/adwords"],
    "instagram": ["instagram_business_basic", "instagram_business_manage_insights"],
    "linkedin": ["openid", "profile", "r_ads", "r_ads_reporting"],
    "meta": ["public_profile", "ads_read"],
    "microsoft_ads": ["offline_access", "https://ads.microsoft.com/msads.manage"],
    "pinterest": ["user_accounts:read", "ads:read"],
    "reddit": ["adsread"],
    "snapchat": ["snapchat-marketing-api"],
    "tiktok": ["ad_account_management", "reporting"],
    "x": ["users.read", "tweet.read", "offline.access"],
    "x_ads": ["ads"],
    "youtube": [
        "https://www.googleapis.com/auth/youtube.readonly",
        "https://www.googleapis.com/auth/yt-analytics.readonly",
    ],
}
"""What each stand-in calls all that we ask for; the last is what reports hang on."""

ONE_ACCOUNT = frozenset({"instagram", "x", "youtube"})
"""Networks whose grant is bound to one account: that account is who logged in."""

BY_EMAIL = frozenset({"google_ads", "microsoft_ads"})
"""Networks that name a login by its email address."""

BY_HANDLE = frozenset({"x", "x_ads"})
"""Networks that name a login by its handle."""

OUTLIVES_PASSWORD = frozenset({"google_ads", "x_ads", "youtube"})
"""Networks whose grants go on after the person changes the password."""

SILENT = frozenset({"amazon_ads", "pinterest", "reddit", "snapchat", "x"})
"""Networks that never say what ended a grant: a bare 401, and a refresh that is refused."""

ENDLESS = frozenset({"x_ads"})
"""Networks whose grants never end by themselves: one that stopped working was taken away."""

KEEPS_GRANTS = frozenset({"amazon_ads", "instagram", "microsoft_ads", "pinterest", "snapchat"})
"""Networks where only the person can take a grant back."""

HIDES_STATUS = frozenset({"amazon_ads", "pinterest", "x"})
"""Networks that do not tell of an account whether they disabled it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkRig:
    """One adapter, running, and the people around its stand-in. Ana may do everything, Bo nothing with these
    accounts.
    """

    network: Network
    people: NetworkPeople
    clock: FakeClock

    @property
    def expected(self) -> list[Expected]:
        """Both accounts, as they were connected."""
        parent = EAST if self.network.spec.parent_label else None
        return [Expected(account_id=account_id, parent=parent) for account_id in self.reached]

    @property
    def reached(self) -> list[str]:
        """What one login of Ana's reaches."""
        return [FIRST] if self.network.spec.slug in ONE_ACCOUNT else [FIRST, SECOND]

    def subject(self, profile: str) -> tuple[str, str]:
        """Who a login of Ana's or Bo's is, and by what name."""
        slug = self.network.spec.slug
        if slug in BY_HANDLE and slug in ONE_ACCOUNT:
            return {"ana": (FIRST, "@acmeeuads"), "bo": (BOS, "@bolind")}[profile]
        if slug in BY_HANDLE:
            return profile, {"ana": "@anaruiz", "bo": "@bolind"}[profile]
        if slug in ONE_ACCOUNT:
            return {"ana": (FIRST, "Acme EU Ads"), "bo": (BOS, "Bo Lind")}[profile]
        if slug in BY_EMAIL:
            return profile, f"{profile}@acme.example"
        return profile, {"ana": "Ana Ruiz", "bo": "Bo Lind"}[profile]

    @property
    def verifier(self) -> str | None:
        """What a login's challenge is made of, where the network uses one."""
        return VERIFIER if self.network.spec.uses_pkce else None

    async def begin(self, *, login_hint: str | None = None, again: bool = False) -> Begun:
        """Prepare a login, with a challenge where the network uses one."""
        challenge = create_s256_code_challenge(self.verifier) if self.verifier is not None else None
        return await self.network.begin(
            state="s", redirect_uri=CALLBACK, code_challenge=challenge, login_hint=login_hint, again=again
        )

    async def log_in(self, profile: str = "ana", *, permissions: list[str] | None = None) -> Tokens:
        """Go through the consent page and exchange the code."""
        begun = await self.begin()
        callback = await self.people.consent(begun.url, profile=profile, permissions=permissions)
        answer = dict(parse_qsl(urlsplit(callback).query))
        return (await self.exchange(begun, answer)).tokens

    async def exchange(self, begun: Begun, answer: Mapping[str, str]) -> Grant:
        """Exchange what came back for a login, as the core does."""
        verifier = begun.secret.reveal() if begun.secret is not None else self.verifier
        return await self.network.exchange(answer=answer, redirect_uri=CALLBACK, code_verifier=verifier)

    async def grant_id(self) -> str:
        """The stand-in's name for the last grant."""
        return str((await self.people.grants())[-1]["id"])

    async def probe(self, tokens: Tokens) -> Probe:
        """Check both accounts."""
        return await self.network.probe(tokens, self.expected)

    async def check(self, tokens: Tokens) -> Probe:
        """Check both accounts, and where a refusal says nothing clear, hear what a refresh has to say."""
        probe = await self.probe(tokens)
        if probe.grant.verdict is not Verdict.UNCLEAR:
            return probe
        try:
            grant = await self.network.refresh(tokens)
        except NetworkError as error:
            return Probe(grant=error.finding)
        return probe if grant is None else await self.probe(grant.tokens)

    async def refused(self, answer: Mapping[str, str], begun: Begun | None = None) -> NetworkError:
        """Exchange something that must not work."""
        try:
            await self.exchange(begun or await self.begin(), answer)
        except NetworkError as error:
            return error
        raise AssertionError("the exchange was accepted")


def environment(slug: str, base: str) -> dict[str, str]:
    """The settings that point an adapter at a stand-in."""
    prefix = f"LAPSEBOT_{slug.upper()}_"
    authorize, token, api = ADDRESSES[slug]
    return {
        f"{prefix}CLIENT_ID": "app",
        f"{prefix}CLIENT_SECRET": "app-secret",
        f"{prefix}AUTHORIZE_URL": base + authorize,
        f"{prefix}TOKEN_URL": base + token,
        f"{prefix}API_URL": base + api,
        **{prefix + name: value for name, value in stand_ins.MORE_SETTINGS.get(slug, {}).items()},
    }


def config(slug: str, clock: FakeClock) -> NetworkConfig:
    """Two people, two businesses, two accounts."""
    return NetworkConfig(
        network=slug,
        apps=[App(id="app", secret="app-secret", name="lapsebot", redirect_uris=(CALLBACK,))],
        profiles=[
            Profile(id="ana", name="Ana Ruiz", email="ana@acme.example"),
            Profile(id="bo", name="Bo Lind", email="bo@acme.example"),
        ],
        businesses=[
            Business(id=EAST.id, name=EAST.name, roles={"ana": "ADMIN"}),
            Business(id=WEST.id, name=WEST.name, roles={"ana": "ADMIN", "bo": "ADMIN"}),
        ],
        accounts=[
            AdAccount(id=FIRST, name="Acme EU Ads", business_id=EAST.id, roles={"ana": "ADMIN"}),
            AdAccount(id=SECOND, name="Acme US Ads", business_id=EAST.id, roles={"ana": "ADMIN"}),
            *([AdAccount(id=BOS, name="Bo Lind", business_id="", roles={"bo": "A"})] if slug in ONE_ACCOUNT else []),
        ],
        clock=lambda: clock.now().timestamp(),
    )


@asynccontextmanager
async def network_rig(slug: str) -> AsyncIterator[NetworkRig]:
    """Serve a stand-in and run its adapter against it."""
    clock = FakeClock()
    async with serve_network(config(slug, clock)) as base, aiohttp.ClientSession() as session:
        network = build_networks(environment(slug, base), clock)[slug]
        people = NetworkPeople(base, session)
        async with network.running():
            yield NetworkRig(network=network, people=people, clock=clock)
