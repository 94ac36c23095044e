"""Google Ads' stand-in, and Google's login in front of it, driven by Authlib's real client and by plain HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
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

CALLBACK = "https://bot.example/oauth/cb/google_ads"
ADWORDS = "https://www.googleapis.com/auth/adwords"
SCOPES = f"openid email {ADWORDS}"
OFFLINE = {"access_type": "offline", "prompt": "consent"}
DAY = 86400
ONE = "SELECT customer.id, customer.descriptive_name, customer.manager, customer.status FROM customer LIMIT 1"
CLIENTS = "SELECT customer_client.id, customer_client.level FROM customer_client ORDER BY customer_client.id"


@dataclass
class Rig:
    base: str
    people: NetworkPeople
    http: aiohttp.ClientSession
    time: list[float]

    def client(self, client_id: str = "app", **options: Any) -> AsyncOAuth2Client:
        return AsyncOAuth2Client(
            client_id,
            "shh",
            redirect_uri=CALLBACK,
            scope=SCOPES,
            token_endpoint_auth_method="client_secret_post",
            **options,
        )

    def authorize_url(self, client: AsyncOAuth2Client, **params: Any) -> str:
        url, _ = client.create_authorization_url(f"{self.base}/o/oauth2/v2/auth", state="s-1", **params)
        return str(url)

    async def connect(self, client: AsyncOAuth2Client, profile: str = "ana", **params: Any) -> dict[str, Any]:
        wished = {**OFFLINE, **params}
        callback = await self.people.consent(self.authorize_url(client, **wished), profile=profile)
        token: dict[str, Any] = await client.fetch_token(
            f"{self.base}/token", authorization_response=callback, state="s-1"
        )
        return token

    async def form(self, path: str, **fields: str) -> tuple[int, dict[str, Any]]:
        async with self.http.post(self.base + path, data=fields) as answer:
            return answer.status, await answer.json()

    async def token(self, **fields: str) -> tuple[int, dict[str, Any]]:
        return await self.form("/token", **{"client_id": "app", "client_secret": "shh", **fields})

    async def get(self, path: str, token: str, **headers: str) -> tuple[int, dict[str, Any]]:
        sent = {"Authorization": f"Bearer {token}", **headers}
        async with self.http.get(self.base + path, headers=sent) as answer:
            return answer.status, await answer.json()

    async def accessible(self, token: str, **headers: str) -> tuple[int, dict[str, Any]]:
        return await self.get("/v25/customers:listAccessibleCustomers", token, **headers)

    async def search(
        self, token: str, customer: str, query: str, through: str | None = None, **more: object
    ) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {token}", **({"login-customer-id": through} if through else {})}
        url = f"{self.base}/v25/customers/{customer}/googleAds:search"
        async with self.http.post(url, headers=headers, json={"query": query, **more}) as answer:
            return answer.status, await answer.json()

    async def issue(self, profile: str = "ana", scopes: str = SCOPES) -> str:
        return str((await self.people.issue(profile, scopes.split(), app="app"))["access_token"])


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    time = [1_790_000_000.0]
    config = NetworkConfig(
        network="google_ads",
        apps=[
            App(id="app", secret="shh", name="lapsebot", redirect_uris=(CALLBACK,)),
            App(id="other", secret="shh", name="other", redirect_uris=(CALLBACK,)),
        ],
        profiles=[
            Profile(id="ana", name="Ana Ruiz", email="ana@acme.example"),
            Profile(id="raj", name="Raj Patel", email="raj@acme.example"),
            Profile(id="mei", name="Mei Lin", email="mei@acme.example"),
        ],
        businesses=[
            Business(id="77", name="Acme", roles={"ana": "ADMIN"}),
            Business(id="78", name="Brio", roles={"raj": "ADMIN"}),
        ],
        accounts=[
            AdAccount(id="501", name="Acme EU", business_id="77"),
            AdAccount(id="502", name="Acme US", business_id="77", status="CANCELED"),
            AdAccount(id="503", name="Brio DE", business_id="78", roles={"ana": "STANDARD"}),
        ],
        clock=lambda: time[0],
    )
    async with serve_network(config, prefix="/vendors/google_ads/") as base, aiohttp.ClientSession() as http:
        yield Rig(base, NetworkPeople(base, http), http, time)


def query_of(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def code_of(body: dict[str, Any]) -> str:
    """Google Ads' own code in an error."""
    (kind,) = body["error"]["details"][0]["errors"][0]["errorCode"].values()
    return str(kind)


