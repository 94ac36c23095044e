"""Microsoft's stand-in by plain HTTP, and what our client makes of its habits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest
from yarl import URL

from bot.playground.vendors.networks import NetworkPeople, serve_network
from commands.errors import NetworkError, SettingError
from commands.model import Finding, Tokens, Verdict
from commands.ports.chat import Check
from commands.ports.network import Expected
from platform_adapters.discovery import build_networks
from tests.support.clock import FakeClock
from tests.support.network_rigs import CALLBACK, EAST, FIRST, PERMISSIONS, SECOND, WEST, NetworkRig, config, environment

MANAGE = "https://ads.microsoft.com/msads.manage"
BOTH = f"{MANAGE} offline_access"
LOGIN, API = "/common/oauth2/v2.0", "/CustomerManagement/v13"
DEVELOPER = "LAPSEBOT_MICROSOFT_ADS_DEVELOPER_TOKEN"


@dataclass(frozen=True, kw_only=True)
class Rig(NetworkRig):
    base: str
    http: aiohttp.ClientSession

    async def url(self, *, again: bool = False, login_hint: str | None = None) -> str:
        begun = await self.network.begin(
            state="s-1", redirect_uri=CALLBACK, code_challenge=None, login_hint=login_hint, again=again
        )
        return begun.url

    async def code(self, scope: str = BOTH) -> str:
        address = str(URL(await self.url()).update_query(scope=scope))
        callback = await self.people.consent(address, profile="ana")
        return dict(parse_qsl(urlsplit(callback).query))["code"]

    async def token(self, **fields: str) -> tuple[int, dict[str, Any]]:
        form = {"client_id": "app", "client_secret": "app-secret", "redirect_uri": CALLBACK, "scope": BOTH, **fields}
        async with self.http.post(f"{self.base}{LOGIN}/token", data=form) as answer:
            return answer.status, await answer.json()

    async def renew(self, refresh: str, **fields: str) -> tuple[int, dict[str, Any]]:
        return await self.token(grant_type="refresh_token", refresh_token=refresh, **fields)

    async def ask(
        self, path: str, token: str, body: object, *, developer: str | None = "developer-token"
    ) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {token}", **({"DeveloperToken": developer} if developer else {})}
        async with self.http.post(f"{self.base}{API}/{path}", headers=headers, json=body) as answer:
            return answer.status, await answer.json()

    async def issued(self) -> dict[str, Any]:
        return await self.people.issue("ana", PERMISSIONS["microsoft_ads"])

    async def refresh_refused(self, tokens: Tokens) -> Finding:
        with pytest.raises(NetworkError) as refused:
            await self.network.refresh(tokens)
        return refused.value.finding


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    clock = FakeClock()
    async with serve_network(config("microsoft_ads", clock)) as base, aiohttp.ClientSession() as http:
        network = build_networks(environment("microsoft_ads", base), clock)["microsoft_ads"]
        async with network.running():
            yield Rig(network=network, people=NetworkPeople(base, http), clock=clock, base=base, http=http)


def search(user: str = "ana", **page: int) -> dict[str, object]:
    return {"Predicates": [{"Field": "UserId", "Operator": "Equals", "Value": user}], "PageInfo": page}


def codes(body: dict[str, Any]) -> list[int]:
    return [error["Code"] for error in [*body.get("Errors", []), *body.get("OperationErrors", [])]]


async def test_a_login_lasts_only_where_that_was_asked_for(rig: Rig) -> None:
    _, body = await rig.token(grant_type="authorization_code", code=await rig.code())
    assert (body["scope"], body["expires_in"], "refresh_token" in body) == (MANAGE, 3599, True)
    _, body = await rig.token(grant_type="authorization_code", code=await rig.code(MANAGE))
    assert "refresh_token" not in body


async def test_a_refresh_is_replaced_and_has_to_say_again_what_it_is_for(rig: Rig) -> None:
    first = str((await rig.issued())["refresh_token"])
    status, body = await rig.renew(first, scope="")
    assert (status, body["error"]) == (400, "invalid_request")
    status, body = await rig.renew(first)
    assert status == 200
    assert body["refresh_token"] != first
    status, again = await rig.renew(first)
    assert (status, again["error"], again["error_codes"]) == (400, "invalid_grant", [70000])
    assert (await rig.renew(body["refresh_token"]))[0] == 200


@pytest.mark.parametrize(
    ("kind", "whose", "error", "number"),
    [
        ("revoke_grant", "grant", "invalid_grant", 65001),
        ("expire_grant", "grant", "invalid_grant", 700082),
        ("change_password", "profile", "invalid_grant", 50173),
        ("block_profile", "profile", "interaction_required", 50076),
    ],
)
async def test_every_end_of_a_grant_has_its_number(rig: Rig, kind: str, whose: str, error: str, number: int) -> None:
    issued = await rig.issued()
    await rig.people.break_(kind, **{whose: {"grant": issued["grant"], "profile": "ana"}[whose]})
    assert (await rig.ask("User/Query", issued["access_token"], {}))[0] == 401
    status, body = await rig.renew(issued["refresh_token"])
    assert (status, body["error"], body["error_codes"]) == (400, error, [number])
    assert body["error_description"].startswith(f"AADSTS{number}: ")


async def test_an_unknown_app_a_wrong_secret_and_a_used_code_are_told_apart(rig: Rig) -> None:
    fields = {"grant_type": "authorization_code", "code": await rig.code()}
    status, body = await rig.token(client_id="stranger", **fields)
    assert (status, body["error"], body["error_codes"]) == (400, "unauthorized_client", [700016])
    status, body = await rig.token(client_secret="wrong", **fields)
    assert (status, body["error"], body["error_codes"]) == (401, "invalid_client", [7000215])
    assert (await rig.token(**fields))[0] == 200
    assert (await rig.token(**fields))[1]["error_codes"] == [54005]
    assert (await rig.renew("made-up"))[1]["error_codes"] == [9002313]


async def test_every_question_needs_the_developer_token(rig: Rig) -> None:
    token = (await rig.issued())["access_token"]
    status, body = await rig.ask("User/Query", token, {}, developer=None)
    assert (status, codes(body)) == (400, [116])
    status, body = await rig.ask("User/Query", token, {}, developer="wrong")
    assert (status, codes(body), body["Type"]) == (401, [105], "AdApiFaultDetail")
    status, body = await rig.ask("User/Query", token, {"UserId": None})
    assert (status, body["User"]["UserName"]) == (200, "ana@acme.example")
    assert [role["CustomerId"] for role in body["CustomerRoles"]] == [EAST.id, WEST.id]


async def test_access_that_is_past_its_time_is_told_from_access_that_is_none(rig: Rig) -> None:
    token = (await rig.issued())["access_token"]
    rig.clock.advance(timedelta(hours=1))
    assert codes((await rig.ask("User/Query", token, {}))[1]) == [109]
    assert codes((await rig.ask("User/Query", "made-up", {}))[1]) == [105]


async def test_a_search_takes_one_condition_and_a_page_of_a_size(rig: Rig) -> None:
    token = (await rig.issued())["access_token"]

    async def asked(body: object) -> tuple[int, list[int], list[str]]:
        status, answer = await rig.ask("Accounts/Search", token, body)
        return status, codes(answer), [row["Id"] for row in answer.get("Accounts", [])]

    assert await asked(search(Index=0, Size=1)) == (200, [], [FIRST])
    assert await asked(search(Index=1, Size=1)) == (200, [], [SECOND])
    assert await asked(search(Index=0)) == (200, [], [])
    assert await asked(search(Index=0, Size=1001)) == (400, [201], [])
    assert await asked(search("bo", Index=0, Size=1)) == (400, [474], [])
    assert await asked({"PageInfo": {"Index": 0, "Size": 1}}) == (400, [474], [])


async def test_the_login_asks_which_account_and_consents_anew_where_something_was_left_out(rig: Rig) -> None:
    asked = dict(parse_qsl(urlsplit(await rig.url(login_hint="ana@acme.example")).query))
    assert (asked["scope"], asked["prompt"], asked["login_hint"]) == (BOTH, "select_account", "ana@acme.example")
    assert dict(parse_qsl(urlsplit(await rig.url(again=True)).query))["prompt"] == "consent"


@pytest.mark.behaviour("D-3")
async def test_a_refresh_replaces_the_refresh_token_and_the_ninety_days_begin_anew(rig: Rig) -> None:
    tokens = await rig.log_in()
    for _ in range(2):
        rig.clock.advance(timedelta(days=89))
        assert (await rig.probe(tokens)).grant.verdict is Verdict.UNCLEAR
        grant = await rig.network.refresh(tokens)
        assert grant is not None
        assert grant.tokens.refresh != tokens.refresh
        tokens = grant.tokens
        assert (await rig.probe(tokens)).grant.verdict is Verdict.HEALTHY
    rig.clock.advance(timedelta(days=90))
    refused = await rig.refresh_refused(tokens)
    assert (refused.verdict, refused.evidence.code) == (Verdict.EXPIRED, "AADSTS700082")


@pytest.mark.behaviour("D-1")
async def test_a_refused_refresh_tells_what_ended_it(rig: Rig) -> None:
    tokens = await rig.log_in()
    grant = await rig.grant_id()
    for kind, arguments, verdict, code in (
        ("revoke_grant", {"grant": grant}, Verdict.REVOKED, "AADSTS65001"),
        ("change_password", {"profile": "ana"}, Verdict.CREDENTIAL_CHANGED, "AADSTS50173"),
        ("block_profile", {"profile": "ana"}, Verdict.USER_BLOCKED, "AADSTS50076"),
        ("wrong_secret", {"app": "app"}, Verdict.OUR_FAULT, "AADSTS7000215"),
    ):
        broken = await rig.people.break_(kind, **arguments)
        refused = await rig.refresh_refused(tokens)
        assert (refused.verdict, refused.evidence.code) == (verdict, code)
        await rig.people.repair(broken)
    renewed = await rig.network.refresh(tokens)
    assert renewed is not None
    used = await rig.refresh_refused(tokens)  # a number that is in no table: the error decides
    assert (used.verdict, used.evidence.code, used.evidence.subcode) == (
        Verdict.REVOKED,
        "AADSTS70000",
        "invalid_grant",
    )


@pytest.mark.behaviour("D-1")
async def test_a_company_that_blocks_us_by_conditional_access_is_for_its_it_to_mend(rig: Rig) -> None:
    tokens = await rig.log_in()
    await rig.people.set(admin_restricted=True)
    refused = await rig.refresh_refused(tokens)
    assert (refused.verdict, refused.evidence.code) == (Verdict.ADMIN_BLOCK, "AADSTS53003")
    await rig.people.set(admin_restricted=False)
    assert await rig.network.refresh(tokens) is not None


@pytest.mark.behaviour("D-4")
async def test_a_wrong_developer_token_of_ours_is_no_evidence_against_a_grant(rig: Rig) -> None:
    tokens = await rig.log_in()
    settings = {**environment("microsoft_ads", rig.base), DEVELOPER: "wrong"}
    network = build_networks(settings, rig.clock)["microsoft_ads"]
    async with network.running():
        finding = (await network.probe(tokens, rig.expected)).grant
    assert (finding.verdict, finding.evidence.code) == (Verdict.UNCLEAR, "105")


def test_without_a_developer_token_the_setting_is_named() -> None:
    settings = environment("microsoft_ads", "http://127.0.0.1:9")
    del settings[DEVELOPER]
    with pytest.raises(SettingError, match=DEVELOPER):
        build_networks(settings, FakeClock())


@pytest.mark.behaviour("D-1")
@pytest.mark.parametrize(
    ("status", "verdict", "code"),
    [
        ("Suspended", Verdict.ACCOUNT_DISABLED, "Suspended"),
        ("Inactive", Verdict.ACCOUNT_GONE, "Inactive"),
        ("Pause", Verdict.HEALTHY, None),
        ("Never seen <b>before</b>", Verdict.UNCLEAR, "AccountLifeCycleStatus"),
    ],
)
async def test_the_status_of_an_account_is_told(rig: Rig, status: str, verdict: Verdict, code: str | None) -> None:
    tokens = await rig.log_in()
    await rig.people.disable_account(FIRST, status)
    probe = await rig.probe(tokens)
    assert (probe.accounts[FIRST].verdict, probe.accounts[FIRST].evidence.code) == (verdict, code)
    assert probe.accounts[SECOND].verdict is Verdict.HEALTHY


@pytest.mark.behaviour("D-1", "R-7")
async def test_a_customer_that_accounts_moved_to_is_named_once_for_all_of_them(rig: Rig) -> None:
    tokens = await rig.log_in()
    for account in (FIRST, SECOND):
        await rig.people.move_account(account, WEST.id)
    await rig.people.forget_calls()
    found = (await rig.probe(tokens)).accounts
    assert {finding.verdict for finding in found.values()} == {Verdict.ACCOUNT_MOVED}
    assert {finding.evidence.moved_to for finding in found.values()} == {WEST}
    assert await rig.people.calls() == {"User/Query": 1, "Accounts/Search": 1, "Customer/Query": 1}


@pytest.mark.behaviour("D-1", "R-7")
async def test_a_customer_that_may_not_be_seen_is_told_by_its_id(rig: Rig) -> None:
    await rig.people.add_account(id="42", name="Shared", business_id="7003", roles={"ana": "VIEWER"})
    tokens = await rig.log_in()
    found = (await rig.network.probe(tokens, [Expected(account_id="42", parent=EAST)])).accounts["42"]
    assert found.verdict is Verdict.ACCOUNT_MOVED
    assert found.evidence.moved_to is not None
    assert (found.evidence.moved_to.id, found.evidence.moved_to.name) == ("7003", "7003")


@pytest.mark.behaviour("D-6")
async def test_an_account_id_that_is_none_leaves_the_others_alone(rig: Rig) -> None:
    probe = await rig.network.probe(await rig.log_in(), [Expected(account_id="F118000AB", parent=None), *rig.expected])
    assert probe.grant.verdict is Verdict.HEALTHY
    assert probe.accounts["F118000AB"].verdict is Verdict.UNCLEAR
    assert probe.accounts[FIRST].verdict is Verdict.HEALTHY


async def test_all_pages_of_accounts_are_read(rig: Rig) -> None:
    ids = [str(3000000000 + number) for number in range(450)]
    for account_id in ids:
        await rig.people.add_account(id=account_id, name="A", business_id=EAST.id, roles={"ana": "STANDARD"})
    tokens = await rig.log_in()
    await rig.people.forget_calls()
    discovery = await rig.network.discover(tokens)
    assert {account.account_id for account in discovery.accounts} == {*ids, FIRST, SECOND}
    assert {account.parent for account in discovery.accounts} == {EAST}
    assert await rig.people.calls() == {"User/Query": 1, "Accounts/Search": 3, "Customer/Query": 1}


@pytest.mark.behaviour("D-1")
async def test_doctor_says_where_the_secret_is_to_be_compared(rig: Rig) -> None:
    await rig.people.wrong_secret("app")
    (line,) = await rig.network.diagnose()
    assert line.check is Check.BAD
    assert "LAPSEBOT_MICROSOFT_ADS_CLIENT_ID" in line.mend
