"""Snapchat's stand-in by plain HTTP, and what our client makes of its habits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest

from bot.playground.vendors.networks import NetworkPeople, PlayError, serve_network
from commands.errors import NetworkError
from commands.model import Verdict
from commands.ports.network import Grouping, Network
from platform_adapters.discovery import build_networks
from tests.support.clock import FakeClock
from tests.support.network_rigs import CALLBACK, EAST, FIRST, SECOND, WEST, NetworkRig, config, environment

SCOPE = "snapchat-marketing-api"


@dataclass(frozen=True, kw_only=True)
class Rig(NetworkRig):
    base: str
    http: aiohttp.ClientSession

    async def url(self) -> str:
        begun = await self.network.begin(
            state="s-1", redirect_uri=CALLBACK, code_challenge=None, login_hint=None, again=False
        )
        return begun.url

    async def code(self, profile: str = "ana") -> str:
        callback = await self.people.consent(await self.url(), profile=profile)
        return dict(parse_qsl(urlsplit(callback).query))["code"]

    async def token(self, **fields: str) -> tuple[int, dict[str, Any]]:
        form = {"client_id": "app", "client_secret": "app-secret", "redirect_uri": CALLBACK, **fields}
        async with self.http.post(f"{self.base}/login/oauth2/access_token", data=form) as answer:
            return answer.status, await answer.json()

    async def get(self, path: str, token: str) -> tuple[int, dict[str, Any]]:
        async with self.http.get(f"{self.base}/v1{path}", headers={"Authorization": f"Bearer {token}"}) as answer:
            return answer.status, await answer.json()

    async def issued(self) -> str:
        return str((await self.people.issue("ana", [SCOPE]))["access_token"])


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    clock = FakeClock()
    async with serve_network(config("snapchat", clock)) as base, aiohttp.ClientSession() as http:
        network: Network = build_networks(environment("snapchat", base), clock)["snapchat"]
        async with network.running():
            yield Rig(network=network, people=NetworkPeople(base, http), clock=clock, base=base, http=http)


async def test_organizations_hold_the_ad_accounts_when_asked_so(rig: Rig) -> None:
    token = await rig.issued()
    status, body = await rig.get("/me/organizations?with_ad_accounts=true", token)
    assert (status, body["request_status"]) == (200, "SUCCESS")
    east = body["organizations"][0]
    assert (east["sub_request_status"], east["organization"]["id"]) == ("SUCCESS", EAST.id)
    assert [account["id"] for account in east["organization"]["ad_accounts"]] == [FIRST, SECOND]
    _, body = await rig.get("/me/organizations", token)
    assert "ad_accounts" not in body["organizations"][0]["organization"]


async def test_a_single_account_comes_as_a_list_of_one_with_its_organization(rig: Rig) -> None:
    _, body = await rig.get(f"/adaccounts/{FIRST}", await rig.issued())
    assert body["adaccounts"][0]["adaccount"]["organization_id"] == EAST.id


async def test_who_logged_in_is_told(rig: Rig) -> None:
    _, body = await rig.get("/me", await rig.issued())
    assert (body["me"]["id"], body["me"]["display_name"], body["me"]["organization_id"]) == ("ana", "Ana Ruiz", EAST.id)


async def test_a_missing_account_is_e3003_and_a_forbidden_one_is_403(rig: Rig) -> None:
    token = await rig.issued()
    await rig.people.lower_role(FIRST, "ana")
    await rig.people.delete_account(SECOND)
    assert (await rig.get(f"/adaccounts/{FIRST}", token))[0] == 403
    status, body = await rig.get(f"/adaccounts/{SECOND}", token)
    assert (status, body["request_status"], body["error_code"]) == (404, "ERROR", "E3003")


@pytest.mark.parametrize(
    ("kind", "whose"),
    [
        ("revoke_grant", "grant"),
        ("expire_grant", "grant"),
        ("change_password", "profile"),
        ("block_profile", "profile"),
    ],
)
async def test_every_end_of_a_grant_is_the_same_bare_401(rig: Rig, kind: str, whose: str) -> None:
    issued = await rig.people.issue("ana", [SCOPE])
    await rig.people.break_(kind, **{whose: {"grant": issued["grant"], "profile": "ana"}[whose]})
    status, body = await rig.get("/me", issued["access_token"])
    assert status == 401
    assert "error_code" not in body
    status, body = await rig.token(grant_type="refresh_token", refresh_token=issued["refresh_token"])
    assert (status, body["error"]) == (400, "invalid_grant")


async def test_a_refresh_token_works_again_and_again_and_gives_half_an_hour(rig: Rig) -> None:
    issued = await rig.people.issue("ana", [SCOPE])
    for _ in range(2):
        status, body = await rig.token(grant_type="refresh_token", refresh_token=issued["refresh_token"])
        assert (status, body["expires_in"]) == (200, 1800)
        assert (await rig.get("/me", body["access_token"]))[0] == 200


async def test_a_code_is_good_once_and_for_its_own_redirect_address(rig: Rig) -> None:
    fields = {"grant_type": "authorization_code", "code": await rig.code()}
    assert (await rig.token(**fields, redirect_uri=CALLBACK + "/"))[1]["error"] == "invalid_grant"
    assert (await rig.token(**fields))[0] == 200
    assert (await rig.token(**fields))[1]["error"] == "invalid_grant"


async def test_the_one_permission_is_all_or_nothing(rig: Rig) -> None:
    with pytest.raises(PlayError):
        await rig.people.consent(await rig.url(), profile="ana", permissions=[SCOPE])


async def test_no_challenge_is_sent_and_only_the_marketing_permission_is_asked_for(rig: Rig) -> None:
    asked = dict(parse_qsl(urlsplit(await rig.url()).query))
    assert asked["scope"] == SCOPE
    assert "code_challenge" not in asked
    assert not rig.network.spec.uses_pkce


@pytest.mark.behaviour("N-4")
async def test_snapchat_is_told_as_one_summary(rig: Rig) -> None:
    assert rig.network.spec.grouping is Grouping.SUMMARY


@pytest.mark.behaviour("D-3")
async def test_access_lives_as_long_as_the_answer_says(rig: Rig) -> None:
    tokens = await rig.log_in()
    assert tokens.access_expires_at == rig.clock.now() + timedelta(seconds=1800)


@pytest.mark.behaviour("D-5")
async def test_access_that_ran_out_is_no_lapse_and_a_refresh_mends_it(rig: Rig) -> None:
    tokens = await rig.log_in()
    rig.clock.advance(timedelta(hours=1))
    assert (await rig.probe(tokens)).grant.verdict is Verdict.UNCLEAR
    grant = await rig.network.refresh(tokens)
    assert grant is not None
    assert (await rig.probe(grant.tokens)).grant.verdict is Verdict.HEALTHY


@pytest.mark.behaviour("R-16")
async def test_a_refresh_token_that_is_left_out_is_kept(rig: Rig) -> None:
    tokens = await rig.log_in()
    grant = await rig.network.refresh(tokens)
    assert grant is not None
    assert grant.tokens.refresh == tokens.refresh


@pytest.mark.behaviour("D-1", "D-5")
async def test_a_refresh_that_is_refused_says_that_access_was_taken_away(rig: Rig) -> None:
    tokens = await rig.log_in()
    await rig.people.revoke_grant(await rig.grant_id())
    with pytest.raises(NetworkError) as refused:
        await rig.network.refresh(tokens)
    evidence = refused.value.finding.evidence
    assert refused.value.finding.verdict is Verdict.REVOKED
    assert (evidence.check, evidence.code, evidence.http_status) == ("token", "invalid_grant", 400)


@pytest.mark.behaviour("D-4")
async def test_a_refresh_during_an_outage_says_nothing_of_the_grant(rig: Rig) -> None:
    tokens = await rig.log_in()
    await rig.people.network_down("token")
    with pytest.raises(NetworkError) as refused:
        await rig.network.refresh(tokens)
    assert refused.value.finding.verdict is Verdict.NETWORK_DOWN


@pytest.mark.behaviour("D-1")
async def test_a_role_on_one_account_that_is_gone_is_told_apart_from_a_permission_that_is(rig: Rig) -> None:
    tokens = await rig.log_in()
    await rig.people.lower_role(FIRST, "ana")
    assert (await rig.probe(tokens)).accounts[FIRST].verdict is Verdict.ROLE_LOST
    await rig.people.untick_permission(await rig.grant_id(), SCOPE)
    assert (await rig.probe(tokens)).grant.verdict is Verdict.PERMISSION_MISSING


@pytest.mark.behaviour("D-1", "R-7")
async def test_a_moved_account_is_found_where_the_login_has_no_role_in_its_new_organization(rig: Rig) -> None:
    tokens = await rig.log_in()
    await rig.people.break_("lower_business_role", business=WEST.id, profile="ana")
    await rig.people.move_account(FIRST, WEST.id)
    moved_to = (await rig.probe(tokens)).accounts[FIRST].evidence.moved_to
    assert moved_to is not None
    assert moved_to.id == WEST.id


@pytest.mark.behaviour("D-1")
async def test_a_disabled_account_is_told_by_its_status(rig: Rig) -> None:
    tokens = await rig.log_in()
    await rig.people.disable_account(FIRST)
    finding = (await rig.probe(tokens)).accounts[FIRST]
    assert (finding.verdict, finding.evidence.code) == (Verdict.ACCOUNT_DISABLED, "DISABLED")


@pytest.mark.behaviour("D-4")
async def test_an_entry_that_fails_by_itself_says_nothing_of_its_accounts(rig: Rig) -> None:
    tokens = await rig.log_in()
    await rig.people.set(failing_entries=[EAST.id])
    probe = await rig.probe(tokens)
    assert {finding.verdict for finding in probe.accounts.values()} == {Verdict.HEALTHY}  # each was asked by itself
    await rig.people.set(failing_entries=[EAST.id, FIRST])
    probe = await rig.probe(tokens)
    assert probe.accounts[FIRST].verdict is Verdict.UNCLEAR
    assert probe.accounts[SECOND].verdict is Verdict.HEALTHY
    with pytest.raises(NetworkError) as refused:  # or the accounts in it would be told as not reached
        await rig.network.discover(tokens)
    assert refused.value.finding.verdict is Verdict.UNCLEAR


@pytest.mark.behaviour("R-5")
async def test_a_login_without_the_permission_is_told_apart_by_what_it_granted(rig: Rig) -> None:
    tokens = await rig.log_in()
    await rig.people.untick_permission(await rig.grant_id(), SCOPE)
    with pytest.raises(NetworkError) as refused:
        await rig.network.discover(tokens)
    assert refused.value.finding.verdict is Verdict.PERMISSION_MISSING
    assert refused.value.finding.evidence.missing == ("Snapchat Marketing API",)


async def test_an_unknown_code_is_logged_as_it_came(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    tokens = await rig.log_in()
    rig.clock.advance(timedelta(hours=1))
    await rig.probe(tokens)
    assert "me/organizations: HTTP 401, code '401'" in caplog.text
    assert tokens.access.reveal() not in caplog.text