async def test_a_consent_ends_in_an_hour_of_access_and_a_refresh_token(rig: Rig) -> None:
    async with rig.client() as client:
        token = await rig.connect(client)
    assert token["expires_in"] == 3599
    assert token["refresh_token"]
    assert set(token["scope"].split()) == set(SCOPES.split())
    assert "refresh_token_expires_in" not in token
    assert (await rig.accessible(token["access_token"]))[0] == 200
    rig.time[0] += 3600
    status, body = await rig.accessible(token["access_token"])
    assert (status, code_of(body)) == (401, "OAUTH_TOKEN_EXPIRED")


@pytest.mark.parametrize(
    ("params", "given"),
    [
        ({}, True),
        ({"prompt": "select_account"}, False),
        ({"prompt": "consent select_account"}, True),
        ({"access_type": "online"}, False),
    ],
)
async def test_a_later_login_gets_a_refresh_token_after_a_new_consent_only(
    rig: Rig, params: dict[str, str], given: bool
) -> None:
    async with rig.client() as client:
        await rig.connect(client)
        again = await rig.connect(client, **params)
    assert ("refresh_token" in again) is given


async def test_a_first_login_gets_one_without_asking_for_consent_and_none_without_offline_access(rig: Rig) -> None:
    async with rig.client() as client:
        assert "refresh_token" not in await rig.connect(client, access_type="online")
        assert "refresh_token" in await rig.connect(client, prompt="select_account")


async def test_a_refresh_brings_access_and_no_new_refresh_token(rig: Rig) -> None:
    async with rig.client() as client:
        token = await rig.connect(client)
    fields = {"grant_type": "refresh_token", "refresh_token": token["refresh_token"]}
    status, body = await rig.token(**fields)
    assert (status, set(body)) == (200, {"access_token", "expires_in", "scope", "token_type"})
    assert (await rig.accessible(token["access_token"]))[0] == (await rig.accessible(body["access_token"]))[0] == 200
    assert (await rig.token(**fields))[0] == 200


async def test_a_refresh_token_outlives_half_a_year_only_when_it_is_used(rig: Rig) -> None:
    async with rig.client() as client:
        fields = {"grant_type": "refresh_token", "refresh_token": (await rig.connect(client))["refresh_token"]}
    for _ in range(2):
        rig.time[0] += 179 * DAY
        assert (await rig.token(**fields))[0] == 200
    rig.time[0] += 180 * DAY
    status, body = await rig.token(**fields)
    assert (status, body) == (
        400,
        {"error": "invalid_grant", "error_description": "Token has been expired or revoked."},
    )


async def test_the_hundred_and_first_refresh_token_ends_the_first(rig: Rig) -> None:
    async with rig.client() as client:
        tokens = [(await rig.connect(client))["refresh_token"] for _ in range(101)]
    assert (await rig.token(grant_type="refresh_token", refresh_token=tokens[0]))[1]["error"] == "invalid_grant"
    assert (await rig.token(grant_type="refresh_token", refresh_token=tokens[1]))[0] == 200


async def test_an_app_in_testing_says_when_its_grants_end(rig: Rig) -> None:
    await rig.people.set(testing=True)
    async with rig.client() as client:
        token = await rig.connect(client)
    assert token["refresh_token_expires_in"] == 7 * DAY - 1
    rig.time[0] += 6 * DAY
    fields = {"grant_type": "refresh_token", "refresh_token": token["refresh_token"]}
    assert (await rig.token(**fields))[1]["refresh_token_expires_in"] == DAY - 1
    rig.time[0] += DAY
    assert (await rig.token(**fields))[0] == 400


