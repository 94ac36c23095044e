"""X's stand-in by plain HTTP, and what our client makes of its habits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from bot.playground.vendors.networks import NetworkPeople, PlayError, serve_network
from commands.errors import NetworkError
from commands.model import Finding, Tokens, Verdict
from commands.ports.chat import Check
from commands.ports.network import Expected, Grouping, Network
from commands.secret import Secret
from platform_adapters.discovery import build_networks
from tests.support.clock import FakeClock
from tests.support.network_rigs import BOS, CALLBACK, FIRST, SECOND, VERIFIER, NetworkRig, config, environment

SCOPES = ["users.read", "tweet.read", "offline.access"]
PROBLEMS = "https://api.x.com/2/problems/"


@dataclass(frozen=True, kw_only=True)
class Rig(NetworkRig):
    base: str
    http: aiohttp.ClientSession

    async def url(self, challenge: str | None = create_s256_code_challenge(VERIFIER)) -> str:
        begun = await self.network.begin(
            state="s-1", redirect_uri=CALLBACK, code_challenge=challenge, login_hint=None, again=False
        )
        return begun.url

    async def code(self, **chosen: Any) -> str:
        callback = await self.people.consent(await self.url(), profile="ana", **chosen)
        return dict(parse_qsl(urlsplit(callback).query))["code"]

    async def login(self, path: str, *, secret: str = "app-secret", **fields: str) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": aiohttp.encode_basic_auth("app", secret)}
        async with self.http.post(f"{self.base}/2/oauth2/{path}", data=fields, headers=headers) as answer:
            return answer.status, await answer.json()

    async def exchanged(self, code: str, verifier: str = VERIFIER) -> tuple[int, dict[str, Any]]:
        fields = {"grant_type": "authorization_code", "redirect_uri": CALLBACK, "code_verifier": verifier}
        return await self.login("token", code=code, **fields)

    async def refreshed(self, refresh: str) -> tuple[int, dict[str, Any]]:
        return await self.login("token", grant_type="refresh_token", refresh_token=refresh)

    async def get(self, path: str, token: str) -> tuple[int, dict[str, Any]]:
        async with self.http.get(f"{self.base}/2{path}", headers={"Authorization": f"Bearer {token}"}) as answer:
            return answer.status, await answer.json(content_type=None)

    async def issued(self) -> dict[str, Any]:
        return await self.people.issue("ana", SCOPES)

    async def not_refreshed(self, tokens: Tokens) -> Finding:
        with pytest.raises(NetworkError) as refused:
            await self.network.refresh(tokens)
        return refused.value.finding


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    clock = FakeClock()
    async with serve_network(config("x", clock)) as base, aiohttp.ClientSession() as http:
        network: Network = build_networks(environment("x", base), clock)["x"]
        async with network.running():
            yield Rig(network=network, people=NetworkPeople(base, http), clock=clock, base=base, http=http)


async def test_who_logged_in_is_the_account_itself(rig: Rig) -> None:
    token = (await rig.issued())["access_token"]
    user = {"id": FIRST, "name": "Acme EU Ads", "username": "acmeeuads"}
    assert await rig.get("/users/me", token) == (200, {"data": user})
    await rig.people.disable_account(FIRST, "protected")
    assert await rig.get("/users/me?user.fields=protected", token) == (200, {"data": {**user, "protected": True}})


async def test_what_is_not_there_comes_with_http_200_and_errors_alone(rig: Rig) -> None:
    token = (await rig.issued())["access_token"]
    await rig.people.disable_account(SECOND, "suspended")
    for user_id, title in ((SECOND, "Forbidden"), ("99", "Not Found Error")):
        status, body = await rig.get(f"/users/{user_id}", token)
        assert (status, [row["title"] for row in body["errors"]], "data" in body) == (200, [title], False)
        assert body["errors"][0]["type"] == PROBLEMS + "resource-not-found"


async def test_a_login_without_a_challenge_is_refused(rig: Rig) -> None:
    with pytest.raises(PlayError):
        await rig.people.consent(await rig.url(None), profile="ana")


async def test_a_code_is_good_once_for_its_verifier_and_for_thirty_seconds(rig: Rig) -> None:
    said = "Value passed for the authorization code was invalid."
    refused = (400, {"error": "invalid_request", "error_description": said})
    assert await rig.exchanged(await rig.code(), "another-verifier-of-at-least-forty-three-letters") == refused
    code = await rig.code()
    assert (await rig.exchanged(code))[0] == 200
    assert await rig.exchanged(code) == refused
    late = await rig.code()
    rig.clock.advance(timedelta(seconds=31))
    assert await rig.exchanged(late) == refused


async def test_a_secret_in_the_body_is_refused_and_so_is_a_wrong_one(rig: Rig) -> None:
    refresh = (await rig.issued())["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": refresh, "client_id": "app", "client_secret": "app-secret"}
    async with rig.http.post(f"{rig.base}/2/oauth2/token", data=form) as answer:
        in_body = (answer.status, (await answer.json())["error"])
    status, body = await rig.login("token", secret="wrong", grant_type="refresh_token", refresh_token=refresh)
    assert in_body == (status, body["error"]) == (401, "unauthorized_client")
    assert (await rig.refreshed(refresh))[0] == 200


async def test_a_refresh_token_is_given_only_for_the_wish_to_stay(rig: Rig) -> None:
    url = (await rig.url()).replace("+offline.access", "").replace("%20offline.access", "")
    callback = await rig.people.consent(url, profile="ana")
    _, body = await rig.exchanged(dict(parse_qsl(urlsplit(callback).query))["code"])
    assert (body["expires_in"], "refresh_token" in body) == (7200, False)
    _, body = await rig.exchanged(await rig.code())
    assert "refresh_token" in body


async def test_a_refresh_token_is_good_once_and_using_it_again_ends_everything(rig: Rig) -> None:
    first = (await rig.issued())["refresh_token"]
    status, body = await rig.refreshed(first)
    assert status == 200
    assert body["refresh_token"] != first
    assert (await rig.get("/users/me", body["access_token"]))[0] == 200
    refused = {"error": "invalid_request", "error_description": "Value passed for the token was invalid."}
    assert await rig.refreshed(first) == (400, refused)
    assert (await rig.get("/users/me", body["access_token"]))[0] == 401
    assert await rig.refreshed(body["refresh_token"]) == (400, refused)


async def test_a_second_sign_in_of_an_account_ends_the_first(rig: Rig) -> None:
    first = await rig.issued()
    assert (await rig.exchanged(await rig.code(business=SECOND)))[0] == 200
    assert (await rig.get("/users/me", first["access_token"]))[0] == 200
    assert (await rig.exchanged(await rig.code(business=FIRST)))[0] == 200
    assert (await rig.get("/users/me", first["access_token"]))[0] == 401


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
    issued = await rig.issued()
    await rig.people.break_(kind, **{whose: {"grant": issued["grant"], "profile": "ana"}[whose]})
    unauthorized = {"title": "Unauthorized", "detail": "Unauthorized", "type": "about:blank", "status": 401}
    assert await rig.get("/users/me", issued["access_token"]) == (401, unauthorized)
    assert (await rig.refreshed(issued["refresh_token"]))[1]["error"] == "invalid_request"


async def test_too_many_questions_are_answered_with_when_to_come_back(rig: Rig) -> None:
    token = (await rig.issued())["access_token"]
    await rig.people.throttled()
    async with rig.http.get(f"{rig.base}/2/users/me", headers={"Authorization": f"Bearer {token}"}) as answer:
        assert (answer.status, answer.headers["x-rate-limit-remaining"]) == (429, "0")
        assert float(answer.headers["x-rate-limit-reset"]) > rig.clock.now().timestamp()


@pytest.mark.behaviour("N-4")
async def test_x_is_told_as_one_summary_and_answers_to_its_old_name(rig: Rig) -> None:
    spec = rig.network.spec
    assert (spec.grouping, spec.slug, spec.aliases) == (Grouping.SUMMARY, "x", ("twitter",))


@pytest.mark.behaviour("R-3")
async def test_the_login_is_asked_for_with_a_challenge_for_reading_and_staying_alone(rig: Rig) -> None:
    asked = dict(parse_qsl(urlsplit(await rig.url()).query))
    assert (asked["scope"].split(), asked["code_challenge_method"]) == (SCOPES, "S256")
    assert rig.network.spec.uses_pkce
    assert "code_challenge_method" not in await rig.url(None)


@pytest.mark.behaviour("D-3")
async def test_each_refresh_brings_the_next_refresh_and_two_hours(rig: Rig) -> None:
    tokens = await rig.log_in()
    for _ in range(2):
        rig.clock.advance(timedelta(hours=3))
        assert (await rig.probe(tokens)).grant.verdict is Verdict.UNCLEAR
        grant = await rig.network.refresh(tokens)
        assert grant is not None
        assert grant.tokens.refresh != tokens.refresh
        assert grant.tokens.access_expires_at == rig.clock.now() + timedelta(hours=2)
        tokens = grant.tokens
        assert (await rig.probe(tokens)).grant.verdict is Verdict.HEALTHY


@pytest.mark.behaviour("D-1", "D-3")
async def test_a_refresh_that_was_used_before_is_access_that_ended(rig: Rig) -> None:
    tokens = await rig.log_in()
    newer = await rig.network.refresh(tokens)
    assert newer is not None
    finding = await rig.not_refreshed(tokens)
    evidence = finding.evidence
    assert finding.verdict is Verdict.REVOKED
    assert (evidence.check, evidence.code, evidence.http_status) == ("token", "invalid_request", 400)
    assert (await rig.check(newer.tokens)).grant.verdict is Verdict.REVOKED


@pytest.mark.behaviour("R-16")
async def test_access_without_a_refresh_is_not_refreshed(rig: Rig) -> None:
    tokens = await rig.log_in()
    assert await rig.network.refresh(Tokens(access=tokens.access)) is None


@pytest.mark.behaviour("D-1", "D-4")
async def test_a_refused_app_or_an_outage_at_a_refresh_says_nothing_of_the_grant(rig: Rig) -> None:
    tokens = await rig.log_in()
    broken = await rig.people.wrong_secret("app")
    assert (await rig.not_refreshed(tokens)).verdict is Verdict.OUR_FAULT
    await rig.people.repair(broken)
    broken = await rig.people.network_down("token")
    assert (await rig.not_refreshed(tokens)).verdict is Verdict.NETWORK_DOWN
    await rig.people.repair(broken)
    assert await rig.network.refresh(tokens) is not None


@pytest.mark.behaviour("D-1", "D-4")
@pytest.mark.parametrize(
    ("trouble", "verdict", "code"),
    [
        ("client-not-enrolled", Verdict.OUR_FAULT, "client-forbidden"),
        ("CreditsDepleted", Verdict.OUR_FAULT, "credits"),
        ("SpendCapReached", Verdict.THROTTLED, "credits"),
        ("UsageCapExceeded", Verdict.OUR_FAULT, "usage-capped"),
    ],
)
async def test_what_the_operator_owes_x_is_no_lapse(rig: Rig, trouble: str, verdict: Verdict, code: str) -> None:
    tokens = await rig.log_in()
    await rig.people.set(app_trouble=trouble)
    finding = (await rig.probe(tokens)).grant
    assert (finding.verdict, finding.evidence.code, finding.evidence.subcode) == (verdict, code, trouble)


@pytest.mark.behaviour("D-1")
@pytest.mark.parametrize(("status", "code"), [("suspended", "user-suspended"), ("locked", "326")])
async def test_a_suspended_or_locked_account_has_to_be_put_right_at_x_first(rig: Rig, status: str, code: str) -> None:
    tokens = await rig.log_in()
    await rig.people.disable_account(FIRST, status)
    finding = (await rig.check(tokens)).grant
    assert (finding.verdict, finding.evidence.code) == (Verdict.USER_BLOCKED, code)
    await rig.people.repair_all()
    assert (await rig.probe(tokens)).grant.verdict is Verdict.HEALTHY


@pytest.mark.behaviour("D-1")
@pytest.mark.parametrize("status", ["protected", "withheld"])
async def test_a_protected_or_withheld_account_is_read_as_ever_by_its_own_login(rig: Rig, status: str) -> None:
    tokens = await rig.log_in()
    await rig.people.disable_account(FIRST, status)
    assert (await rig.probe(tokens)).accounts[FIRST].verdict is Verdict.HEALTHY


@pytest.mark.behaviour("D-1")
async def test_a_deactivated_account_is_gone_and_its_login_is_not_blamed(rig: Rig) -> None:
    tokens = await rig.log_in()
    await rig.people.delete_account(FIRST)
    probe = await rig.probe(tokens)
    finding = probe.accounts[FIRST]
    assert (probe.grant.verdict, finding.verdict) == (Verdict.HEALTHY, Verdict.ACCOUNT_GONE)
    assert (finding.evidence.check, finding.evidence.code) == ("users/me", "resource-not-found")


@pytest.mark.behaviour("D-1", "R-6")
async def test_accounts_that_this_login_is_not_are_looked_at_and_told_apart(rig: Rig) -> None:
    tokens = await rig.log_in()
    await rig.people.disable_account(SECOND, "suspended")
    expected = [Expected(account_id=account_id, parent=None) for account_id in (FIRST, SECOND, BOS, "99")]
    probe = await rig.network.probe(tokens, expected)
    assert probe.grant.verdict is Verdict.HEALTHY
    assert {account_id: finding.verdict for account_id, finding in probe.accounts.items()} == {
        FIRST: Verdict.HEALTHY,
        SECOND: Verdict.ACCOUNT_DISABLED,
        BOS: Verdict.ROLE_LOST,
        "99": Verdict.ACCOUNT_GONE,
    }


async def test_a_check_of_a_login_that_is_the_right_one_asks_once(rig: Rig) -> None:
    tokens = await rig.log_in()
    await rig.people.forget_calls()
    await rig.probe(tokens)
    assert await rig.people.calls() == {"users/me": 1}


@pytest.mark.behaviour("R-6", "R-14")
async def test_the_account_that_was_chosen_at_x_is_who_logged_in(rig: Rig) -> None:
    answer = {"code": await rig.code(business=SECOND)}
    grant = await rig.network.exchange(answer=answer, redirect_uri=CALLBACK, code_verifier=VERIFIER)
    discovery = await rig.network.discover(grant.tokens)
    assert (discovery.subject_id, discovery.subject_name) == (SECOND, "@acmeusads")
    assert [(account.account_id, account.name) for account in discovery.accounts] == [(SECOND, "@acmeusads")]


@pytest.mark.behaviour("R-5")
async def test_access_that_cannot_stay_is_told_at_the_login_and_at_a_check(rig: Rig) -> None:
    tokens = Tokens(access=(await rig.log_in()).access)
    assert "offline.access" not in (await rig.network.discover(tokens)).granted
    finding = (await rig.probe(tokens)).grant
    assert finding.verdict is Verdict.PERMISSION_MISSING
    assert finding.evidence.missing == ("Stay connected to your account until you revoke access",)


@pytest.mark.behaviour("D-5")
async def test_a_refusal_that_x_does_not_explain_is_unclear_and_logged_as_it_came(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    tokens = await rig.log_in()
    await rig.people.untick_permission(await rig.grant_id(), "tweet.read")
    assert (await rig.probe(tokens)).grant.verdict is Verdict.UNCLEAR
    assert "users/me: HTTP 403, code '403'" in caplog.text
    assert tokens.access.reveal() not in caplog.text


async def test_giving_back_ends_both_halves_and_a_network_that_is_down_is_no_error(rig: Rig) -> None:
    tokens = await rig.log_in()
    await rig.people.forget_calls()
    broken = await rig.people.network_down()
    await rig.network.revoke(tokens)
    await rig.people.repair(broken)
    assert (await rig.probe(tokens)).grant.verdict is Verdict.HEALTHY
    await rig.network.revoke(tokens)
    assert (await rig.people.calls())["revoke"] == 4
    assert (await rig.check(tokens)).grant.verdict is Verdict.REVOKED


@pytest.mark.behaviour("D-1")
async def test_doctor_says_where_the_secret_is_to_be_compared(rig: Rig) -> None:
    await rig.people.wrong_secret("app")
    (line,) = await rig.network.diagnose()
    assert line.check is Check.BAD
    assert "LAPSEBOT_X_CLIENT_ID" in line.mend


async def test_a_made_up_login_is_no_account_of_anybody(rig: Rig) -> None:
    probe = await rig.probe(Tokens(access=Secret("made-up"), refresh=Secret("made-up")))
    assert probe.grant.verdict is Verdict.UNCLEAR
    assert not probe.accounts
