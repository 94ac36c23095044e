"""YouTube's stand-in: one channel to a login, reasons in errors, lists that leave "items" out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp
import pytest

from bot.playground.vendors.networks import AdAccount, App, NetworkConfig, NetworkPeople, Profile, serve_network

CALLBACK = "https://bot.example/oauth/cb/youtube"
READ = "https://www.googleapis.com/auth/youtube.readonly"
REPORTS = "https://www.googleapis.com/auth/yt-analytics.readonly"
CHOOSER = "consent select_account"


@dataclass
class Rig:
    base: str
    people: NetworkPeople
    http: aiohttp.ClientSession

    def authorize_url(self, prompt: str = CHOOSER) -> str:
        query = {
            "client_id": "app",
            "redirect_uri": CALLBACK,
            "state": "s-1",
            "response_type": "code",
            "scope": f"{READ} {REPORTS}",
            "access_type": "offline",
            "prompt": prompt,
        }
        return f"{self.base}/o/oauth2/v2/auth?{urlencode(query)}"

    async def connect(self, profile: str = "ana", *, prompt: str = CHOOSER, **choices: Any) -> dict[str, Any]:
        callback = await self.people.consent(self.authorize_url(prompt), profile=profile, **choices)
        fields = {
            "grant_type": "authorization_code",
            "client_id": "app",
            "client_secret": "shh",
            "redirect_uri": CALLBACK,
            "code": parse_qs(urlsplit(callback).query)["code"][0],
        }
        async with self.http.post(f"{self.base}/token", data=fields) as answer:
            assert answer.status == 200
            token: dict[str, Any] = await answer.json()
            return token

    async def channels(self, token: str, **query: str) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url = f"{self.base}/youtube/v3/channels"
        async with self.http.get(url, params={"part": "id,snippet", **query}, headers=headers) as answer:
            return answer.status, await answer.json()

    async def mine(self, token: str) -> tuple[int, dict[str, Any]]:
        return await self.channels(token, mine="true")

    async def page(self, prompt: str) -> str:
        await self.people.log_in("ana")
        async with self.http.get(self.authorize_url(prompt)) as answer:
            return await answer.text()


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    config = NetworkConfig(
        network="youtube",
        apps=[App(id="app", secret="shh", name="lapsebot", redirect_uris=(CALLBACK,))],
        profiles=[
            Profile(id="ana", name="Ana Ruiz", email="ana@acme.example"),
            Profile(id="raj", name="Raj Patel", email="raj@acme.example"),
        ],
        accounts=[
            AdAccount(id="UCana", name="Ana's own", business_id="", roles={"ana": "OWNER"}),
            AdAccount(id="UCacme", name="Acme", business_id="", roles={"ana": "MANAGER"}),
        ],
    )
    async with serve_network(config, prefix="/vendors/youtube/") as base, aiohttp.ClientSession() as http:
        yield Rig(base, NetworkPeople(base, http), http)


def reason_of(answer: tuple[int, dict[str, Any]]) -> tuple[int, str]:
    status, body = answer
    return status, body["error"]["errors"][0]["reason"]


async def test_the_chooser_offers_the_channels_of_the_person_and_binds_the_grant_to_one(rig: Rig) -> None:
    page = await rig.page(CHOOSER)
    assert "Ana&#39;s own (UCana)" in page
    assert "Acme (UCacme)" in page
    token = await rig.connect(business="UCacme")
    assert set(token["scope"].split()) == {READ, REPORTS}
    status, body = await rig.mine(token["access_token"])
    assert status == 200
    assert [(item["id"], item["snippet"]["title"]) for item in body["items"]] == [("UCacme", "Acme")]
    assert body["pageInfo"] == {"totalResults": 1, "resultsPerPage": 5}


async def test_without_select_account_there_is_no_chooser_and_the_persons_own_channel_is_taken(rig: Rig) -> None:
    assert "UCacme" not in await rig.page("consent")
    token = await rig.connect(prompt="consent")
    assert (await rig.mine(token["access_token"]))[1]["items"][0]["id"] == "UCana"


async def test_a_login_without_a_channel_lists_none_and_has_no_items_at_all(rig: Rig) -> None:
    token = (await rig.connect("raj"))["access_token"]
    status, body = await rig.mine(token)
    assert (status, body["pageInfo"]["totalResults"], "items" in body) == (200, 0, False)


async def test_channels_are_public_by_id_and_closed_and_suspended_ones_are_not_there(rig: Rig) -> None:
    token = (await rig.connect("raj"))["access_token"]
    _, body = await rig.channels(token, id="UCacme,UCana,UCnone")
    assert [item["id"] for item in body["items"]] == ["UCacme", "UCana"]
    await rig.people.delete_account("UCacme")
    await rig.people.disable_account("UCana")
    assert "items" not in (await rig.channels(token, id="UCacme,UCana"))[1]


async def test_what_became_of_ones_own_channel_is_told_by_its_reason(rig: Rig) -> None:
    token = (await rig.connect(business="UCacme"))["access_token"]
    for break_, reason in (
        (rig.people.delete_account("UCacme"), "authenticatedUserAccountClosed"),
        (rig.people.disable_account("UCacme"), "authenticatedUserAccountSuspended"),
        (rig.people.lower_role("UCacme", "ana"), "accountDelegationForbidden"),
    ):
        broken = await break_
        assert reason_of(await rig.mine(token)) == (403, reason)
        await rig.people.repair(broken)
    assert (await rig.mine(token))[0] == 200


async def test_a_grant_for_one_channel_outlives_the_removal_of_another(rig: Rig) -> None:
    own, acme = await rig.connect(business="UCana"), await rig.connect(business="UCacme")
    async with rig.http.post(f"{rig.base}/revoke", data={"token": own["refresh_token"]}) as answer:
        assert answer.status == 200
    assert (await rig.mine(own["access_token"]))[0] == 401
    assert (await rig.mine(acme["access_token"]))[0] == 200


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ({"part": "", "mine": "true"}, "missingRequiredParameter"),
        ({"part": "everything", "mine": "true"}, "unknownPart"),
        ({}, "missingRequiredParameter"),
        ({"mine": "true", "id": "UCana"}, "incompatibleParameters"),
    ],
)
async def test_a_question_that_is_not_one_is_refused(rig: Rig, query: dict[str, str], reason: str) -> None:
    token = (await rig.connect())["access_token"]
    assert reason_of(await rig.channels(token, **query)) == (400, reason)


async def test_allowing_nothing_comes_back_as_a_cancelled_login(rig: Rig) -> None:
    callback = await rig.people.consent(rig.authorize_url(), profile="ana", permissions=[])
    assert parse_qs(urlsplit(callback).query) == {"error": ["access_denied"], "state": ["s-1"]}
    assert await rig.people.grants() == []


async def test_without_the_box_for_the_account_nothing_is_read(rig: Rig) -> None:
    token = (await rig.connect(permissions=[REPORTS]))["access_token"]
    status, body = await rig.mine(token)
    assert reason_of((status, body)) == (403, "insufficientPermissions")
    assert body["error"]["details"][0]["reason"] == "ACCESS_TOKEN_SCOPE_INSUFFICIENT"


async def test_dead_access_says_only_whether_it_was_time(rig: Rig) -> None:
    token = (await rig.connect())["access_token"]
    grant = (await rig.people.grants())[-1]["id"]
    assert reason_of(await rig.mine("")) == (401, "required")
    for break_, reason in (
        (rig.people.revoke_grant(grant), None),
        (rig.people.expire_grant(grant), "ACCESS_TOKEN_EXPIRED"),
        (rig.people.block_profile("ana"), "ACCOUNT_STATE_INVALID"),
    ):
        broken = await break_
        status, body = await rig.mine(token)
        assert reason_of((status, body)) == (401, "authError")
        told = [detail["reason"] for detail in body["error"].get("details", [])]
        assert told == ([reason] if reason else [])
        await rig.people.repair(broken)


async def test_a_used_up_quota_is_a_403(rig: Rig) -> None:
    token = (await rig.connect())["access_token"]
    await rig.people.throttled("channels")
    assert reason_of(await rig.mine(token)) == (403, "quotaExceeded")
