"""Pinterest's stand-in by plain HTTP, and what our client makes of its habits."""

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
from commands.model import Tokens, Verdict
from commands.ports.chat import Check
from commands.ports.network import Expected, Network
from commands.secret import Secret
from platform_adapters.discovery import build_networks
from tests.support.clock import FakeClock
from tests.support.network_rigs import CALLBACK, EAST, FIRST, SECOND, NetworkRig, config, environment

DAY = 86400
SCOPES = ["user_accounts:read", "ads:read"]
BAD_GRANT = {"code": 283, "message": "The authorization grant is invalid"}


@dataclass(frozen=True, kw_only=True)
class Rig(NetworkRig):
    base: str
    http: aiohttp.ClientSession

    async def url(self) -> str:
        begun = await self.network.begin(
            state="s-1", redirect_uri=CALLBACK, code_challenge=None, login_hint=None, again=False
        )
        return begun.url

    async def code(self) -> str:
        callback = await self.people.consent(await self.url(), profile="ana")
        return dict(parse_qsl(urlsplit(callback).query))["code"]

    async def token(self, secret: str = "app-secret", **fields: str) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": aiohttp.encode_basic_auth("app", secret)}
        async with self.http.post(f"{self.base}/v5/oauth/token", data=fields, headers=headers) as answer:
            return answer.status, await answer.json()

    async def refresh(self, value: str) -> tuple[int, dict[str, Any]]:
        return await self.token(grant_type="refresh_token", refresh_token=value)

    async def get(self, path: str, token: str) -> tuple[int, dict[str, Any]]:
        async with self.http.get(f"{self.base}/v5{path}", headers={"Authorization": f"Bearer {token}"}) as answer:
            return answer.status, await answer.json()

    async def issued(self, scopes: list[str] | None = None) -> str:
        return str((await self.people.issue("ana", SCOPES if scopes is None else scopes))["access_token"])

    async def refused_refresh(self, tokens: Tokens) -> Verdict:
        with pytest.raises(NetworkError) as refused:
            await self.network.refresh(tokens)
        return refused.value.finding.verdict


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    clock = FakeClock()
    async with serve_network(config("pinterest", clock)) as base, aiohttp.ClientSession() as http:
        network: Network = build_networks(environment("pinterest", base), clock)["pinterest"]
        async with network.running():
            yield Rig(network=network, people=NetworkPeople(base, http), clock=clock, base=base, http=http)


async def test_a_code_buys_thirty_days_of_access_and_sixty_of_refreshing(rig: Rig) -> None:
    fields = {"grant_type": "authorization_code", "code": await rig.code(), "redirect_uri": CALLBACK}
    _, body = await rig.token(**fields, continuous_refresh="true")
    assert (body["expires_in"], body["refresh_token_expires_in"]) == (30 * DAY, 60 * DAY)
    assert body["refresh_token_expires_at"] == int(rig.clock.now().timestamp()) + 60 * DAY
    assert (await rig.token(**fields))[1] == BAD_GRANT


async def test_an_app_that_does_not_ask_for_the_continuous_refresh_gets_none(rig: Rig) -> None:
    fields = {"grant_type": "authorization_code", "code": await rig.code(), "redirect_uri": CALLBACK}
    assert "refresh_token" not in (await rig.token(**fields))[1]


async def test_a_refresh_replaces_the_refresh_token_and_the_old_one_is_dead(rig: Rig) -> None:
    first = (await rig.people.issue("ana", SCOPES))["refresh_token"]
    status, body = await rig.refresh(first)
    assert status == 200
    assert body["refresh_token"] != first
    assert body["refresh_token_expires_in"] == 60 * DAY
    assert await rig.refresh(first) == (401, BAD_GRANT)
    assert (await rig.refresh(body["refresh_token"]))[0] == 200


async def test_the_app_has_to_name_itself_by_basic_authentication(rig: Rig) -> None:
    fields = {"grant_type": "refresh_token", "refresh_token": "r", "client_id": "app", "client_secret": "app-secret"}
    async with rig.http.post(f"{rig.base}/v5/oauth/token", data=fields) as answer:
        assert (answer.status, (await answer.json())["code"]) == (401, 2)
    assert (await rig.token("wrong", grant_type="refresh_token", refresh_token="r"))[1]["code"] == 2


async def test_scopes_are_separated_by_commas_and_are_all_or_nothing(rig: Rig) -> None:
    assert dict(parse_qsl(urlsplit(await rig.url()).query))["scope"] == "user_accounts:read,ads:read"
    with pytest.raises(PlayError):
        await rig.people.consent(await rig.url(), profile="ana", permissions=["ads:read"])


async def test_a_permission_that_was_not_granted_is_401_with_code_3(rig: Rig) -> None:
    status, body = await rig.get("/ad_accounts", await rig.issued(["user_accounts:read"]))
    assert (status, body["code"]) == (401, 3)


@pytest.mark.parametrize(
    ("kind", "whose"),
    [
        ("revoke_grant", "grant"),
        ("expire_grant", "grant"),
        ("change_password", "profile"),
        ("block_profile", "profile"),
    ],
)
async def test_every_end_of_a_grant_is_401_with_code_2(rig: Rig, kind: str, whose: str) -> None:
    issued = await rig.people.issue("ana", SCOPES)
    await rig.people.break_(kind, **{whose: {"grant": issued["grant"], "profile": "ana"}[whose]})
    assert await rig.get("/ad_accounts", issued["access_token"]) == (
        401,
        {"code": 2, "message": "Authentication failed."},
    )
    assert await rig.refresh(issued["refresh_token"]) == (401, BAD_GRANT)


