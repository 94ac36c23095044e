"""Amazon Ads' stand-in by plain HTTP, and what our client makes of its habits."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.playground.vendors.networks import NetworkPeople, serve_network
from commands.errors import NetworkError, SettingError
from commands.model import Tokens, Verdict
from commands.ports.chat import Check
from commands.ports.network import Expected, Network
from commands.secret import Secret
from platform_adapters.discovery import build_networks
from tests.support.clock import FakeClock
from tests.support.network_rigs import CALLBACK, FIRST, SECOND, NetworkRig, config, environment

SCOPES = ["profile", "advertising::campaign_management"]
BERLIN, TOKYO = "2000000001", "3000000001"
READABLE = "apiProgram=report&accessLevel=view"
VERIFIER = "a-verifier-of-at-least-forty-three-characters-x"
CHALLENGE = urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@dataclass(frozen=True, kw_only=True)
class Rig(NetworkRig):
    base: str
    http: aiohttp.ClientSession

    async def url(self, challenge: str | None = None) -> str:
        begun = await self.network.begin(
            state="s-1", redirect_uri=CALLBACK, code_challenge=challenge, login_hint=None, again=False
        )
        return begun.url

    async def code(self, challenge: str | None = None) -> str:
        callback = await self.people.consent(await self.url(challenge), profile="ana")
        return dict(parse_qsl(urlsplit(callback).query))["code"]

    async def token(self, **fields: str) -> tuple[int, dict[str, Any]]:
        given = {"client_id": "app", "client_secret": "app-secret", **fields}
        async with self.http.post(f"{self.base}/auth/o2/token", data=given) as answer:
            return answer.status, await answer.json()

    async def get(self, path: str, token: str, client: str = "app") -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token}", "Amazon-Advertising-API-ClientId": client}
        async with self.http.get(self.base + path, headers=headers) as answer:
            return answer.status, await answer.json()

    async def ids(self, path: str, token: str) -> list[str]:
        return [str(row["profileId"]) for row in (await self.get(path, token))[1]]

    async def issued(self) -> str:
        return str((await self.people.issue("ana", SCOPES))["access_token"])

    async def look(self, tokens: Tokens, *account_ids: str) -> dict[str, Verdict]:
        """Check accounts under a grant that must be healthy."""
        probe = await self.network.probe(tokens, [Expected(account_id=one, parent=None) for one in account_ids])
        assert probe.grant.verdict is Verdict.HEALTHY
        return {account_id: finding.verdict for account_id, finding in probe.accounts.items()}

    async def add_regions(self) -> None:
        for account_id, region in ((BERLIN, "eu"), (TOKYO, "fe")):
            await self.people.add_account(
                id=account_id, name="Acme", business_id="7001", region=region, roles={"ana": "VIEWER"}
            )


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    clock = FakeClock()
    async with serve_network(config("amazon_ads", clock)) as base, aiohttp.ClientSession() as http:
        settings = environment("amazon_ads", base)
        settings["LAPSEBOT_AMAZON_ADS_API_URL"] = f"{base} {base}/eu {base}/fe"
        network: Network = build_networks(settings, clock)["amazon_ads"]
        async with network.running():
            yield Rig(network=network, people=NetworkPeople(base, http), clock=clock, base=base, http=http)


@asynccontextmanager
async def beside(rig: Rig, answers: Mapping[str, tuple[int, object]]) -> AsyncIterator[Network]:
    """The client, with a login and one more region that answer as no stand-in does."""

    async def answer(request: web.Request) -> web.Response:
        status, body = answers[request.path]
        return web.json_response(body, status=status)

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", answer)
    async with TestServer(app) as server:
        other = str(server.make_url("")).rstrip("/")
        settings = environment("amazon_ads", rig.base)
        settings["LAPSEBOT_AMAZON_ADS_API_URL"] = f"{rig.base} {other}"
        settings["LAPSEBOT_AMAZON_ADS_TOKEN_URL"] = f"{other}/auth/o2/token"
        network = build_networks(settings, rig.clock)["amazon_ads"]
        async with network.running():
            yield network


async def test_one_refresh_token_stays_and_ends_a_year_after_the_consent(rig: Rig) -> None:
    _, body = await rig.token(grant_type="authorization_code", redirect_uri=CALLBACK, code=await rig.code())
    assert (body["expires_in"], body["token_type"]) == (3600, "bearer")
    refresh = {"grant_type": "refresh_token", "refresh_token": body["refresh_token"]}
    rig.clock.advance(timedelta(days=364))
    status, renewed = await rig.token(**refresh)
    assert (status, renewed["refresh_token"]) == (200, body["refresh_token"])
    rig.clock.advance(timedelta(days=2))
    assert (await rig.token(**refresh))[1]["error"] == "invalid_grant"


async def test_a_code_lives_five_minutes(rig: Rig) -> None:
    code = await rig.code()
    rig.clock.advance(timedelta(minutes=6))
    status, body = await rig.token(grant_type="authorization_code", redirect_uri=CALLBACK, code=code)
    assert (status, body["error"]) == (400, "invalid_grant")


async def test_a_wrong_secret_is_401_by_name(rig: Rig) -> None:
    status, body = await rig.token(grant_type="refresh_token", refresh_token="r", client_secret="wrong")
    assert (status, body["error"]) == (401, "invalid_client")


async def test_each_region_lists_its_own_profiles_alone(rig: Rig) -> None:
    await rig.add_regions()
    token = await rig.issued()
    assert await rig.ids(f"/v2/profiles?{READABLE}", token) == [FIRST, SECOND]
    assert await rig.ids(f"/eu/v2/profiles?{READABLE}", token) == [BERLIN]
    assert await rig.ids(f"/fe/v2/profiles?{READABLE}", token) == [TOKYO]
    assert (await rig.get(f"/eu/v2/profiles/{FIRST}", token))[0] == 404


async def test_profiles_that_may_only_be_viewed_are_hidden_unless_asked_for(rig: Rig) -> None:
    await rig.people.lower_role(FIRST, "ana", "VIEWER")
    token = await rig.issued()
    assert await rig.ids("/v2/profiles", token) == [SECOND]
    assert await rig.ids(f"/v2/profiles?{READABLE}", token) == [FIRST, SECOND]
    assert (await rig.get("/v2/profiles?accessLevel=read", token))[0] == 400


async def test_every_call_has_to_name_the_app(rig: Rig) -> None:
    status, body = await rig.get("/v2/profiles", await rig.issued(), client="another")
    assert (status, body["code"]) == (401, "401")


@pytest.mark.parametrize(
    ("kind", "whose"),
    [
        ("revoke_grant", "grant"),
        ("expire_grant", "grant"),
        ("change_password", "profile"),
        ("block_profile", "profile"),
    ],
)
async def test_every_end_of_a_grant_is_the_same_401_and_the_same_refusal(rig: Rig, kind: str, whose: str) -> None:
    issued = await rig.people.issue("ana", SCOPES)
    await rig.people.break_(kind, **{whose: {"grant": issued["grant"], "profile": "ana"}[whose]})
    assert (await rig.get("/v2/profiles", issued["access_token"]))[0] == 401
    assert (await rig.get("/user/profile", issued["access_token"]))[1]["error"] == "invalid_token"
    status, body = await rig.token(grant_type="refresh_token", refresh_token=issued["refresh_token"])
    assert (status, body["error"]) == (400, "invalid_grant")


@pytest.mark.behaviour("R-3")
async def test_the_login_carries_a_challenge_that_the_exchange_has_to_meet(rig: Rig) -> None:
    assert rig.network.spec.uses_pkce
    code = await rig.code(CHALLENGE)
    with pytest.raises(NetworkError) as refused:
        await rig.network.exchange(answer={"code": code}, redirect_uri=CALLBACK, code_verifier=VERIFIER[::-1])
    assert refused.value.finding.verdict is Verdict.EXPIRED
    code = await rig.code(CHALLENGE)
    grant = await rig.network.exchange(answer={"code": code}, redirect_uri=CALLBACK, code_verifier=VERIFIER)
    assert grant.tokens.refresh is not None
    assert dict(parse_qsl(urlsplit(await rig.url()).query))["scope"].split() == SCOPES[::-1]


@pytest.mark.behaviour("D-2")
async def test_a_consent_ends_after_a_year_and_a_refresh_does_not_move_that(rig: Rig) -> None:
    grant = await rig.network.exchange(answer={"code": await rig.code()}, redirect_uri=CALLBACK, code_verifier=None)
    assert rig.network.spec.term == timedelta(days=365)
    assert grant.ends_at == rig.clock.now() + timedelta(days=365)
    renewed = await rig.network.refresh(grant.tokens)
    assert renewed is not None
    assert (renewed.ends_at, renewed.tokens.refresh) == (None, grant.tokens.refresh)


@pytest.mark.behaviour("D-3")
async def test_access_lives_an_hour_and_its_end_is_no_verdict_before_a_refresh(rig: Rig) -> None:
    tokens = await rig.log_in()
    assert tokens.access_expires_at == rig.clock.now() + timedelta(hours=1)
    rig.clock.advance(timedelta(hours=2))
    assert (await rig.probe(tokens)).grant.verdict is Verdict.UNCLEAR
    assert (await rig.check(tokens)).grant.verdict is Verdict.HEALTHY


@pytest.mark.behaviour("D-1")
async def test_a_refused_refresh_is_access_taken_away_and_a_refused_secret_is_our_fault(rig: Rig) -> None:
    tokens = await rig.log_in()
    broken = await rig.people.wrong_secret("app")
    with pytest.raises(NetworkError) as ours:
        await rig.network.refresh(tokens)
    assert ours.value.finding.verdict is Verdict.OUR_FAULT
    await rig.people.repair(broken)
    await rig.people.revoke_grant(await rig.grant_id())
    with pytest.raises(NetworkError) as refused:
        await rig.network.refresh(tokens)
    assert refused.value.finding.verdict is Verdict.REVOKED


@pytest.mark.behaviour("D-1", "R-14")
async def test_one_login_reaches_the_accounts_of_every_region_and_tells_their_countries(rig: Rig) -> None:
    await rig.add_regions()
    tokens = await rig.log_in()
    verdicts = await rig.look(tokens, FIRST, BERLIN, TOKYO)
    assert verdicts == dict.fromkeys((FIRST, BERLIN, TOKYO), Verdict.HEALTHY)
    discovery = await rig.network.discover(tokens)
    names = {account.account_id: account.name for account in discovery.accounts}
    assert names == {
        FIRST: "Acme EU Ads (US)",
        SECOND: "Acme US Ads (US)",
        BERLIN: "Acme (DE)",
        TOKYO: "Acme (JP)",
    }
    assert discovery.granted == set(SCOPES)


async def test_no_more_regions_are_asked_than_hold_the_accounts(rig: Rig) -> None:
    await rig.add_regions()
    tokens = await rig.log_in()
    await rig.people.forget_calls()
    await rig.look(tokens, FIRST)
    assert await rig.people.calls() == {"profiles": 1}
    await rig.people.forget_calls()
    await rig.look(tokens)
    assert await rig.people.calls() == {"profiles": 1}
    await rig.people.forget_calls()
    await rig.look(tokens, FIRST, BERLIN)
    assert await rig.people.calls() == {"profiles": 1, "eu/profiles": 1}


@pytest.mark.behaviour("D-4", "X-3")
@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("network_down", Verdict.NETWORK_DOWN),
        ("throttled", Verdict.THROTTLED),
    ],
)
async def test_a_region_that_is_out_of_order_hides_its_own_accounts_and_no_others(
    rig: Rig, kind: str, said: Verdict
) -> None:
    await rig.add_regions()
    tokens = await rig.log_in()
    await rig.people.break_(kind, endpoint="eu/profiles")
    assert await rig.look(tokens, FIRST, BERLIN, TOKYO) == {
        FIRST: Verdict.HEALTHY,
        BERLIN: said,
        TOKYO: Verdict.HEALTHY,
    }
    with pytest.raises(NetworkError) as unheard:
        await rig.network.discover(tokens)  # not "reaches no account in Europe"
    assert unheard.value.finding.verdict is said


@pytest.mark.behaviour("D-4")
async def test_a_region_that_is_out_of_order_does_not_hide_that_the_others_refuse(rig: Rig) -> None:
    tokens = await rig.log_in()
    await rig.people.network_down(endpoint="profiles")
    await rig.people.revoke_grant(await rig.grant_id())
    assert (await rig.check(tokens)).grant.verdict is Verdict.REVOKED


@pytest.mark.behaviour("D-1", "R-5")
async def test_a_permission_is_missing_only_where_every_region_says_so(rig: Rig) -> None:
    issued = await rig.people.issue("ana", ["profile"])
    tokens = Tokens(access=Secret(issued["access_token"]))
    assert (await rig.probe(tokens)).grant.verdict is Verdict.PERMISSION_MISSING
    discovery = await rig.network.discover(tokens)
    assert discovery.granted == {"profile"}
    assert not discovery.accounts
    await rig.people.network_down(endpoint="fe/profiles")
    assert (await rig.probe(tokens)).grant.verdict is Verdict.NETWORK_DOWN


@pytest.mark.behaviour("D-1")
async def test_a_user_who_may_still_view_is_healthy_and_one_without_reports_has_lost_the_role(rig: Rig) -> None:
    tokens = await rig.log_in()
    await rig.people.lower_role(FIRST, "ana", "VIEWER")
    await rig.people.lower_role(SECOND, "ana", "CAMPAIGN_VIEWER")
    assert await rig.look(tokens, FIRST, SECOND) == {FIRST: Verdict.HEALTHY, SECOND: Verdict.ROLE_LOST}


@pytest.mark.behaviour("D-1")
async def test_a_user_who_was_removed_from_an_account_in_any_region_has_lost_the_role(rig: Rig) -> None:
    await rig.add_regions()
    tokens = await rig.log_in()
    await rig.people.lower_role(BERLIN, "ana")
    await rig.people.delete_account(TOKYO)
    assert await rig.look(tokens, FIRST, BERLIN, TOKYO) == {
        FIRST: Verdict.HEALTHY,
        BERLIN: Verdict.ROLE_LOST,
        TOKYO: Verdict.ACCOUNT_GONE,
    }


@pytest.mark.behaviour("D-4")
async def test_an_account_is_not_gone_while_one_region_cannot_be_asked_about_it(rig: Rig) -> None:
    tokens = await rig.log_in()
    await rig.people.delete_account(FIRST)
    await rig.people.network_down(endpoint="fe/profiles/{id}")
    assert await rig.look(tokens, FIRST, SECOND) == {FIRST: Verdict.NETWORK_DOWN, SECOND: Verdict.HEALTHY}


@pytest.mark.behaviour("D-4")
@pytest.mark.parametrize(
    "answers",
    [
        {"/v2/profiles": (403, {"code": "403", "details": ""})},
        {"/v2/profiles": (200, []), f"/v2/profiles/{BERLIN}": (200, {"x": 1})},
        {"/v2/profiles": (200, []), f"/v2/profiles/{BERLIN}": (418, {"code": "NEVER_SEEN"})},
    ],
)
async def test_what_one_region_alone_says_strangely_is_no_evidence_against_an_account(
    rig: Rig, answers: dict[str, tuple[int, object]]
) -> None:
    tokens = await rig.log_in()
    async with beside(rig, answers) as network:
        probe = await network.probe(tokens, [Expected(account_id=one, parent=None) for one in (FIRST, BERLIN)])
    assert probe.grant.verdict is Verdict.HEALTHY
    assert probe.accounts[FIRST].verdict is Verdict.HEALTHY
    assert probe.accounts[BERLIN].verdict is Verdict.UNCLEAR


@pytest.mark.behaviour("R-16")
async def test_a_refresh_token_that_amazon_leaves_out_is_kept(rig: Rig) -> None:
    tokens = await rig.log_in()
    async with beside(rig, {"/auth/o2/token": (200, {"access_token": "new", "expires_in": 3600})}) as network:
        grant = await network.refresh(tokens)
    assert grant is not None
    assert (grant.tokens.access.reveal(), grant.tokens.refresh) == ("new", tokens.refresh)


async def test_an_id_that_is_no_profile_is_not_put_into_an_address(rig: Rig) -> None:
    tokens = await rig.log_in()
    await rig.people.forget_calls()
    probe = await rig.network.probe(tokens, [Expected(account_id="../stores?x=", parent=None)])
    (finding,) = probe.accounts.values()
    assert (finding.verdict, finding.evidence.code) == (Verdict.UNCLEAR, "not_a_profile_id")
    assert set(await rig.people.calls()) == {"profiles", "eu/profiles", "fe/profiles"}


async def test_each_region_named_in_the_settings_has_to_be_an_address() -> None:
    settings = environment("amazon_ads", "http://127.0.0.1:9")
    settings["LAPSEBOT_AMAZON_ADS_API_URL"] = "http://127.0.0.1:9 eu"
    with pytest.raises(SettingError):
        build_networks(settings, FakeClock())


@pytest.mark.behaviour("D-1")
async def test_doctor_says_where_the_secret_is_to_be_compared(rig: Rig) -> None:
    await rig.people.wrong_secret("app")
    (line,) = await rig.network.diagnose()
    assert line.check is Check.BAD
    assert "LAPSEBOT_AMAZON_ADS_CLIENT_ID" in line.mend