async def test_policies_of_a_company_refuse_a_refresh_in_their_own_words(rig: Rig) -> None:
    async with rig.client() as client:
        token = await rig.connect(client)
    fields = {"grant_type": "refresh_token", "refresh_token": token["refresh_token"]}
    await rig.people.set(session_control=True)
    status, body = await rig.token(**fields)
    assert (status, body["error"], body["error_subtype"]) == (400, "invalid_grant", "invalid_rapt")
    await rig.people.set(session_control=False, admin_restricted=True)
    assert (await rig.token(**fields))[1]["error"] == "admin_policy_enforced"
    await rig.people.set(admin_restricted=False)
    assert (await rig.token(**fields))[0] == 200


async def test_a_changed_password_ends_nothing(rig: Rig) -> None:
    async with rig.client() as client:
        token = await rig.connect(client)
    await rig.people.change_password("ana")
    assert (await rig.accessible(token["access_token"]))[0] == 200
    assert (await rig.token(grant_type="refresh_token", refresh_token=token["refresh_token"]))[0] == 200
    rig.time[0] += 3600
    assert code_of((await rig.accessible(token["access_token"]))[1]) == "OAUTH_TOKEN_EXPIRED"


async def test_the_ads_box_can_be_left_unticked_and_the_sign_in_cannot(rig: Rig) -> None:
    async with rig.client() as client:
        url = rig.authorize_url(client, **OFFLINE)
        callback = await rig.people.consent(url, profile="ana", permissions=[])
        token = await client.fetch_token(f"{rig.base}/token", authorization_response=callback, state="s-1")
        assert set(token["scope"].split()) == {"openid", "email"}
        status, body = await rig.accessible(token["access_token"])
        assert (status, body["error"]["status"]) == (403, "PERMISSION_DENIED")
        assert body["error"]["details"][0]["reason"] == "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
        with pytest.raises(PlayError):
            await rig.people.consent(url, profile="ana", permissions=["openid"])


async def test_what_was_granted_before_comes_along_where_the_app_asks_for_that(rig: Rig) -> None:
    async with rig.client() as client:
        await rig.connect(client)
        for wish, expected in (({}, {"openid"}), ({"include_granted_scopes": "true"}, set(SCOPES.split()))):
            url = rig.authorize_url(client, **OFFLINE, **wish, scope="openid")
            callback = await rig.people.consent(url, profile="ana")
            token = await client.fetch_token(f"{rig.base}/token", authorization_response=callback, state="s-1")
            assert set(token["scope"].split()) == expected


async def test_cancel_comes_back_as_access_denied(rig: Rig) -> None:
    async with rig.client() as client:
        callback = query_of(await rig.people.consent(rig.authorize_url(client), profile="ana", allow=False))
    assert callback == {"error": "access_denied", "state": "s-1"}


@pytest.mark.parametrize("wrong", [{"scope": "openid everything"}, {"redirect_uri": "https://evil.example/"}])
async def test_a_request_that_google_does_not_accept_ends_on_a_page_of_its_own(rig: Rig, wrong: dict[str, str]) -> None:
    async with rig.client() as client:
        if "redirect_uri" in wrong:
            client.redirect_uri = wrong["redirect_uri"]
        url = rig.authorize_url(client, **{name: value for name, value in wrong.items() if name == "scope"})
        async with rig.http.get(url, allow_redirects=False) as answer:
            assert answer.status == 400
            assert "Location" not in answer.headers


async def test_a_code_is_good_once_for_its_own_app_within_ten_minutes(rig: Rig) -> None:
    async with rig.client() as client:
        url = rig.authorize_url(client, **OFFLINE)
        codes = [query_of(await rig.people.consent(url, profile="ana"))["code"] for _ in range(2)]
    fields = {"grant_type": "authorization_code", "redirect_uri": CALLBACK}
    assert (await rig.token(**fields, code=codes[0], client_id="other"))[1]["error"] == "invalid_grant"
    assert (await rig.token(**fields, code=codes[0]))[0] == 200
    assert (await rig.token(**fields, code=codes[0]))[1]["error"] == "invalid_grant"
    rig.time[0] += 600
    assert (await rig.token(**fields, code=codes[1]))[1]["error"] == "invalid_grant"


