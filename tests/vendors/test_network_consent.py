"""The consent pages: plain forms that a person, a browser without scripts and a screen reader can use."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
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

CALLBACK = "https://bot.example/cb"
NASTY = "<script>alert(1)</script> & Söhne"


@dataclass
class Rig:
    base: str
    people: NetworkPeople
    http: aiohttp.ClientSession

    @property
    def url(self) -> str:
        query = {"app_id": "app", "redirect_uri": CALLBACK, "state": "a&b=c%20ü"}
        return f"{self.base}/portal/auth?{urlencode(query)}"

    async def page(self) -> str:
        async with self.http.get(self.url) as answer:
            assert answer.status == 200
            return await answer.text()

    async def press(self, **fields: str) -> aiohttp.ClientResponse:
        return await self.http.post(self.url, data=fields, allow_redirects=False)


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    config = NetworkConfig(
        network="tiktok",
        apps=[App(id="app", secret="shh", name="lapsebot", redirect_uris=(CALLBACK,))],
        profiles=[
            Profile(id="ana", name="Ana Ruiz", email="ana@acme.example"),
            Profile(id="raj", name="Raj Patel", email="raj@acme.example"),
        ],
        businesses=[
            Business(id="1", name=NASTY, roles={"ana": "ADMIN", "raj": "STANDARD"}),
            Business(id="2", name="Brio", roles={"ana": "ADMIN"}),
        ],
        accounts=[
            AdAccount(id="11", name=NASTY, business_id="1"),
            AdAccount(id="21", name="Brio DE", business_id="2"),
        ],
    )
    async with serve_network(config, prefix="/somewhere/else/") as base, aiohttp.ClientSession() as http:
        yield Rig(base, NetworkPeople(base, http), http)


async def test_somebody_who_is_not_logged_in_chooses_a_profile_first(rig: Rig) -> None:
    page = await rig.page()
    assert "Who are you?" in page
    assert "Ana Ruiz" in page
    assert "Raj Patel" in page
    answer = await rig.press(act="login", profile="raj")
    assert answer.status == 303
    assert "Logged in as <strong>Raj Patel</strong>" in await rig.page()


async def test_the_browser_can_be_logged_in_from_outside_and_out_again(rig: Rig) -> None:
    await rig.people.log_in("ana")
    assert "Logged in as <strong>Ana Ruiz</strong>" in await rig.page()
    await rig.people.log_in(None)
    assert "Who are you?" in await rig.page()


async def test_one_can_log_in_as_another_person_from_the_consent_page(rig: Rig) -> None:
    await rig.people.log_in("ana")
    assert "Who are you?" in await (await rig.press(act="switch")).text()
    await rig.press(act="login", profile="raj")
    page = await rig.page()
    assert "Raj Patel" in page
    assert "You need the Admin role in a Business Center" in page


async def test_names_are_shown_inert_and_nothing_runs(rig: Rig) -> None:
    await rig.people.log_in("ana")
    async with rig.http.get(rig.url) as answer:
        page = await answer.text()
        assert "script" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; Söhne" in page
    assert 'name="viewport"' in page


async def test_choosing_another_business_shows_its_accounts(rig: Rig) -> None:
    await rig.people.log_in("ana")
    page = await (await rig.press(act="business", choose="2")).text()
    assert "Brio DE" in page
    assert 'value="11"' not in page


async def test_allow_with_another_business_chosen_and_not_yet_shown_shows_it_first(rig: Rig) -> None:
    await rig.people.log_in("ana")
    answer = await rig.press(act="allow", profile="ana", business="1", choose="2", account="11")
    assert answer.status == 200
    assert "Brio DE" in await answer.text()


async def test_a_network_that_is_down_has_no_login_page_either(rig: Rig) -> None:
    await rig.people.network_down()
    async with rig.http.get(rig.url) as answer:
        assert (answer.status, answer.content_type) == (503, "text/html")


async def test_the_state_comes_back_to_the_letter(rig: Rig) -> None:
    callback = await rig.people.consent(rig.url, profile="ana")
    assert parse_qs(urlsplit(callback).query)["state"] == ["a&b=c%20ü"]


async def test_allow_by_somebody_who_is_no_longer_logged_in_grants_nothing(rig: Rig) -> None:
    await rig.people.log_in("raj")
    answer = await rig.press(act="allow", profile="ana", account="11")
    assert answer.status == 200
    assert await rig.people.grants() == []


async def test_ticks_that_were_not_offered_count_for_nothing(rig: Rig) -> None:
    await rig.people.log_in("ana")
    answer = await rig.press(act="allow", profile="ana", business="2", permission="everything", account="11")
    code = parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]
    body = {"app_id": "app", "secret": "shh", "auth_code": code}
    async with rig.http.post(f"{rig.base}/open_api/v1.3/oauth2/access_token/", json=body) as token:
        data = (await token.json())["data"]
    assert (data["advertiser_ids"], data["scope"]) == ([], [])


async def test_a_blocked_person_passes_the_checkpoint_before_anything_else(rig: Rig) -> None:
    await rig.people.log_in("ana")
    await rig.people.block_profile("ana")
    assert "confirm that it is you" in await rig.page()
    assert (await rig.press(act="allow", profile="ana")).status == 200
    await rig.press(act="checkpoint")
    assert "lapsebot asks for access" in await rig.page()


async def test_the_issuer_is_sent_as_switched_in_every_kind_of_callback(rig: Rig) -> None:
    await rig.people.log_in("ana")
    for mode, expected in [("off", None), ("on", ["https://network.invalid"]), ("wrong", ["https://issuer.invalid"])]:
        await rig.people.set(issuer=mode)
        for allow in (True, False):
            callback = await rig.people.consent(rig.url, allow=allow)
            assert parse_qs(urlsplit(callback).query).get("iss") == expected


async def test_looking_at_the_page_changes_nothing(rig: Rig) -> None:
    await rig.people.log_in("ana")
    before = await rig.people.state()
    for _ in range(5):
        await rig.page()
    after = await rig.people.state()
    assert {**after, "now": 0} == {**before, "now": 0}