async def test_ad_accounts_name_their_owner_and_the_roles_of_the_login_and_come_in_pages(rig: Rig) -> None:
    token = await rig.issued()
    _, body = await rig.get("/ad_accounts?page_size=1", token)
    (row,) = body["items"]
    assert (row["id"], row["owner"], row["permissions"]) == (
        FIRST,
        {"id": EAST.id, "username": EAST.name},
        ["ADMIN"],
    )
    _, body = await rig.get(f"/ad_accounts?page_size=1&bookmark={body['bookmark']}", token)
    assert ([row["id"] for row in body["items"]], body["bookmark"]) == ([SECOND], None)
    assert (await rig.get("/ad_accounts?page_size=251", token))[0] == 400


async def test_a_lost_role_is_403_with_code_29_and_a_lost_account_404(rig: Rig) -> None:
    token = await rig.issued()
    await rig.people.lower_role(FIRST, "ana")
    await rig.people.delete_account(SECOND)
    status, body = await rig.get(f"/ad_accounts/{FIRST}", token)
    assert (status, body["code"]) == (403, 29)
    status, body = await rig.get(f"/ad_accounts/{SECOND}", token)
    assert (status, body["message"]) == (404, "AdAccount not found")


@pytest.mark.behaviour("D-2", "D-3")
async def test_each_refresh_gives_new_tokens_and_sixty_more_days_so_that_no_end_is_announced(rig: Rig) -> None:
    first = await rig.log_in()
    rig.clock.advance(timedelta(days=40))
    grant = await rig.network.refresh(first)
    assert grant is not None
    assert grant.tokens.refresh not in (None, first.refresh)
    assert grant.ends_at is None
    rig.clock.advance(timedelta(days=59))
    again = await rig.network.refresh(grant.tokens)
    assert again is not None
    assert (await rig.probe(again.tokens)).grant.verdict is Verdict.HEALTHY


@pytest.mark.behaviour("D-1")
async def test_sixty_idle_days_are_told_as_run_out_and_an_earlier_end_as_taken_away(rig: Rig) -> None:
    taken, idle = await rig.log_in(), await rig.log_in()
    await rig.people.revoke_grant(await rig.grant_id())
    assert await rig.refused_refresh(taken) is Verdict.REVOKED
    await rig.people.repair_all()
    rig.clock.advance(timedelta(days=60))
    assert await rig.refused_refresh(idle) is Verdict.EXPIRED


@pytest.mark.behaviour("D-1")
async def test_a_wrong_secret_at_a_refresh_is_our_fault_and_not_the_grants(rig: Rig) -> None:
    tokens = await rig.log_in()
    await rig.people.wrong_secret("app")
    assert await rig.refused_refresh(tokens) is Verdict.OUR_FAULT


@pytest.mark.behaviour("D-5")
async def test_access_that_ran_out_is_no_lapse_and_a_refresh_mends_it(rig: Rig) -> None:
    tokens = await rig.log_in()
    rig.clock.advance(timedelta(days=31))
    assert (await rig.probe(tokens)).grant.verdict is Verdict.UNCLEAR
    assert (await rig.check(tokens)).grant.verdict is Verdict.HEALTHY


@pytest.mark.behaviour("D-1")
async def test_a_role_that_cannot_read_reports_is_a_lost_role_with_its_name_as_evidence(rig: Rig) -> None:
    tokens = await rig.log_in()
    await rig.people.lower_role(FIRST, "ana", "AUDIENCE_MANAGER")
    finding = (await rig.probe(tokens)).accounts[FIRST]
    assert (finding.verdict, finding.evidence.code) == (Verdict.ROLE_LOST, "AUDIENCE_MANAGER")
    await rig.people.lower_role(FIRST, "ana", "ANALYST")
    assert (await rig.probe(tokens)).accounts[FIRST].verdict is Verdict.HEALTHY


@pytest.mark.behaviour("R-5")
async def test_each_permission_that_is_missing_is_named_as_the_consent_page_names_it(rig: Rig) -> None:
    reports = Tokens(access=Secret(await rig.issued(["user_accounts:read"])))
    discovery = await rig.network.discover(reports)
    assert (discovery.subject_id, discovery.accounts) == ("ana", ())
    assert discovery.granted == {"user_accounts:read"}
    with pytest.raises(NetworkError) as refused:
        await rig.network.discover(Tokens(access=Secret(await rig.issued(["ads:read"]))))
    assert refused.value.finding.evidence.missing == ("See your user accounts and followers",)


async def test_all_pages_of_accounts_are_read(rig: Rig) -> None:
    ids = [str(3000000000 + number) for number in range(260)]
    for account_id in ids:
        await rig.people.add_account(id=account_id, name="A", business_id=EAST.id, roles={"ana": "OWNER"})
    tokens = await rig.log_in()
    await rig.people.forget_calls()
    probe = await rig.network.probe(tokens, [Expected(account_id=account_id, parent=EAST) for account_id in ids])
    assert {finding.verdict for finding in probe.accounts.values()} == {Verdict.HEALTHY}
    assert await rig.people.calls() == {"ad_accounts": 2}


@pytest.mark.behaviour("D-1")
async def test_doctor_says_where_the_secret_is_to_be_compared(rig: Rig) -> None:
    await rig.people.wrong_secret("app")
    (line,) = await rig.network.diagnose()
    assert line.check is Check.BAD
    assert "LAPSEBOT_PINTEREST_CLIENT_ID" in line.mend