async def test_pkce_is_verified_when_a_challenge_was_sent(rig: Rig) -> None:
    verifier = generate_token(48)
    async with rig.client(code_challenge_method="S256") as client:
        url = rig.authorize_url(client, code_verifier=verifier, **OFFLINE)
        callback = await rig.people.consent(url, profile="ana")
        for wrong in ({}, {"code_verifier": generate_token(48)}):
            with pytest.raises(OAuthError):
                await client.fetch_token(f"{rig.base}/token", authorization_response=callback, state="s-1", **wrong)
        token = await client.fetch_token(
            f"{rig.base}/token", authorization_response=callback, state="s-1", code_verifier=verifier
        )
    assert token["access_token"]


async def test_a_wrong_secret_and_a_wrong_kind_of_call_are_told_apart(rig: Rig) -> None:
    assert (await rig.token(grant_type="password"))[1]["error"] == "unsupported_grant_type"
    assert (await rig.token(grant_type="refresh_token"))[1]["error"] == "invalid_request"
    await rig.people.wrong_secret("app")
    status, body = await rig.token(grant_type="refresh_token", refresh_token="r")
    assert (status, body["error"]) == (401, "invalid_client")


async def test_tokeninfo_tells_who_what_and_until_when(rig: Rig) -> None:
    async with rig.client() as client:
        token = await rig.connect(client)
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    async with rig.http.post(f"{rig.base}/tokeninfo", headers=headers) as answer:
        assert await answer.json() == {
            "azp": "app",
            "aud": "app",
            "sub": "ana",
            "scope": f"email {ADWORDS} openid",
            "exp": str(int(rig.time[0]) + 3600),
            "expires_in": "3600",
            "email": "ana@acme.example",
            "email_verified": "true",
            "access_type": "offline",
        }
    nobody = await rig.issue(scopes=ADWORDS)
    assert not {"sub", "email"} & set((await rig.form("/tokeninfo", access_token=nobody))[1])
    assert await rig.form("/tokeninfo", access_token="nonsense") == (
        400,
        {"error": "invalid_token", "error_description": "Invalid Value"},
    )


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
async def test_revoking_either_token_ends_all_that_the_person_granted_the_app(rig: Rig, kind: str) -> None:
    async with rig.client() as client:
        first, second = await rig.connect(client), await rig.connect(client)
        rajs = await rig.connect(client, "raj")
    assert (await rig.form("/revoke", token=second[kind]))[0] == 200
    status, body = await rig.accessible(first["access_token"])
    assert (status, code_of(body)) == (401, "OAUTH_TOKEN_REVOKED")
    assert (await rig.token(grant_type="refresh_token", refresh_token=first["refresh_token"]))[0] == 400
    assert (await rig.accessible(rajs["access_token"]))[0] == 200
    assert (await rig.form("/revoke", token=second[kind]))[1]["error"] == "invalid_token"


async def test_only_what_a_person_may_enter_directly_is_listed_whatever_manager_is_named(rig: Rig) -> None:
    token = await rig.issue()
    expected = {"resourceNames": ["customers/77", "customers/503"]}
    assert await rig.accessible(token) == (200, expected)
    assert await rig.accessible(token, **{"login-customer-id": "78"}) == (200, expected)
    status, body = await rig.accessible(await rig.issue("mei"))
    assert (status, code_of(body)) == (401, "NOT_ADS_USER")


async def test_a_manager_account_lists_itself_and_its_clients_and_a_client_lists_nothing(rig: Rig) -> None:
    token = await rig.issue()
    status, body = await rig.search(token, "77", CLIENTS, "77")
    assert status == 200
    rows = [row["customerClient"] for row in body["results"]]
    assert [(row["id"], row["level"]) for row in rows] == [("77", "0"), ("501", "1"), ("502", "1")]
    assert all(set(row) == {"resourceName", "id", "level"} for row in rows)
    status, body = await rig.search(token, "503", CLIENTS)
    assert (status, "results" in body) == (200, False)
    assert body["fieldMask"] == "customerClient.id,customerClient.level"


