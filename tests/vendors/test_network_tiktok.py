"""TikTok's stand-in: JSON bodies, its own names, HTTP 200 with a code for everything."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp
import pytest

from bot.playground.vendors.networks import (
    AdAccount,
    App,
    Business,
    NetworkConfig,
    NetworkPeople,
    Profile,
    serve_network,
)

CALLBACK = "https://bot.example/oauth/cb/tiktok"


@dataclass
class Rig:
    base: str
    people: NetworkPeople
    http: aiohttp.ClientSession

    def authorize_url(self, **params: str) -> str:
        query = {"app_id": "7001", "redirect_uri": CALLBACK, "state": "s-1", **params}
        return f"{self.base}/portal/auth?{urlencode(query)}"

    async def callback(self, profile: str = "ana", **choices: Any) -> dict[str, str]:
        url = await self.people.consent(self.authorize_url(), profile=profile, **choices)
        return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}

    async def token(self, auth_code: str, **fields: str) -> dict[str, Any]:
        body = {"app_id": "7001", "secret": "shh", "auth_code": auth_code, **fields}
        async with self.http.post(f"{self.base}/open_api/v1.3/oauth2/access_token/", json=body) as answer:
            assert answer.status == 200
            return dict(await answer.json())

    async def connect(self, profile: str = "ana", **choices: Any) -> dict[str, Any]:
        answer = await self.token((await self.callback(profile, **choices))["auth_code"])
        assert answer["code"] == 0
        return dict(answer["data"])

    async def get(self, path: str, token: str | None, **params: str) -> dict[str, Any]:
        headers = {} if token is None else {"Access-Token": token}
        url = f"{self.base}/open_api/v1.3{path}"
        async with self.http.get(url, params=params, headers=headers) as answer:
            assert answer.status == 200
            return dict(await answer.json())

    async def advertisers(self, token: str) -> dict[str, Any]:
        return await self.get("/oauth2/advertiser/get/", token, app_id="7001", secret="shh")

    async def info(self, token: str, *ids: str) -> dict[str, Any]:
        fields = json.dumps(["name", "status", "owner_bc_id"])
        return await self.get("/advertiser/info/", token, advertiser_ids=json.dumps(ids), fields=fields)


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    config = NetworkConfig(
        network="tiktok",
        apps=[
            App(id="7001", secret="shh", name="lapsebot", redirect_uris=(CALLBACK,)),
            App(id="7002", secret="other", name="other", redirect_uris=(CALLBACK,)),
        ],
        profiles=[
            Profile(id="ana", name="Ana Ruiz", email="ana@acme.example"),
            Profile(id="raj", name="Raj Patel", email="raj@acme.example"),
        ],
        businesses=[
            Business(id="8194", name="Acme EU", roles={"ana": "ADMIN", "raj": "STANDARD"}),
            Business(id="8195", name="Brio", roles={"ana": "ADMIN"}),
        ],
        accounts=[
            AdAccount(id="7012", name="Acme DE", business_id="8194"),
            AdAccount(id="7013", name="Acme FR", business_id="8194"),
            AdAccount(id="7014", name="Brio", business_id="8195"),
        ],
    )
    async with serve_network(config, prefix="/vendors/tiktok/") as base, aiohttp.ClientSession() as http:
        yield Rig(base, NetworkPeople(base, http), http)


async def test_the_callback_carries_the_code_under_both_names_and_the_state(rig: Rig) -> None:
    callback = await rig.callback()
    assert callback["auth_code"] == callback["code"]
    assert callback["state"] == "s-1"


async def test_a_code_becomes_a_token_without_a_term_that_names_advertisers_and_numbers(rig: Rig) -> None:
    data = await rig.connect()
    assert data["advertiser_ids"] == ["7012", "7013"]
    assert data["scope"] == [10, 15, 4]
    assert set(data) == {"access_token", "advertiser_ids", "scope"}
    answer = await rig.advertisers(data["access_token"])
    assert answer["data"]["list"][0] == {"advertiser_id": "7012", "advertiser_name": "Acme DE"}


async def test_a_code_is_good_once_and_for_an_hour(rig: Rig) -> None:
    code = (await rig.callback())["auth_code"]
    assert (await rig.token(code))["code"] == 0
    assert (await rig.token(code))["code"] == 40110
    late = (await rig.callback())["auth_code"]
    await rig.people.set(clock_offset=3600)
    assert (await rig.token(late))["code"] == 40110


async def test_app_id_and_secret_must_match(rig: Rig) -> None:
    code = (await rig.callback())["auth_code"]
    assert (await rig.token(code, secret="wrong"))["code"] == 40101
    assert (await rig.token(code, app_id="7002", secret="other"))["code"] == 40110
    assert (await rig.token(code))["code"] == 0


async def test_a_form_instead_of_json_is_malformed(rig: Rig) -> None:
    body = {"app_id": "7001", "secret": "shh", "auth_code": "x"}
    async with rig.http.post(f"{rig.base}/open_api/v1.3/oauth2/access_token/", data=body) as answer:
        assert (answer.status, (await answer.json())["code"]) == (200, 40002)


async def test_the_closing_slash_of_a_path_matters(rig: Rig) -> None:
    async with rig.http.get(f"{rig.base}/open_api/v1.3/user/info") as answer:
        assert answer.status == 404


async def test_another_redirect_address_is_never_redirected_to(rig: Rig) -> None:
    url = rig.authorize_url(redirect_uri="https://evil.example/")
    async with rig.http.get(url, allow_redirects=False) as answer:
        assert answer.status == 400


async def test_cancel_comes_back_without_a_code(rig: Rig) -> None:
    url = await rig.people.consent(rig.authorize_url(), profile="ana", allow=False)
    assert parse_qs(urlsplit(url).query) == {"error": ["access_denied"], "state": ["s-1"]}


async def test_another_business_center_offers_its_own_advertisers(rig: Rig) -> None:
    data = await rig.connect(business="8195")
    assert data["advertiser_ids"] == ["7014"]
    _, second = await rig.people.grants(profile="ana"), await rig.people.grants(account="7014")
    assert second[0]["business"] == "8195"


async def test_consent_succeeds_with_no_advertiser_at_all(rig: Rig) -> None:
    assert (await rig.connect(accounts=[]))["advertiser_ids"] == []


async def test_someone_who_is_not_admin_of_the_business_center_shares_nothing(rig: Rig) -> None:
    assert (await rig.connect("raj"))["advertiser_ids"] == []


async def test_only_ticked_advertisers_are_reached(rig: Rig) -> None:
    data = await rig.connect(accounts=["7013"])
    assert data["advertiser_ids"] == ["7013"]
    answer = await rig.info(data["access_token"], "7012")
    assert (answer["code"], answer["message"]) == (40001, "no permission to operate advertiser 7012")


@pytest.mark.parametrize(
    ("kept", "path", "params"),
    [
        ("reporting", "/oauth2/advertiser/get/", {"app_id": "7001", "secret": "shh"}),
        ("reporting", "/advertiser/info/", {"advertiser_ids": '["7012"]'}),
        ("reporting", "/bc/get/", {}),
        ("reporting", "/bc/asset/get/", {"bc_id": "8194", "asset_type": "ADVERTISER"}),
        ("ad_account_management", "/report/integrated/get/", {"advertiser_id": "7012"}),
    ],
)
async def test_an_unticked_permission_is_40001_and_names_the_path(
    rig: Rig, kept: str, path: str, params: dict[str, str]
) -> None:
    data = await rig.connect(permissions=[kept])
    answer = await rig.get(path, data["access_token"], **params)
    assert answer["code"] == 40001
    assert answer["message"] == f"advertiser does not grant you {path}:GET permission"


async def test_a_permission_taken_back_later_is_40001_until_it_is_given_again(rig: Rig) -> None:
    data = await rig.connect()
    grant = (await rig.people.grants(account="7012", live=True))[0]["id"]
    broken = await rig.people.untick_permission(grant, "ad_account_management")
    assert (await rig.advertisers(data["access_token"]))["code"] == 40001
    await rig.people.repair(broken)
    assert (await rig.advertisers(data["access_token"]))["code"] == 0


async def test_account_details_name_the_owning_business_center(rig: Rig) -> None:
    token = (await rig.connect())["access_token"]
    answer = await rig.info(token, "7012")
    assert answer["data"]["list"] == [{"name": "Acme DE", "status": "STATUS_ENABLE", "owner_bc_id": "8194"}]
    await rig.people.set(show_owner=False)
    assert "owner_bc_id" not in (await rig.info(token, "7012"))["data"]["list"][0]


@pytest.mark.parametrize("ids", ["7012", '"7012"', "[]", "", '["' + '","'.join(["7012"] * 101) + '"]'])
async def test_advertisers_are_asked_for_by_a_json_list_of_at_most_a_hundred(rig: Rig, ids: str) -> None:
    token = (await rig.connect())["access_token"]
    assert (await rig.get("/advertiser/info/", token, advertiser_ids=ids))["code"] == 40002


async def test_a_moved_account_names_the_new_owner_while_the_token_still_reaches_it(rig: Rig) -> None:
    token = (await rig.connect())["access_token"]
    broken = await rig.people.move_account("7012", "8195")
    assert (await rig.info(token, "7012"))["data"]["list"][0]["owner_bc_id"] == "8195"
    assets = await rig.get("/bc/asset/get/", token, bc_id="8195", asset_type="ADVERTISER")
    assert [row["asset_id"] for row in assets["data"]["list"]] == ["7012"]
    await rig.people.repair(broken)
    assert (await rig.info(token, "7012"))["data"]["list"][0]["owner_bc_id"] == "8194"


async def test_a_lost_role_takes_the_advertiser_out_of_the_list(rig: Rig) -> None:
    token = (await rig.connect())["access_token"]
    await rig.people.lower_role("7012", "ana")
    rows = (await rig.advertisers(token))["data"]["list"]
    assert [row["advertiser_id"] for row in rows] == ["7013"]
    assert (await rig.info(token, "7012"))["code"] == 40001
    await rig.people.repair_all()
    await rig.people.break_("lower_business_role", business="8194", profile="ana", role="STANDARD")
    assert (await rig.advertisers(token))["data"]["list"] == []


async def test_disabled_and_deleted_accounts_are_told_apart(rig: Rig) -> None:
    token = (await rig.connect())["access_token"]
    await rig.people.disable_account("7012")
    assert (await rig.info(token, "7012"))["data"]["list"][0]["status"] == "STATUS_DISABLE"
    await rig.people.delete_account("7012")
    assert (await rig.info(token, "7012"))["code"] == 40300
    assert (await rig.info(token, "9999"))["code"] == 40301


async def test_what_happens_to_the_grant_shows_in_the_code(rig: Rig) -> None:
    token = (await rig.connect())["access_token"]
    grant = (await rig.people.grants(live=True))[0]["id"]
    for kind, arguments, code in [
        ("revoke_grant", {"grant": grant}, 40105),
        ("expire_grant", {"grant": grant}, 40102),
        ("change_password", {"profile": "ana"}, 40106),
        ("block_profile", {"profile": "ana"}, 40106),
    ]:
        broken = await rig.people.break_(kind, **arguments)
        answer = await rig.advertisers(token)
        assert (kind, answer["code"], answer["data"]) == (kind, code, {})
        await rig.people.repair(broken)
        assert (await rig.advertisers(token))["code"] == 0


async def test_headers_and_apps_that_do_not_fit_are_named(rig: Rig) -> None:
    token = (await rig.connect())["access_token"]
    assert (await rig.get("/user/info/", None))["code"] == 40104
    assert (await rig.get("/user/info/", "nonsense"))["code"] == 40105
    other = await rig.get("/oauth2/advertiser/get/", token, app_id="7002", secret="other")
    assert other["code"] == 40113
    async with rig.http.get(
        f"{rig.base}/open_api/v1.3/user/info/", headers={"Authorization": f"Bearer {token}"}
    ) as answer:
        assert (await answer.json())["code"] == 40104


async def test_a_changed_secret_is_40101(rig: Rig) -> None:
    token = (await rig.connect())["access_token"]
    await rig.people.wrong_secret("7001")
    assert (await rig.advertisers(token))["code"] == 40101
    assert (await rig.token("x"))["code"] == 40101


async def test_business_centers_are_listed_with_the_role_in_pages(rig: Rig) -> None:
    token = (await rig.connect())["access_token"]
    answer = await rig.get("/bc/get/", token, page="2", page_size="1")
    assert answer["data"]["list"] == [
        {"bc_info": {"bc_id": "8195", "name": "Brio", "type": "NORMAL"}, "user_role": "ADMIN"}
    ]
    assert answer["data"]["page_info"] == {"page": 2, "page_size": 1, "total_number": 2, "total_page": 2}


async def test_who_logged_in_is_told(rig: Rig) -> None:
    answer = await rig.get("/user/info/", (await rig.connect())["access_token"])
    assert answer["data"] == {"core_user_id": "ana", "display_name": "Ana Ruiz", "email": "ana@acme.example"}


async def test_revoking_by_api_ends_one_token_and_leaves_the_others(rig: Rig) -> None:
    first, second = (await rig.connect())["access_token"], (await rig.connect())["access_token"]
    body = {"app_id": "7001", "secret": "shh", "access_token": first}
    async with rig.http.post(f"{rig.base}/open_api/v1.3/oauth2/revoke_token/", json=body) as answer:
        assert (await answer.json())["code"] == 0
    assert (await rig.advertisers(first))["code"] == 40105
    assert (await rig.advertisers(second))["code"] == 0


async def test_outage_and_rate_limit_are_codes_under_http_200(rig: Rig) -> None:
    token = (await rig.connect())["access_token"]
    down = await rig.people.network_down()
    assert (await rig.advertisers(token))["code"] == 50000
    await rig.people.repair(down)
    await rig.people.throttled("oauth2/advertiser/get", times=1)
    assert (await rig.advertisers(token))["code"] == 40100
    assert (await rig.advertisers(token))["code"] == 0
