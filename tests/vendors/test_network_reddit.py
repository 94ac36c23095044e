"""Reddit's stand-in by plain HTTP, and what our client makes of its habits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest

from bot.playground.vendors.networks import NetworkPeople, serve_network
from commands.errors import NetworkError
from commands.model import Verdict
from commands.ports.chat import Check
from commands.ports.network import Expected, Network
from platform_adapters.discovery import build_networks
from tests.support.clock import FakeClock
from tests.support.network_rigs import CALLBACK, EAST, FIRST, SECOND, WEST, NetworkRig, config, environment

AGENT = "web:test.app:v1"


@dataclass(frozen=True, kw_only=True)
class Rig(NetworkRig):
    base: str
    http: aiohttp.ClientSession

    async def url(self) -> str:
        begun = await self.network.begin(
            state="s-1", redirect_uri=CALLBACK, code_challenge=None, login_hint=None, again=False
        )
        return begun.url

    async def code(self, url: str | None = None) -> str:
        callback = await self.people.consent(url or await self.url(), profile="ana")
        return dict(parse_qsl(urlsplit(callback).query))["code"]

    async def login(self, path: str, *, secret: str = "app-secret", **fields: str) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": aiohttp.encode_basic_auth("app", secret), "User-Agent": AGENT}
        async with self.http.post(f"{self.base}/api/v1/{path}", data=fields, headers=headers) as answer:
            return answer.status, {} if answer.status == 204 else await answer.json()

    async def get(self, path: str, token: str, agent: str = AGENT) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {token}", "User-Agent": agent}
        async with self.http.get(f"{self.base}/api/v3{path}", headers=headers) as answer:
            return answer.status, await answer.json()

    async def query(self, path: str, token: str, body: object) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {token}", "User-Agent": AGENT}
        async with self.http.post(f"{self.base}/api/v3{path}", headers=headers, json=body) as answer:
            return answer.status, await answer.json()

    async def issued(self) -> str:
        return str((await self.people.issue("ana", ["adsread"]))["access_token"])


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    clock = FakeClock()
    async with serve_network(config("reddit", clock)) as base, aiohttp.ClientSession() as http:
        network: Network = build_networks(environment("reddit", base), clock)["reddit"]
        async with network.running():
            yield Rig(network=network, people=NetworkPeople(base, http), clock=clock, base=base, http=http)


async def test_a_permanent_login_gives_a_refresh_token_that_stays(rig: Rig) -> None:
    fields = {"grant_type": "authorization_code", "redirect_uri": CALLBACK}
    _, body = await rig.login("access_token", code=await rig.code(), **fields)
    assert body["expires_in"] == 86400
    for _ in range(2):
        renewed = await rig.login("access_token", grant_type="refresh_token", refresh_token=body["refresh_token"])
        assert (renewed[0], renewed[1]["refresh_token"]) == (200, body["refresh_token"])


async def test_a_login_that_was_not_asked_to_last_gives_none(rig: Rig) -> None:
    code = await rig.code((await rig.url()).replace("duration=permanent", "duration=temporary"))
    _, body = await rig.login("access_token", grant_type="authorization_code", redirect_uri=CALLBACK, code=code)
    assert "access_token" in body
    assert "refresh_token" not in body


async def test_a_code_that_is_refused_comes_with_http_200(rig: Rig) -> None:
    fields = {"grant_type": "authorization_code", "redirect_uri": CALLBACK, "code": await rig.code()}
    assert "access_token" in (await rig.login("access_token", **fields))[1]
    assert await rig.login("access_token", **fields) == (200, {"error": "invalid_grant"})


@pytest.mark.parametrize("agent", ["", "python-requests/2.31", "curl/8.5"])
async def test_a_client_that_does_not_name_itself_is_told_that_it_asks_too_often(rig: Rig, agent: str) -> None:
    token = await rig.issued()
    assert (await rig.get("/me", token, agent))[0] == 429
    assert (await rig.get("/me", token))[0] == 200


async def test_the_app_has_to_name_itself_by_basic_authentication(rig: Rig) -> None:
    fields = {"grant_type": "refresh_token", "refresh_token": "r"}
    assert (await rig.login("access_token", secret="wrong", **fields))[0] == 401
    assert (await rig.login("revoke_token", secret="wrong", token="r"))[0] == 401


async def test_businesses_and_what_they_may_read_come_in_pages_by_the_next_address(rig: Rig) -> None:
    token = await rig.issued()
    _, body = await rig.get("/me/businesses", token)
    assert [row["id"] for row in body["data"]] == [EAST.id, WEST.id]
    path = f"/businesses/{EAST.id}/ad_accounts/query"
    assert (await rig.query(path, token, {}))[0] == 400
    _, body = await rig.query(f"{path}?page.size=1", token, {"data": {}})
    assert [row["id"] for row in body["data"]] == [FIRST]
    _, body = await rig.query(body["pagination"]["next_url"].partition("/api/v3")[2], token, {"data": {}})
    assert ([row["id"] for row in body["data"]], body["pagination"]) == ([SECOND], {"next_url": None})


@pytest.mark.parametrize(
    ("kind", "whose"),
    [
        ("revoke_grant", "grant"),
        ("expire_grant", "grant"),
        ("change_password", "profile"),
        ("block_profile", "profile"),
    ],
)
async def test_every_end_of_a_grant_is_the_same_401(rig: Rig, kind: str, whose: str) -> None:
    issued = await rig.people.issue("ana", ["adsread"])
    await rig.people.break_(kind, **{whose: {"grant": issued["grant"], "profile": "ana"}[whose]})
    assert (await rig.get("/me", issued["access_token"]))[0] == 401
    fields = {"grant_type": "refresh_token", "refresh_token": issued["refresh_token"]}
    assert await rig.login("access_token", **fields) == (400, {"error": "invalid_grant"})


async def test_revoking_the_refresh_token_ends_its_access(rig: Rig) -> None:
    issued = await rig.people.issue("ana", ["adsread"])
    given = {"token": issued["refresh_token"], "token_type_hint": "refresh_token"}
    assert await rig.login("revoke_token", **given) == (204, {})
    assert (await rig.get("/me", issued["access_token"]))[0] == 401


async def test_the_login_is_asked_to_last_for_reading_alone_and_without_a_challenge(rig: Rig) -> None:
    asked = dict(parse_qsl(urlsplit(await rig.url()).query))
    assert (asked["duration"], asked["scope"], "code_challenge" in asked) == ("permanent", "adsread", False)


@pytest.mark.behaviour("D-3")
async def test_a_refresh_keeps_the_one_refresh_token_and_goes_by_the_life_that_it_is_told(rig: Rig) -> None:
    tokens = await rig.log_in()
    assert tokens.access_expires_at == rig.clock.now() + timedelta(days=1)
    rig.clock.advance(timedelta(days=400))
    assert (await rig.probe(tokens)).grant.verdict is Verdict.UNCLEAR
    grant = await rig.network.refresh(tokens)
    assert grant is not None
    assert (grant.tokens.refresh, grant.ends_at) == (tokens.refresh, None)
    assert (await rig.probe(grant.tokens)).grant.verdict is Verdict.HEALTHY


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


@pytest.mark.behaviour("D-1")
async def test_a_suspended_account_is_told_with_its_reason_where_that_is_a_known_one(rig: Rig) -> None:
    tokens = await rig.log_in()
    await rig.people.disable_account(FIRST, "KYC_CHECK_FAILED")
    await rig.people.disable_account(SECOND, "Please call <b>us</b>")
    found = (await rig.probe(tokens)).accounts
    assert {finding.verdict for finding in found.values()} == {Verdict.ACCOUNT_DISABLED}
    assert [found[account].evidence.code for account in (FIRST, SECOND)] == ["KYC_CHECK_FAILED", "SUSPENDED"]


@pytest.mark.behaviour("R-14")
async def test_an_account_that_a_stranger_shares_is_reached_and_its_owner_told(rig: Rig) -> None:
    await rig.people.add_account(id="42", name="Shared", business_id="7003", roles={"ana": "ANALYST"})
    discovery = await rig.network.discover(await rig.log_in())
    shared = next(account for account in discovery.accounts if account.account_id == "42")
    assert (shared.finding.verdict, shared.parent and shared.parent.id) == (Verdict.HEALTHY, "7003")
    assert discovery.subject_id == "ana"


@pytest.mark.behaviour("D-1", "R-7")
async def test_an_account_that_went_to_a_business_without_the_user_is_still_told_as_moved(rig: Rig) -> None:
    tokens = await rig.log_in()
    await rig.people.break_("lower_business_role", business=WEST.id, profile="ana")
    await rig.people.move_account(FIRST, WEST.id)
    finding = (await rig.probe(tokens)).accounts[FIRST]
    assert finding.verdict is Verdict.ACCOUNT_MOVED
    assert finding.evidence.moved_to is not None
    assert finding.evidence.moved_to.id == WEST.id


@pytest.mark.behaviour("D-1")
async def test_a_member_who_left_the_business_loses_its_accounts_and_not_the_login(rig: Rig) -> None:
    tokens = await rig.log_in()
    await rig.people.break_("lower_business_role", business=EAST.id, profile="ana")
    await rig.people.lower_role(FIRST, "ana")
    probe = await rig.probe(tokens)
    assert probe.grant.verdict is Verdict.HEALTHY
    assert probe.accounts[FIRST].verdict is Verdict.ROLE_LOST
    assert probe.accounts[SECOND].verdict is Verdict.HEALTHY  # shared with her by itself


@pytest.mark.behaviour("D-1")
async def test_a_member_who_may_not_list_is_asked_about_each_account_by_itself(rig: Rig) -> None:
    tokens = await rig.log_in()
    await rig.people.break_("lower_business_role", business=EAST.id, profile="ana", role="CATALOG_ADMIN")
    probe = await rig.probe(tokens)
    assert {finding.verdict for finding in probe.accounts.values()} == {Verdict.HEALTHY}


async def test_only_the_businesses_that_matter_are_asked_and_all_of_their_pages(rig: Rig) -> None:
    ids = [str(3000000000 + number) for number in range(150)]
    for account_id in ids:
        await rig.people.add_account(id=account_id, name="A", business_id=EAST.id, roles={"ana": "ADMIN"})
    tokens = await rig.log_in()
    await rig.people.forget_calls()
    probe = await rig.network.probe(tokens, [Expected(account_id=account_id, parent=EAST) for account_id in ids])
    assert {finding.verdict for finding in probe.accounts.values()} == {Verdict.HEALTHY}
    assert await rig.people.calls() == {"me/businesses": 1, "ad_accounts/query": 2}


@pytest.mark.behaviour("D-1")
async def test_doctor_says_where_the_secret_is_to_be_compared(rig: Rig) -> None:
    await rig.people.wrong_secret("app")
    (line,) = await rig.network.diagnose()
    assert line.check is Check.BAD
    assert "LAPSEBOT_REDDIT_CLIENT_ID" in line.mend