async def test_conditions_and_limits_of_a_query_are_kept(rig: Rig) -> None:
    token = await rig.issue()
    for condition, expected in (
        ("customer_client.level > 0", ["501", "502"]),
        ("customer_client.id IN (77, 502)", ["77", "502"]),
        ("customer_client.level > 0 AND customer_client.id > 501", ["502"]),
    ):
        query = CLIENTS.replace("ORDER BY", f"WHERE {condition} ORDER BY")
        _, body = await rig.search(token, "77", query, "77")
        assert [row["customerClient"]["id"] for row in body["results"]] == expected
    _, body = await rig.search(token, "77", f"{CLIENTS} LIMIT 1", "77")
    assert [row["customerClient"]["id"] for row in body["results"]] == ["77"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("SELECT customer.id", "UNEXPECTED_INPUT"),
        ("SELECT campaign.id FROM campaign", "BAD_RESOURCE_TYPE_IN_FROM_CLAUSE"),
        ("SELECT customer.secret FROM customer", "UNRECOGNIZED_FIELD"),
        ("SELECT customer.id FROM customer_client", "UNRECOGNIZED_FIELD"),
        ("SELECT customer.id FROM customer WHERE customer.status = 'ENABLED'", "UNEXPECTED_INPUT"),
    ],
)
async def test_a_query_that_is_not_understood_is_refused(rig: Rig, query: str, code: str) -> None:
    status, body = await rig.search(await rig.issue(), "77", query)
    assert (status, code_of(body)) == (400, code)


async def test_old_habits_are_refused(rig: Rig) -> None:
    token = await rig.issue()
    assert code_of((await rig.search(token, "77", ONE, pageSize=10))[1]) == "PAGE_SIZE_NOT_SUPPORTED"
    assert code_of((await rig.search(token, "77", ONE, "7-7"))[1]) == "INVALID_LOGIN_CUSTOMER_ID"


@pytest.mark.parametrize(
    ("customer", "through", "code"),
    [
        ("501", "77", None),
        ("503", "503", None),
        ("503", None, None),
        ("501", None, "USER_PERMISSION_DENIED"),
        ("501", "78", "USER_PERMISSION_DENIED"),
        ("503", "77", "INVALID_LOGIN_CUSTOMER_ID_SERVING_CUSTOMER_ID_COMBINATION"),
        ("502", "77", "CUSTOMER_NOT_ENABLED"),
        ("999", "77", "CUSTOMER_NOT_FOUND"),
    ],
)
async def test_who_may_enter_an_account_depends_on_the_manager_that_is_named(
    rig: Rig, customer: str, through: str | None, code: str | None
) -> None:
    status, body = await rig.search(await rig.issue(), customer, ONE, through)
    if code is None:
        assert status == 200
        assert body["results"][0]["customer"]["id"] == customer
    else:
        assert (status, code_of(body)) == (401 if code == "CUSTOMER_NOT_FOUND" else 403, code)


async def test_dead_tokens_are_told_apart(rig: Rig) -> None:
    issued = await rig.people.issue("ana", SCOPES.split(), app="app")
    token = issued["access_token"]
    assert code_of((await rig.accessible("nonsense"))[1]) == "OAUTH_TOKEN_INVALID"
    for break_, code in (
        (rig.people.revoke_grant(issued["grant"]), "OAUTH_TOKEN_REVOKED"),
        (rig.people.expire_grant(issued["grant"]), "OAUTH_TOKEN_EXPIRED"),
        (rig.people.block_profile("ana"), "TWO_STEP_VERIFICATION_NOT_ENROLLED"),
    ):
        broken = await break_
        status, body = await rig.accessible(token)
        assert (status, code_of(body)) == (401, code)
        await rig.people.repair(broken)
    assert (await rig.accessible(token))[0] == 200


async def test_quota_and_outage_are_told_as_google_tells_them(rig: Rig) -> None:
    token = await rig.issue()
    await rig.people.throttled("listAccessibleCustomers", times=1)
    status, body = await rig.accessible(token)
    assert (status, body["error"]["status"], code_of(body)) == (429, "RESOURCE_EXHAUSTED", "RESOURCE_EXHAUSTED")
    await rig.people.network_down()
    status, body = await rig.accessible(token)
    assert (status, body["error"]["status"]) == (503, "UNAVAILABLE")
