"""Instagram's stand-in by plain HTTP, and what our client makes of its habits."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.playground.vendors.networks import NetworkPeople, serve_network
from bot.watch.judgement import refresh_due
from bot.watch.rules import WatchRules
from commands.errors import NetworkError
from commands.model import Tokens, Verdict
from commands.ports.chat import Check
from commands.ports.network import Expected, Network
from commands.secret import Secret
from platform_adapters.discovery import build_networks
from tests.support.clock import FakeClock
from tests.support.network_rigs import BOS, CALLBACK, FIRST, SECOND, NetworkRig, config, environment

BASIC, INSIGHTS = "instagram_business_basic", "instagram_business_manage_insights"
LONG = timedelta(seconds=5183944)


@dataclass(frozen=True, kw_only=True)
class Rig(NetworkRig):
    base: str
    http: aiohttp.ClientSession

    async def url(self) -> str:
        begun = await self.network.begin(
            state="s-1", redirect_uri=CALLBACK, code_challenge=None, login_hint=None, again=False
        )
        return begun.url

    async def code(self, **choices: Any) -> str:
        callback = await self.people.consent(await self.url(), profile="ana", **choices)
        return dict(parse_qsl(urlsplit(callback).query))["code"]

    async def redeem(self, code: str, **fields: str) -> tuple[int, dict[str, Any]]:
        form = {"grant_type": "authorization_code", "client_id": "app", "client_secret": "app-secret"}
        given = {**form, "redirect_uri": CALLBACK, "code": code, **fields}
        async with self.http.post(f"{self.base}/oauth/access_token", data=given) as answer:
            return answer.status, await answer.json()

    async def short(self, **choices: Any) -> str:
        _, body = await self.redeem(await self.code(**choices))
        return str(body["data"][0]["access_token"])

    async def get(self, path: str, **query: str) -> tuple[int, dict[str, Any]]:
        async with self.http.get(f"{self.base}{path}", params=query) as answer:
            return answer.status, await answer.json()

    async def error(self, path: str, token: str, **query: str) -> tuple[int, int | None]:
        _, body = await self.get(path, access_token=token, **query)
        return body["error"]["code"], body["error"].get("error_subcode")

    async def long_lived(self, token: str, secret: str = "app-secret") -> tuple[int, dict[str, Any]]:
        return await self.get("/access_token", grant_type="ig_exchange_token", client_secret=secret, access_token=token)

    async def renewed(self, token: str) -> tuple[int, dict[str, Any]]:
        return await self.get("/refresh_access_token", grant_type="ig_refresh_token", access_token=token)


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    clock = FakeClock()
    async with serve_network(config("instagram", clock)) as base, aiohttp.ClientSession() as http:
        network: Network = build_networks(environment("instagram", base), clock)["instagram"]
        async with network.running():
            yield Rig(network=network, people=NetworkPeople(base, http), clock=clock, base=base, http=http)


async def test_a_code_gives_a_list_of_one_with_an_hours_token_and_what_was_granted(rig: Rig) -> None:
    status, body = await rig.redeem(await rig.code())
    (entry,) = body["data"]
    assert (status, entry["permissions"]) == (200, f"{BASIC},{INSIGHTS}")
    assert entry["user_id"] not in ("", FIRST)  # the id that this app knows, not the account's own
    rig.clock.advance(timedelta(hours=1))
    assert await rig.error("/me", entry["access_token"]) == (190, 463)


async def test_the_short_token_becomes_a_long_one_of_sixty_days_with_the_apps_secret_alone(rig: Rig) -> None:
    short = await rig.short()
    status, body = await rig.long_lived(short, secret="wrong")
    assert (status, body["error"]["code"]) == (400, 100)
    _, body = await rig.long_lived(short)
    assert (body["token_type"], body["expires_in"], "refresh_token" in body) == ("bearer", 5183944, False)
    rig.clock.advance(timedelta(hours=1))
    assert (await rig.long_lived(short))[1]["error"]["error_subcode"] == 463


async def test_a_long_token_renews_itself_from_the_age_of_a_day_until_its_end(rig: Rig) -> None:
    first = (await rig.long_lived(await rig.short()))[1]["access_token"]
    rig.clock.advance(timedelta(hours=23))
    assert (await rig.renewed(first))[0] == 400
    rig.clock.advance(timedelta(hours=1))
    status, body = await rig.renewed(first)
    assert (status, body["expires_in"]) == (200, 5183944)
    rig.clock.advance(LONG - timedelta(days=1))
    assert (await rig.renewed(first))[1]["error"]["error_subcode"] == 463
    assert (await rig.renewed(body["access_token"]))[0] == 200


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"code": "made-up"}, "Matching code was not found or was already used"),
        ({"redirect_uri": "https://elsewhere.example/"}, "Matching code was not found or was already used"),
        ({"client_id": "other"}, "Invalid platform app"),
        ({"client_secret": "wrong"}, "Error validating client secret"),
        ({"grant_type": "refresh_token"}, "Invalid request: unauthorized_client"),
    ],
)
async def test_the_login_refuses_everything_with_one_code_in_a_form_of_its_own(
    rig: Rig, fields: dict[str, str], message: str
) -> None:
    code = await rig.code()
    expected = {"error_type": "OAuthException", "code": 400, "error_message": message}
    assert await rig.redeem(**{"code": code, **fields}) == (400, expected)


async def test_the_callback_ends_in_a_mark_that_is_no_part_of_the_code(rig: Rig) -> None:
    callback = await rig.people.consent(await rig.url(), profile="ana")
    assert callback.endswith("#_")
    denied = dict(parse_qsl(urlsplit(await rig.people.consent(await rig.url(), profile="ana", allow=False)).query))
    assert (denied["error"], denied["error_reason"], denied["state"]) == ("access_denied", "user_denied", "s-1")


async def test_me_has_two_ids_and_knows_its_fields(rig: Rig) -> None:
    token = (await rig.people.issue("ana", [BASIC]))["access_token"]
    _, body = await rig.get("/me", access_token=token, fields="user_id,username")
    assert (body["user_id"], body["username"]) == (FIRST, "Acme EU Ads")
    assert body["id"] != FIRST
    assert await rig.error("/me", token, fields="name_of_mine") == (100, None)
    assert await rig.error("/me/insights", token, metric="reach", period="day") == (10, None)


async def test_insights_want_a_known_metric_and_a_period(rig: Rig) -> None:
    token = (await rig.people.issue("ana", [BASIC, INSIGHTS]))["access_token"]
    assert (await rig.get("/me/insights", access_token=token, metric="reach", period="day"))[0] == 200
    for query in ({"metric": "reach"}, {"period": "day"}, {"metric": "magic", "period": "day"}):
        assert await rig.error("/me/insights", token, **query) == (100, None)


@pytest.mark.parametrize(
    ("kind", "whose", "subcode"),
    [
        ("revoke_grant", "grant", 458),
        ("expire_grant", "grant", 463),
        ("change_password", "profile", 460),
        ("block_profile", "profile", 459),
    ],
)
async def test_every_end_of_a_grant_has_its_subcode(rig: Rig, kind: str, whose: str, subcode: int) -> None:
    issued = await rig.people.issue("ana", [BASIC, INSIGHTS])
    await rig.people.break_(kind, **{whose: {"grant": issued["grant"], "profile": "ana"}[whose]})
    assert await rig.error("/me", issued["access_token"]) == (190, subcode)


async def test_the_login_is_asked_for_reading_alone_and_without_a_challenge(rig: Rig) -> None:
    asked = dict(parse_qsl(urlsplit(await rig.url()).query))
    assert asked["scope"] == f"{BASIC},{INSIGHTS}"
    assert (asked["response_type"], "code_challenge" in asked) == ("code", False)


@pytest.mark.behaviour("R-3")
async def test_a_login_ends_in_access_of_sixty_days_to_the_account_that_was_shown(rig: Rig) -> None:
    answer = {"code": await rig.code(business=SECOND)}
    grant = await rig.network.exchange(answer=answer, redirect_uri=CALLBACK, code_verifier=None)
    assert grant.tokens.access_expires_at == rig.clock.now() + LONG
    assert (grant.tokens.refresh, grant.ends_at) == (None, None)
    discovery = await rig.network.discover(grant.tokens)
    assert [(one.account_id, one.name) for one in discovery.accounts] == [(SECOND, "Acme US Ads")]


async def test_a_token_answer_without_its_list_is_read_as_well(rig: Rig) -> None:
    async def flat(request: web.Request) -> web.Response:
        _, body = await rig.redeem(str((await request.post())["code"]))
        return web.json_response(body["data"][0])

    app = web.Application()
    app.router.add_post("/oauth/access_token", flat)
    async with TestServer(app) as server:
        settings = environment("instagram", rig.base)
        settings["LAPSEBOT_INSTAGRAM_TOKEN_URL"] = str(server.make_url("/oauth/access_token"))
        network = build_networks(settings, rig.clock)["instagram"]
        async with network.running():
            answer = {"code": await rig.code()}
            grant = await network.exchange(answer=answer, redirect_uri=CALLBACK, code_verifier=None)
    assert (await rig.probe(grant.tokens)).grant.verdict is Verdict.HEALTHY


@pytest.mark.behaviour("D-3")
async def test_what_is_younger_than_a_day_is_not_renewed_and_costs_no_question(rig: Rig) -> None:
    tokens = await rig.log_in()
    await rig.people.forget_calls()
    rig.clock.advance(timedelta(hours=23))
    assert await rig.network.refresh(tokens) is None
    assert await rig.people.calls() == {}


@pytest.mark.behaviour("D-3")
async def test_access_is_renewed_for_sixty_days_again_and_again_without_a_person(rig: Rig) -> None:
    tokens = await rig.log_in()
    for _ in range(3):
        rig.clock.advance(LONG - rig.network.spec.refresh_leeway)
        grant = await rig.network.refresh(tokens)
        assert grant is not None
        tokens = grant.tokens
        assert tokens.access_expires_at == rig.clock.now() + LONG
    assert (await rig.probe(tokens)).grant.verdict is Verdict.HEALTHY


@pytest.mark.behaviour("D-3")
async def test_access_is_due_for_renewal_with_a_month_to_spare(rig: Rig) -> None:
    tokens, spec = await rig.log_in(), rig.network.spec
    rig.clock.advance(timedelta(days=29))
    assert not refresh_due(tokens, spec, WatchRules(), rig.clock.now())
    rig.clock.advance(timedelta(days=1))
    assert refresh_due(tokens, spec, WatchRules(), rig.clock.now())


@pytest.mark.behaviour("D-4")
async def test_an_answer_without_insights_in_it_does_not_prove_that_they_may_be_read(rig: Rig) -> None:
    async def me(request: web.Request) -> web.Response:
        return web.json_response({"user_id": FIRST, "username": "acme"})

    async def insights(request: web.Request) -> web.Response:
        return web.json_response({"x": 1})

    app = web.Application()
    app.router.add_get("/me", me)
    app.router.add_get("/me/insights", insights)
    async with TestServer(app) as server:
        settings = environment("instagram", str(server.make_url("")).rstrip("/"))
        network = build_networks(settings, rig.clock)["instagram"]
        async with network.running():
            probe = await network.probe(Tokens(access=Secret("made-up")), rig.expected)
    assert probe.grant.verdict is Verdict.UNCLEAR


@pytest.mark.behaviour("D-1", "D-3")
async def test_access_that_was_not_renewed_in_time_has_run_out(rig: Rig) -> None:
    tokens = await rig.log_in()
    rig.clock.advance(LONG)
    with pytest.raises(NetworkError) as refused:
        await rig.network.refresh(tokens)
    assert refused.value.finding.verdict is Verdict.EXPIRED
    assert (await rig.probe(tokens)).grant.verdict is Verdict.EXPIRED


@pytest.mark.behaviour("D-1", "R-5")
async def test_a_switch_left_off_is_seen_at_the_login_and_named_at_the_check(rig: Rig) -> None:
    tokens = await rig.log_in(permissions=[])  # the other switch cannot be turned off
    assert (await rig.network.discover(tokens)).granted == {BASIC}
    finding = (await rig.probe(tokens)).grant
    assert (finding.verdict, finding.evidence.missing) == (Verdict.PERMISSION_MISSING, ("Access and manage insights",))
    await rig.log_in()
    assert (await rig.probe(tokens)).grant.verdict is Verdict.HEALTHY


@pytest.mark.behaviour("D-1")
async def test_the_profile_taken_back_is_named_by_its_own_name(rig: Rig) -> None:
    tokens = await rig.log_in()
    await rig.people.untick_permission(await rig.grant_id(), BASIC)
    finding = (await rig.probe(tokens)).grant
    assert finding.evidence.missing == ("View profile and access media",)


@pytest.mark.behaviour("D-1")
@pytest.mark.parametrize("kind", ["delete_account", "disable_account"])
async def test_an_account_that_is_gone_or_suspended_says_nothing_against_the_login(rig: Rig, kind: str) -> None:
    tokens = await rig.log_in()
    broken = await rig.people.break_(kind, account=FIRST)
    probe = await rig.probe(tokens)
    assert (probe.grant.verdict, probe.accounts[FIRST].verdict) == (Verdict.HEALTHY, Verdict.ACCOUNT_GONE)
    await rig.people.repair(broken)
    assert (await rig.probe(tokens)).accounts[FIRST].verdict is Verdict.HEALTHY


@pytest.mark.behaviour("D-1")
async def test_a_login_that_no_longer_stands_for_the_account_has_lost_it(rig: Rig) -> None:
    tokens = await rig.log_in()
    probe = await rig.network.probe(tokens, [Expected(account_id=BOS, parent=None)])
    assert (probe.grant.verdict, probe.accounts[BOS].verdict) == (Verdict.HEALTHY, Verdict.ROLE_LOST)
    await rig.people.lower_role(FIRST, "ana")
    lost = (await rig.probe(tokens)).accounts[FIRST]
    assert (lost.verdict, lost.evidence.code, lost.evidence.subcode) == (Verdict.ROLE_LOST, "190", "492")


@pytest.mark.behaviour("D-1", "D-4")
async def test_access_that_nobody_knows_is_run_out_and_a_request_limit_says_nothing(rig: Rig) -> None:
    assert (await rig.probe(Tokens(access=Secret("made-up")))).grant.verdict is Verdict.EXPIRED
    tokens = await rig.log_in()
    await rig.people.throttled("me/insights")
    assert (await rig.probe(tokens)).grant.verdict is Verdict.THROTTLED


@pytest.mark.behaviour("D-1")
async def test_doctor_says_which_of_the_two_pairs_of_credentials_is_meant(rig: Rig) -> None:
    assert [line.check for line in await rig.network.diagnose()] == [Check.GOOD]
    await rig.people.wrong_secret("app")
    (line,) = await rig.network.diagnose()
    assert line.check is Check.BAD
    assert "LAPSEBOT_INSTAGRAM_CLIENT_ID" in line.mend
    assert "API setup with Instagram login" in line.mend


async def test_a_check_costs_two_questions(rig: Rig) -> None:
    tokens = await rig.log_in()
    await rig.people.forget_calls()
    await rig.probe(tokens)
    assert await rig.people.calls() == {"me": 1, "me/insights": 1}


async def test_a_removed_app_is_reported_signed_as_facebook_does(rig: Rig) -> None:
    reports: list[str] = []

    async def receive(request: web.Request) -> web.Response:
        reports.append(str((await request.post())["signed_request"]))
        return web.Response()

    app = web.Application()
    app.router.add_post("/deauthorize", receive)
    async with TestServer(app) as server:
        await rig.people.register("app", deauthorize_url=str(server.make_url("/deauthorize")))
        await rig.log_in()
        await rig.people.revoke_grant(await rig.grant_id())
    (signature, payload) = reports[0].split(".")
    expected = hmac.new(b"app-secret", payload.encode(), hashlib.sha256).digest()
    assert base64.urlsafe_b64decode(signature + "==") == expected
    assert json.loads(base64.urlsafe_b64decode(payload + "=="))["user_id"] == FIRST
