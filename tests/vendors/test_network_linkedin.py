"""LinkedIn's stand-in, driven by Authlib's real client and by plain HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from authlib.common.security import generate_token
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client

from bot.playground.vendors.networks import (
    AdAccount,
    App,
    Business,
    NetworkConfig,
    NetworkPeople,
    PlayError,
    Profile,
    serve_network,
)

CALLBACK = "https://bot.example/oauth/cb/linkedin"
SCOPES = "r_ads r_ads_reporting"
DAY = 86400
HEADERS = {"Linkedin-Version": "202607", "X-Restli-Protocol-Version": "2.0.0"}


@dataclass
class Rig:
    base: str
    people: NetworkPeople
    http: aiohttp.ClientSession
    time: list[float] = field(default_factory=lambda: [1_790_000_000.0])

    def client(self, client_id: str = "app", secret: str = "shh", **options: Any) -> AsyncOAuth2Client:
        return AsyncOAuth2Client(
            client_id,
            secret,
            redirect_uri=CALLBACK,
            scope=SCOPES,
            token_endpoint_auth_method="client_secret_post",
            **options,
        )

    def authorize_url(self, client: AsyncOAuth2Client, **params: Any) -> str:
        url, _ = client.create_authorization_url(f"{self.base}/oauth/v2/authorization", state="s-1", **params)
        return str(url)

    async def connect(self, client: AsyncOAuth2Client, profile: str = "ana") -> dict[str, Any]:
        callback = await self.people.consent(self.authorize_url(client), profile=profile)
        token: dict[str, Any] = await client.fetch_token(
            f"{self.base}/oauth/v2/accessToken", authorization_response=callback, state="s-1"
        )
        return token

    async def rest(self, path: str, token: str, **headers: str) -> tuple[int, dict[str, Any]]:
        sent = {**HEADERS, "Authorization": f"Bearer {token}", **headers}
        async with self.http.get(self.base + path, headers=sent) as answer:
            return answer.status, await answer.json()

    async def users(self, token: str) -> tuple[int, dict[str, Any]]:
        return await self.rest("/rest/adAccountUsers?q=authenticatedUser", token)

    async def form(self, path: str, **fields: str) -> tuple[int, dict[str, Any]]:
        sent = {"client_id": "app", "client_secret": "shh", **fields}
        async with self.http.post(self.base + path, data=sent) as answer:
            return answer.status, (await answer.json()) if answer.content_type == "application/json" else {}

    async def introspect(self, token: str) -> dict[str, Any]:
        return (await self.form("/oauth/v2/introspectToken", token=token))[1]


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    time = [1_790_000_000.0]
    config = NetworkConfig(
        network="linkedin",
        apps=[
            App(id="app", secret="shh", name="lapsebot", redirect_uris=(CALLBACK,)),
            App(id="partner", secret="shh", name="partner", redirect_uris=(CALLBACK,), refresh_tokens=True),
        ],
        profiles=[
            Profile(id="ana", name="Ana Ruiz", email="ana@acme.example"),
            Profile(id="raj", name="Raj Patel", email="raj@acme.example"),
        ],
        businesses=[Business(id="77", name="Acme"), Business(id="78", name="Brio")],
        accounts=[
            AdAccount(id="501", name="Acme EU", business_id="77", roles={"ana": "ACCOUNT_MANAGER", "raj": "VIEWER"}),
            AdAccount(id="502", name="Acme US", business_id="77", roles={"ana": "VIEWER"}),
        ],
        clock=lambda: time[0],
    )
    async with serve_network(config, prefix="/vendors/linkedin/") as base, aiohttp.ClientSession() as http:
        yield Rig(base, NetworkPeople(base, http), http, time)


def query_of(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


async def test_a_consent_ends_in_a_token_of_sixty_days_that_reads_the_accounts_of_the_member(rig: Rig) -> None:
    async with rig.client() as client:
        token = await rig.connect(client)
    assert token["expires_in"] == 60 * DAY
    assert "refresh_token" not in token
    assert token["scope"] == "r_ads,r_ads_reporting"
    status, body = await rig.users(token["access_token"])
    assert status == 200
    assert body["elements"] == [
        {"account": "urn:li:sponsoredAccount:501", "user": "urn:li:person:ana", "role": "ACCOUNT_MANAGER"},
        {"account": "urn:li:sponsoredAccount:502", "user": "urn:li:person:ana", "role": "VIEWER"},
    ]
    _, account = await rig.rest("/rest/adAccounts/501", token["access_token"])
    assert account["status"] == "ACTIVE"
    assert account["reference"] == "urn:li:organization:77"


async def test_account_users_come_in_pages_when_asked_so(rig: Rig) -> None:
    token = (await rig.people.issue("ana", ["r_ads"], app="app"))["access_token"]
    _, body = await rig.rest("/rest/adAccountUsers?q=authenticatedUser&start=1&count=1", token)
    assert [element["role"] for element in body["elements"]] == ["VIEWER"]
    assert body["paging"] == {"start": 1, "count": 1, "total": 2, "links": []}


async def test_the_callback_echoes_the_state_and_nothing_else(rig: Rig) -> None:
    async with rig.client() as client:
        callback = query_of(await rig.people.consent(rig.authorize_url(client), profile="ana"))
    assert set(callback) == {"code", "state"}
    assert callback["state"] == "s-1"


@pytest.mark.parametrize(("logged_in", "error"), [(None, "user_cancelled_login"), ("ana", "user_cancelled_authorize")])
async def test_cancel_is_told_as_linkedin_tells_it(rig: Rig, logged_in: str | None, error: str) -> None:
    await rig.people.log_in(logged_in)
    async with rig.client() as client:
        callback = query_of(await rig.people.consent(rig.authorize_url(client), allow=False))
    assert callback["error"] == error
    assert callback["state"] == "s-1"
    assert "code" not in callback


async def test_a_code_is_good_once(rig: Rig) -> None:
    async with rig.client() as client:
        callback = await rig.people.consent(rig.authorize_url(client), profile="ana")
    fields = {"grant_type": "authorization_code", "code": query_of(callback)["code"], "redirect_uri": CALLBACK}
    assert (await rig.form("/oauth/v2/accessToken", **fields))[0] == 200
    status, body = await rig.form("/oauth/v2/accessToken", **fields)
    assert (status, body["error"]) == (400, "invalid_request")


async def test_a_code_does_not_outlive_its_half_hour(rig: Rig) -> None:
    async with rig.client() as client:
        callback = await rig.people.consent(rig.authorize_url(client), profile="ana")
    rig.time[0] += 1800
    fields = {"grant_type": "authorization_code", "code": query_of(callback)["code"], "redirect_uri": CALLBACK}
    status, body = await rig.form("/oauth/v2/accessToken", **fields)
    assert (status, body["error"]) == (400, "invalid_request")


async def test_a_code_of_another_app_or_another_redirect_address_buys_nothing(rig: Rig) -> None:
    async with rig.client() as client:
        code = query_of(await rig.people.consent(rig.authorize_url(client), profile="ana"))["code"]
    fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
    assert (await rig.form("/oauth/v2/accessToken", **fields, client_id="partner"))[0] == 400
    assert (await rig.form("/oauth/v2/accessToken", **{**fields, "redirect_uri": CALLBACK + "/"}))[0] == 400
    assert (await rig.form("/oauth/v2/accessToken", **fields))[0] == 200


@pytest.mark.parametrize("redirect", [CALLBACK + "/more", CALLBACK + "?a=b", "https://evil.example/"])
async def test_another_redirect_address_is_never_redirected_to(rig: Rig, redirect: str) -> None:
    async with rig.client() as client:
        client.redirect_uri = redirect
        async with rig.http.get(rig.authorize_url(client), allow_redirects=False) as answer:
            assert answer.status == 400
            assert "Location" not in answer.headers


async def test_prefix_matching_of_redirect_addresses_can_be_switched_on(rig: Rig) -> None:
    await rig.people.set(redirect_match="prefix")
    async with rig.client() as client:
        client.redirect_uri = CALLBACK + "/more"
        callback = await rig.people.consent(rig.authorize_url(client), profile="ana")
    assert callback.startswith(CALLBACK + "/more?code=")


async def test_a_scope_that_linkedin_does_not_know_comes_back_as_an_error(rig: Rig) -> None:
    async with rig.client() as client:
        url = rig.authorize_url(client, scope="r_ads r_everything")
        async with rig.http.get(url, allow_redirects=False) as answer:
            callback = query_of(answer.headers["Location"])
    assert callback["error"] == "unauthorized_scope_error"
    assert callback["state"] == "s-1"


async def test_a_parameter_given_twice_is_refused(rig: Rig) -> None:
    async with rig.client() as client:
        url = rig.authorize_url(client) + "&state=s-2"
    async with rig.http.get(url, allow_redirects=False) as answer:
        assert answer.status == 400


async def test_pkce_is_verified_when_a_challenge_was_sent(rig: Rig) -> None:
    verifier = generate_token(48)
    async with rig.client(code_challenge_method="S256") as client:
        callback = await rig.people.consent(rig.authorize_url(client, code_verifier=verifier), profile="ana")
        url = f"{rig.base}/oauth/v2/accessToken"
        with pytest.raises(OAuthError):
            await client.fetch_token(url, authorization_response=callback, state="s-1")
        other = generate_token(48)
        with pytest.raises(OAuthError):
            await client.fetch_token(url, authorization_response=callback, state="s-1", code_verifier=other)
        token = await client.fetch_token(url, authorization_response=callback, state="s-1", code_verifier=verifier)
    assert token["access_token"]


async def test_a_verifier_without_a_challenge_and_a_plain_challenge_are_refused(rig: Rig) -> None:
    async with rig.client() as client:
        callback = await rig.people.consent(rig.authorize_url(client), profile="ana")
        url = f"{rig.base}/oauth/v2/accessToken"
        with pytest.raises(OAuthError):
            await client.fetch_token(
                url, authorization_response=callback, state="s-1", code_verifier=generate_token(48)
            )
        plain = rig.authorize_url(client, code_challenge="a" * 43, code_challenge_method="plain")
        async with rig.http.get(plain, allow_redirects=False) as answer:
            assert query_of(answer.headers["Location"])["error"] == "invalid_request"


async def test_a_wrong_secret_is_a_fault_of_the_client_and_can_be_repaired(rig: Rig) -> None:
    token = (await rig.people.issue("ana", ["r_ads"], app="app"))["access_token"]
    broken = await rig.people.wrong_secret("app")
    for path in ("/oauth/v2/introspectToken", "/oauth/v2/revoke"):
        status, body = await rig.form(path, token=token)
        assert (status, body["error"]) == (401, "invalid_client")
    status, body = await rig.form(
        "/oauth/v2/accessToken", grant_type="authorization_code", code="c", redirect_uri=CALLBACK
    )
    assert (status, body["error"]) == (401, "invalid_client")
    await rig.people.repair(broken)
    assert (await rig.introspect(token))["active"] is True


async def test_the_token_call_takes_a_form_and_no_json(rig: Rig) -> None:
    body = {"grant_type": "authorization_code", "client_id": "app", "client_secret": "shh", "code": "c"}
    async with rig.http.post(f"{rig.base}/oauth/v2/accessToken", json=body) as answer:
        assert answer.status == 400
        assert (await answer.json())["error"] == "invalid_request"


async def test_introspection_tells_state_scopes_and_dates(rig: Rig) -> None:
    token = (await rig.people.issue("ana", ["r_ads", "r_ads_reporting"], app="app"))["access_token"]
    now = int(rig.time[0])
    assert await rig.introspect(token) == {
        "active": True,
        "status": "active",
        "client_id": "app",
        "authorized_at": now,
        "created_at": now,
        "expires_at": now + 60 * DAY,
        "scope": "r_ads,r_ads_reporting",
        "auth_type": "3L",
    }
    assert (await rig.form("/oauth/v2/introspectToken", token=token, client_id="partner"))[1] == {"active": False}
    assert await rig.introspect("nonsense") == {"active": False}


async def test_a_removed_app_is_65601_and_introspects_as_revoked(rig: Rig) -> None:
    issued = await rig.people.issue("ana", ["r_ads"], app="app")
    broken = await rig.people.revoke_grant(issued["grant"])
    status, body = await rig.users(issued["access_token"])
    assert (status, body["serviceErrorCode"], body["code"]) == (401, 65601, "REVOKED_ACCESS_TOKEN")
    assert (await rig.introspect(issued["access_token"]))["status"] == "revoked"
    await rig.people.repair(broken)
    assert (await rig.users(issued["access_token"]))[0] == 200


async def test_an_old_token_is_65602_and_introspects_as_expired(rig: Rig) -> None:
    token = (await rig.people.issue("ana", ["r_ads"], app="app"))["access_token"]
    rig.time[0] += 60 * DAY - 1
    assert (await rig.users(token))[0] == 200
    rig.time[0] += 1
    status, body = await rig.users(token)
    assert (status, body["serviceErrorCode"]) == (401, 65602)
    assert (await rig.introspect(token))["status"] == "expired"


async def test_a_grant_can_be_expired_and_its_times_moved_from_outside(rig: Rig) -> None:
    issued = await rig.people.issue("ana", ["r_ads"], app="app")
    broken = await rig.people.expire_grant(issued["grant"])
    assert (await rig.users(issued["access_token"]))[1]["serviceErrorCode"] == 65602
    await rig.people.repair(broken)
    await rig.people.move_times(issued["grant"], shift_seconds=-57 * DAY)
    assert (await rig.introspect(issued["access_token"]))["expires_at"] == rig.time[0] + 3 * DAY


@pytest.mark.parametrize("kind", ["change_password", "block_profile"])
async def test_trouble_with_the_member_is_restricted_member(rig: Rig, kind: str) -> None:
    token = (await rig.people.issue("ana", ["r_ads"], app="app"))["access_token"]
    broken = await rig.people.break_(kind, profile="ana")
    status, body = await rig.users(token)
    assert (status, body["code"]) == (401, "RESTRICTED_MEMBER")
    assert "serviceErrorCode" not in body
    await rig.people.repair(broken)
    assert (await rig.users(token))[0] == 200


async def test_a_token_that_never_was_is_65600(rig: Rig) -> None:
    status, body = await rig.users("nonsense")
    assert (status, body["serviceErrorCode"], body["code"]) == (401, 65600, "INVALID_ACCESS_TOKEN")


async def test_young_tokens_are_falsely_called_revoked_while_introspection_knows_better(rig: Rig) -> None:
    await rig.people.break_("false_revoked", seconds=300)
    token = (await rig.people.issue("ana", ["r_ads"], app="app"))["access_token"]
    assert (await rig.users(token))[1]["serviceErrorCode"] == 65601
    assert (await rig.introspect(token))["status"] == "active"
    rig.time[0] += 300
    assert (await rig.users(token))[0] == 200


async def test_without_the_scope_there_is_no_permission(rig: Rig) -> None:
    issued = await rig.people.issue("ana", ["r_ads", "r_ads_reporting"], app="app")
    await rig.people.untick_permission(issued["grant"], "r_ads")
    status, body = await rig.users(issued["access_token"])
    assert status == 403
    assert body["message"].startswith("Not enough permissions to access")


async def test_a_lost_role_takes_the_account_from_the_list_and_forbids_it(rig: Rig) -> None:
    token = (await rig.people.issue("ana", ["r_ads"], app="app"))["access_token"]
    await rig.people.lower_role("501", "ana")
    _, body = await rig.users(token)
    assert [element["account"] for element in body["elements"]] == ["urn:li:sponsoredAccount:502"]
    assert (await rig.rest("/rest/adAccounts/501", token))[0] == 403


async def test_a_moved_account_names_its_new_organisation_and_a_deleted_one_is_not_found(rig: Rig) -> None:
    token = (await rig.people.issue("ana", ["r_ads"], app="app"))["access_token"]
    await rig.people.move_account("501", "78")
    assert (await rig.rest("/rest/adAccounts/501", token))[1]["reference"] == "urn:li:organization:78"
    await rig.people.disable_account("501")
    assert (await rig.rest("/rest/adAccounts/501", token))[1]["status"] == "CANCELED"
    await rig.people.delete_account("501")
    status, body = await rig.rest("/rest/adAccounts/501", token)
    assert (status, body["code"]) == (404, "RESOURCE_NOT_FOUND")
    await rig.people.repair_all()
    assert (await rig.rest("/rest/adAccounts/501", token))[1]["reference"] == "urn:li:organization:77"


@pytest.mark.parametrize("version", ["", "202312", "202511", "latest"])
async def test_a_missing_or_retired_version_is_426(rig: Rig, version: str) -> None:
    token = (await rig.people.issue("ana", ["r_ads"], app="app"))["access_token"]
    status, body = await rig.rest("/rest/adAccounts/501", token, **{"Linkedin-Version": version})
    assert (status, body["code"]) == (426, "NONEXISTENT_VERSION")


async def test_a_version_can_be_retired_while_running(rig: Rig) -> None:
    token = (await rig.people.issue("ana", ["r_ads"], app="app"))["access_token"]
    await rig.people.set(oldest_version="202608")
    assert (await rig.rest("/rest/adAccounts/501", token))[0] == 426


async def test_another_set_of_scopes_ends_every_earlier_token_of_that_member(rig: Rig) -> None:
    first = (await rig.people.issue("ana", ["r_ads"], app="app"))["access_token"]
    again = (await rig.people.issue("ana", ["r_ads"], app="app"))["access_token"]
    other = (await rig.people.issue("raj", ["r_ads"], app="app"))["access_token"]
    assert (await rig.users(first))[0] == (await rig.users(again))[0] == 200
    await rig.people.issue("ana", ["r_ads", "r_ads_reporting"], app="app")
    assert (await rig.users(first))[0] == (await rig.users(again))[0] == 401
    assert (await rig.users(other))[0] == 200


async def test_a_partner_refreshes_within_a_year_that_no_refresh_extends(rig: Rig) -> None:
    async with rig.client("partner") as client:
        token = await rig.connect(client)
        assert token["refresh_token_expires_in"] == 365 * DAY
        rig.time[0] += 330 * DAY
        renewed = await client.refresh_token(f"{rig.base}/oauth/v2/accessToken")
        assert renewed["refresh_token"] == token["refresh_token"]
        assert renewed["refresh_token_expires_in"] == renewed["expires_in"] == 35 * DAY
        rig.time[0] += 35 * DAY
        with pytest.raises(OAuthError) as refused:
            await client.refresh_token(f"{rig.base}/oauth/v2/accessToken")
        assert refused.value.error == "invalid_grant"
    assert (await rig.people.calls())["token"] == 3


async def test_refresh_tokens_that_rotate_are_good_once(rig: Rig) -> None:
    await rig.people.set(rotate_refresh=True)
    first = (await rig.people.issue("ana", ["r_ads"], app="partner"))["refresh_token"]
    fields = {"grant_type": "refresh_token", "client_id": "partner"}
    status, body = await rig.form("/oauth/v2/accessToken", **fields, refresh_token=first)
    assert status == 200
    assert body["refresh_token"] != first
    assert (await rig.form("/oauth/v2/accessToken", **fields, refresh_token=first))[1]["error"] == "invalid_grant"
    assert (await rig.form("/oauth/v2/accessToken", **fields, refresh_token=body["refresh_token"]))[0] == 200


async def test_an_expired_access_token_alone_is_mended_by_a_refresh(rig: Rig) -> None:
    issued = await rig.people.issue("ana", ["r_ads"], app="partner")
    await rig.people.expire_grant(issued["grant"], only="access")
    assert (await rig.users(issued["access_token"]))[0] == 401
    _, body = await rig.form(
        "/oauth/v2/accessToken",
        grant_type="refresh_token",
        client_id="partner",
        refresh_token=issued["refresh_token"],
    )
    assert (await rig.users(body["access_token"]))[0] == 200


async def test_an_app_that_is_no_partner_cannot_refresh(rig: Rig) -> None:
    status, body = await rig.form("/oauth/v2/accessToken", grant_type="refresh_token", refresh_token="r")
    assert (status, body["error"]) == (400, "unauthorized_client")


async def test_revoking_by_api_ends_the_token_and_needs_its_own_app(rig: Rig) -> None:
    token = (await rig.people.issue("ana", ["r_ads"], app="app"))["access_token"]
    assert (await rig.form("/oauth/v2/revoke", token=token, client_id="partner"))[0] == 400
    assert (await rig.users(token))[0] == 200
    assert (await rig.form("/oauth/v2/revoke", token=token))[0] == 200
    assert (await rig.users(token))[1]["serviceErrorCode"] == 65601


async def test_who_logged_in_is_told_to_an_app_that_asked_for_it(rig: Rig) -> None:
    token = (await rig.people.issue("raj", ["r_ads", "openid", "email"], app="app"))["access_token"]
    _, body = await rig.rest("/v2/userinfo", token)
    assert body == {"sub": "raj", "name": "Raj Patel", "email": "raj@acme.example"}


async def test_permissions_are_all_or_nothing(rig: Rig) -> None:
    async with rig.client() as client:
        with pytest.raises(PlayError):
            await rig.people.consent(rig.authorize_url(client), profile="ana", permissions=["r_ads"])
