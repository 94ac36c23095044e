"""Meta's stand-in: the Graph API's exchange, introspection, paging, proofs and error codes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp
import pytest
from aiohttp import web
from authlib.integrations.httpx_client import AsyncOAuth2Client

from bot.playground.vendors.networks import (
    AdAccount,
    App,
    Business,
    NetworkConfig,
    NetworkPeople,
    Profile,
    serve_network,
)

CALLBACK = "https://bot.example/oauth/cb/meta"
ASKED = "ads_read,business_management"
FIELDS = "account_id,name,account_status,disable_reason,business,owner_business,user_tasks"
DAY = 86400


@dataclass
class Rig:
    base: str
    people: NetworkPeople
    http: aiohttp.ClientSession
    time: list[float]
    removals: list[str]

    def authorize_url(self, **params: str) -> str:
        query = {"client_id": "1001", "redirect_uri": CALLBACK, "state": "s-1", "response_type": "code"}
        return f"{self.base}/v25.0/dialog/oauth?{urlencode({**query, 'scope': ASKED, **params})}"

    async def callback(self, profile: str = "ana", **choices: Any) -> dict[str, str]:
        url = await self.people.consent(self.authorize_url(), profile=profile, **choices)
        return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}

    async def call(self, path: str, *, method: str = "GET", **params: str) -> tuple[int, dict[str, Any]]:
        async with self.http.request(method, f"{self.base}/v25.0{path}", params=params) as answer:
            return answer.status, await answer.json()

    async def exchange(self, **params: str) -> tuple[int, dict[str, Any]]:
        base = {"client_id": "1001", "client_secret": "shh"}
        return await self.call("/oauth/access_token", **{**base, **params})

    async def connect(self, profile: str = "ana", **choices: Any) -> str:
        code = (await self.callback(profile, **choices))["code"]
        _, short = await self.exchange(redirect_uri=CALLBACK, code=code)
        _, long = await self.exchange(grant_type="fb_exchange_token", fb_exchange_token=short["access_token"])
        return str(long["access_token"])

    async def get(self, path: str, token: str, *, method: str = "GET", **params: str) -> tuple[int, dict[str, Any]]:
        proof = hmac.new(b"shh", token.encode(), hashlib.sha256).hexdigest()
        return await self.call(path, method=method, access_token=token, appsecret_proof=proof, **params)

    async def debug(self, token: str, **params: str) -> dict[str, Any]:
        _, body = await self.call("/debug_token", input_token=token, **{"access_token": "1001|shh", **params})
        return body

    async def error(self, path: str, token: str, **params: str) -> tuple[int, int | None]:
        _, body = await self.get(path, token, **params)
        return body["error"]["code"], body["error"].get("error_subcode")

    async def grant(self) -> str:
        return str((await self.people.grants(live=True))[-1]["id"])


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    time, removals = [1_790_000_000.0], list[str]()

    async def deauthorized(request: web.Request) -> web.Response:
        removals.append(str((await request.post())["signed_request"]))
        return web.Response()

    receiver = web.Application()
    receiver.router.add_post("/deauthorize", deauthorized)
    runner = web.AppRunner(receiver, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    config = NetworkConfig(
        network="meta",
        apps=[
            App(
                id="1001",
                secret="shh",
                name="lapsebot",
                redirect_uris=(CALLBACK,),
                deauthorize_url=f"http://127.0.0.1:{site.port}/deauthorize",
            ),
            App(id="1002", secret="other", name="other", redirect_uris=(CALLBACK,)),
        ],
        profiles=[
            Profile(id="ana", name="Ana Ruiz", email="ana@acme.example"),
            Profile(id="raj", name="Raj Patel", email="raj@acme.example"),
        ],
        businesses=[Business(id="31", name="Acme", roles={"ana": "ADMIN"}), Business(id="32", name="Brio")],
        accounts=[
            AdAccount(id="901", name="Acme EU", business_id="31", roles={"raj": "ANALYST"}),
            AdAccount(id="902", name="Acme US", business_id="31"),
        ],
        clock=lambda: time[0],
    )
    async with serve_network(config, prefix="/vendors/meta/") as base, aiohttp.ClientSession() as http:
        yield Rig(base, NetworkPeople(base, http), http, time, removals)
    await runner.cleanup()


async def test_a_code_becomes_a_short_token_and_that_a_long_one_of_sixty_days(rig: Rig) -> None:
    code = (await rig.callback())["code"]
    status, short = await rig.exchange(redirect_uri=CALLBACK, code=code)
    assert (status, short["token_type"], short["expires_in"]) == (200, "bearer", 7200)
    _, long = await rig.exchange(grant_type="fb_exchange_token", fb_exchange_token=short["access_token"])
    assert long["expires_in"] == 5183944
    assert "refresh_token" not in long
    assert long["access_token"] != short["access_token"]


async def test_authlibs_client_exchanges_a_code_by_post(rig: Rig) -> None:
    async with AsyncOAuth2Client(
        "1001", "shh", redirect_uri=CALLBACK, scope=ASKED, token_endpoint_auth_method="client_secret_post"
    ) as client:
        url, state = client.create_authorization_url(f"{rig.base}/v25.0/dialog/oauth")
        callback = await rig.people.consent(str(url), profile="ana")
        token = await client.fetch_token(
            f"{rig.base}/v25.0/oauth/access_token", authorization_response=callback, state=state
        )
    assert token["expires_in"] == 7200


async def test_an_expired_token_cannot_be_exchanged_for_a_long_one(rig: Rig) -> None:
    code = (await rig.callback())["code"]
    _, short = await rig.exchange(redirect_uri=CALLBACK, code=code)
    rig.time[0] += 7200
    status, body = await rig.exchange(grant_type="fb_exchange_token", fb_exchange_token=short["access_token"])
    assert (status, body["error"]["code"], body["error"]["error_subcode"]) == (400, 190, 463)


async def test_a_bad_code_says_what_is_bad_about_it(rig: Rig) -> None:
    code = (await rig.callback())["code"]
    _, wrong = await rig.exchange(redirect_uri=CALLBACK + "/", code=code)
    assert (wrong["error"]["code"], wrong["error"]["error_subcode"]) == (100, 36008)
    assert (await rig.exchange(redirect_uri=CALLBACK, code=code))[0] == 200
    _, used = await rig.exchange(redirect_uri=CALLBACK, code=code)
    assert used["error"]["error_subcode"] == 36009
    late = (await rig.callback())["code"]
    rig.time[0] += 600
    _, expired = await rig.exchange(redirect_uri=CALLBACK, code=late)
    assert expired["error"]["error_subcode"] == 36007
    _, unknown = await rig.exchange(redirect_uri=CALLBACK, code="nonsense")
    assert unknown["error"]["code"] == 100


async def test_cancel_is_told_as_meta_tells_it(rig: Rig) -> None:
    callback = await rig.callback(allow=False)
    assert (callback["error"], callback["error_reason"], callback["state"]) == ("access_denied", "user_denied", "s-1")


@pytest.mark.parametrize("params", [{"redirect_uri": "https://evil.example/"}, {"scope": "ads_everything"}])
async def test_a_bad_request_is_shown_on_facebooks_own_page(rig: Rig, params: dict[str, str]) -> None:
    async with rig.http.get(rig.authorize_url(**params), allow_redirects=False) as answer:
        assert answer.status == 400
        assert "Location" not in answer.headers


async def test_every_call_needs_the_proof_of_the_app_secret(rig: Rig) -> None:
    token = await rig.connect()
    _, without = await rig.call("/me", access_token=token)
    _, wrong = await rig.call("/me", access_token=token, appsecret_proof="0" * 64)
    assert without["error"]["code"] == wrong["error"]["code"] == 100
    assert "appsecret_proof" in without["error"]["message"]
    assert (await rig.get("/me", token))[1] == {"id": "ana", "name": "Ana Ruiz"}


async def test_debug_token_tells_everything_about_a_token(rig: Rig) -> None:
    token = await rig.connect()
    now = int(rig.time[0])
    assert (await rig.debug(token))["data"] == {
        "app_id": "1001",
        "type": "USER",
        "application": "lapsebot",
        "is_valid": True,
        "issued_at": now,
        "expires_at": now + 5183944,
        "data_access_expires_at": now + 90 * DAY,
        "scopes": ["ads_read", "business_management", "public_profile"],
        "granular_scopes": [{"scope": "ads_read"}, {"scope": "business_management"}, {"scope": "public_profile"}],
        "user_id": "ana",
    }
    assert (await rig.debug("nonsense"))["data"]["is_valid"] is False
    assert (await rig.debug(token, access_token="1002|other"))["error"]["code"] == 100


async def test_debug_token_names_the_accounts_when_some_were_unticked(rig: Rig) -> None:
    token = await rig.connect(accounts=["902"])
    granular = (await rig.debug(token))["data"]["granular_scopes"]
    assert granular[0] == {"scope": "ads_read", "target_ids": ["902"]}
    assert await rig.error("/act_901", token) == (200, None)


@pytest.mark.parametrize(
    ("kind", "target", "subcode"),
    [
        ("revoke_grant", "grant", 458),
        ("block_profile", "profile", 459),
        ("change_password", "profile", 460),
        ("expire_grant", "grant", 463),
    ],
)
async def test_what_killed_a_token_is_in_the_subcode_of_190(rig: Rig, kind: str, target: str, subcode: int) -> None:
    token = await rig.connect()
    broken = await rig.people.break_(kind, **{target: await rig.grant() if target == "grant" else "ana"})
    assert await rig.error("/me/adaccounts", token) == (190, subcode)
    data = (await rig.debug(token))["data"]
    assert (data["is_valid"], data["error"]["code"], data["error"]["subcode"]) == (False, 190, subcode)
    await rig.people.repair(broken)
    assert (await rig.get("/me", token))[0] == 200


async def test_a_token_that_never_was_is_190_without_a_subcode(rig: Rig) -> None:
    assert await rig.error("/me", "nonsense") == (190, None)


async def test_logging_in_again_after_a_changed_password_works_and_the_old_token_stays_dead(rig: Rig) -> None:
    old = await rig.connect()
    await rig.people.change_password("ana")
    new = await rig.connect()
    assert (await rig.get("/me", new))[0] == 200
    assert await rig.error("/me", old) == (190, 460)


async def test_removing_the_app_is_reported_to_the_deauthorize_address_with_a_signature(rig: Rig) -> None:
    await rig.connect()
    await rig.people.revoke_grant(await rig.grant())
    (sent,) = rig.removals
    signature, _, payload = sent.partition(".")
    expected = hmac.new(b"shh", payload.encode(), hashlib.sha256).digest()
    assert base64.urlsafe_b64decode(signature + "=") == expected
    assert json.loads(base64.urlsafe_b64decode(payload + "=="))["user_id"] == "ana"


async def test_accounts_come_in_pages_that_keep_the_fields_asked_for(rig: Rig) -> None:
    for number in range(30):
        await rig.people.add_account(id=f"95{number}", name=f"Extra {number}", business_id="31")
    token = await rig.connect()
    _, first = await rig.get("/me/adaccounts", token, fields=FIELDS)
    assert len(first["data"]) == 25
    assert first["data"][0] == {
        "id": "act_901",
        "account_id": "901",
        "name": "Acme EU",
        "account_status": 1,
        "disable_reason": 0,
        "user_tasks": ["MANAGE", "ADVERTISE", "ANALYZE"],
        "business": {"id": "31", "name": "Acme"},
        "owner_business": {"id": "31", "name": "Acme"},
    }
    async with rig.http.get(first["paging"]["next"]) as answer:
        second = await answer.json()
    assert len(second["data"]) == 7
    assert second["data"][0]["name"] == "Extra 23"
    assert "next" not in second["paging"]


async def test_declined_permissions_are_listed_and_missed(rig: Rig) -> None:
    token = await rig.connect(permissions=["business_management"])
    _, body = await rig.get("/me/permissions", token)
    assert {row["permission"]: row["status"] for row in body["data"]} == {
        "public_profile": "granted",
        "business_management": "granted",
        "ads_read": "declined",
    }
    assert await rig.error("/me/adaccounts", token) == (200, None)
    assert await rig.error("/act_901", token) == (200, None)


async def test_a_second_consent_changes_the_first_for_every_token(rig: Rig) -> None:
    token = await rig.connect(permissions=["business_management"])
    assert (await rig.get("/me/businesses", token))[1]["data"] == [{"id": "31", "name": "Acme"}]
    await rig.connect(permissions=["ads_read"])
    assert (await rig.get("/me/adaccounts", token))[0] == 200
    assert await rig.error("/me/businesses", token) == (200, None)


async def test_a_moved_account_names_its_new_owner(rig: Rig) -> None:
    token = await rig.connect("raj")
    await rig.people.move_account("901", "32")
    _, body = await rig.get("/act_901", token, fields="account_id,owner_business,user_tasks")
    assert body["owner_business"] == {"id": "32", "name": "Brio"}
    assert body["user_tasks"] == ["ANALYZE"]


async def test_a_lost_role_or_a_deleted_account_cannot_be_loaded(rig: Rig) -> None:
    token = await rig.connect()
    await rig.people.lower_role("901", "ana")
    await rig.people.delete_account("902")
    assert await rig.error("/act_901", token) == (100, 33)
    assert await rig.error("/act_902", token) == (100, 33)
    assert (await rig.get("/me/adaccounts", token))[1] == {"data": []}


@pytest.mark.parametrize(("status", "seen"), [(None, 2), ("3", 3), ("101", 101)])
async def test_a_disabled_account_shows_its_status(rig: Rig, status: str | None, seen: int) -> None:
    token = await rig.connect()
    await rig.people.disable_account("901", status)
    assert (await rig.get("/act_901", token, fields="account_status"))[1]["account_status"] == seen


async def test_after_the_end_of_data_access_a_valid_token_returns_nothing(rig: Rig) -> None:
    token = await rig.connect()
    await rig.people.break_("expire_data_access", grant=await rig.grant())
    assert (await rig.get("/me/adaccounts", token))[1] == {"data": []}
    assert (await rig.debug(token))["data"]["is_valid"] is True


async def test_deleting_permissions_by_api_removes_one_or_the_app(rig: Rig) -> None:
    token = await rig.connect()
    assert (await rig.get("/ana/permissions/ads_read", token, method="DELETE"))[1] == {"success": True}
    assert await rig.error("/me/adaccounts", token) == (200, None)
    assert (await rig.get("/raj/permissions", token, method="DELETE"))[0] == 400
    assert (await rig.get("/me/permissions", token, method="DELETE"))[1] == {"success": True}
    assert await rig.error("/me", token) == (190, 458)


async def test_a_changed_app_secret_fails_the_exchange_the_proof_and_the_app_token(rig: Rig) -> None:
    token = await rig.connect()
    await rig.people.wrong_secret("1001")
    assert (await rig.exchange(redirect_uri=CALLBACK, code="x"))[1]["error"]["code"] == 1
    assert await rig.error("/me", token) == (100, None)
    body = await rig.debug(token)
    assert "data" not in body
    assert body["error"]["code"] == 190


async def test_outage_and_rate_limit_are_not_taken_for_a_lost_grant(rig: Rig) -> None:
    token = await rig.connect()
    down = await rig.people.network_down()
    status, body = await rig.get("/me", token)
    assert (status, body["error"]["code"], body["error"]["is_transient"]) == (500, 2, True)
    assert body["error"]["type"] == "OAuthException"
    await rig.people.repair(down)
    await rig.people.throttled("me")
    async with rig.http.get(f"{rig.base}/me", params={"access_token": token}) as answer:
        assert (answer.status, (await answer.json())["error"]["code"]) == (400, 80004)
        usage = json.loads(answer.headers["X-Business-Use-Case-Usage"])
    assert usage["0"][0]["estimated_time_to_regain_access"] == 5
