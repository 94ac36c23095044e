"""What every stand-in shares: faults, counting, the control API, mounting."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest

from bot.playground.vendors.networks import (
    AdAccount,
    App,
    Business,
    NetworkConfig,
    NetworkPeople,
    PlayError,
    Profile,
    UnknownNetwork,
    create_network_vendor,
    network_slugs,
    serve_network,
)

CALLBACK = "https://bot.example/cb"


@dataclass
class Rig:
    base: str
    people: NetworkPeople
    http: aiohttp.ClientSession

    async def introspect(self, token: str, **options: object) -> aiohttp.ClientResponse:
        data = {"client_id": "app", "client_secret": "shh", "token": token}
        return await self.http.post(f"{self.base}/oauth/v2/introspectToken", data=data, **options)  # type: ignore[arg-type]  # options as aiohttp names them


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    config = NetworkConfig(
        network="linkedin",
        apps=[App(id="app", secret="shh", name="lapsebot", redirect_uris=(CALLBACK,))],
        profiles=[Profile(id="ana", name="Ana", email="ana@acme.example")],
        businesses=[Business(id="77", name="Acme")],
        accounts=[AdAccount(id="501", name="Acme EU", business_id="77", roles={"ana": "VIEWER"})],
    )
    async with serve_network(config) as base, aiohttp.ClientSession() as http:
        yield Rig(base, NetworkPeople(base, http), http)


async def test_a_bad_gateway_is_html_with_502_for_as_many_calls_as_asked(rig: Rig) -> None:
    await rig.people.break_("bad_gateway", endpoint="introspect", times=1, skip=1)
    answers = [await rig.introspect("x") for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 502, 200]
    assert answers[1].content_type == "text/html"


async def test_a_fault_at_one_endpoint_leaves_the_others_alone(rig: Rig) -> None:
    await rig.people.network_down("revoke")
    assert (await rig.introspect("x")).status == 200
    async with rig.http.post(f"{rig.base}/oauth/v2/revoke", data={}) as answer:
        assert answer.status == 503


async def test_rate_limits_and_cut_off_replies_are_for_clients_and_not_for_people(rig: Rig) -> None:
    url = f"{rig.base}/oauth/v2/authorization"
    for kind, status in [("throttled", 429), ("malformed", 200)]:
        broken = await rig.people.break_(kind)
        assert (await rig.introspect("x")).status == status
        async with rig.http.get(url) as answer:
            assert answer.status == 400
        await rig.people.repair(broken)


async def test_a_malformed_reply_says_json_and_is_not(rig: Rig) -> None:
    await rig.people.break_("malformed")
    answer = await rig.introspect("x")
    assert answer.content_type == "application/json"
    with pytest.raises(json.JSONDecodeError):
        await answer.json()


async def test_a_lost_reply_was_carried_out_and_an_unreachable_call_was_not(rig: Rig) -> None:
    issued = await rig.people.issue("ana", ["r_ads"])
    data = {"client_id": "app", "client_secret": "shh", "token": issued["access_token"]}
    for kind, live in [("unreachable", True), ("lost", False)]:
        broken = await rig.people.break_(kind, endpoint="revoke")
        with pytest.raises(aiohttp.ClientError):
            await rig.http.post(f"{rig.base}/oauth/v2/revoke", data=data)
        await rig.people.repair(broken)
        assert bool(await rig.people.grants(live=True)) is live


async def test_a_slow_reply_outlasts_the_patience_of_a_client_and_holds_up_nobody_else(rig: Rig) -> None:
    await rig.people.slow(3600, "introspect")
    with pytest.raises(asyncio.TimeoutError):
        await rig.introspect("x", timeout=aiohttp.ClientTimeout(total=0.05))
    assert (await rig.people.calls())["introspect"] == 1


async def test_a_huge_reply_goes_on_for_as_long_as_it_is_read(rig: Rig) -> None:
    await rig.people.break_("huge", size=1_000_000)
    answer = await rig.introspect("x")
    assert len(await answer.read()) > 1_000_000
    stopped = await rig.introspect("x")
    stopped.close()


async def test_calls_are_counted_by_endpoint_whatever_became_of_them(rig: Rig) -> None:
    await rig.introspect("x")
    await rig.people.break_("bad_gateway")
    await rig.introspect("x")
    assert await rig.people.calls() == {"introspect": 2}
    await rig.people.forget_calls()
    assert await rig.people.calls() == {}


async def test_standing_breaks_are_listed_and_repaired_newest_first(rig: Rig) -> None:
    await rig.people.disable_account("501", "DRAFT")
    await rig.people.disable_account("501", "REMOVED")
    state = await rig.people.state()
    assert [entry["kind"] for entry in state["breaks"]] == ["disable_account", "disable_account"]
    assert state["accounts"][0]["status"] == "REMOVED"
    await rig.people.repair_all()
    state = await rig.people.state()
    assert (state["breaks"], state["accounts"][0]["status"]) == ([], None)


async def test_every_kind_of_break_can_be_made_and_repaired_to_the_very_same_state(rig: Rig) -> None:
    issued = await rig.people.issue("ana", ["r_ads"])
    await rig.people.set(clock_offset=0.0)
    before = await rig.people.state()
    every = {"grant": issued["grant"], "profile": "ana", "account": "501", "business": "77", "permission": "r_ads"}
    kinds = (
        "revoke_grant expire_grant expire_data_access change_password block_profile untick_permission drop_account "
        "lower_role lower_business_role move_account delete_account disable_account wrong_secret false_revoked "
        "wrong_issuer"
    )
    for kind in kinds.split():
        await rig.people.break_(kind, **every)
    await rig.people.repair_all()
    after = await rig.people.state()
    assert {**after, "now": 0} == {**before, "now": 0}


async def test_what_is_unknown_is_refused_with_a_reason(rig: Rig) -> None:
    with pytest.raises(PlayError, match="unknown kind"):
        await rig.people.break_("sing")
    with pytest.raises(PlayError, match="no grant"):
        await rig.people.revoke_grant("g9")
    with pytest.raises(PlayError, match="no break"):
        await rig.people.repair("b9")
    with pytest.raises(PlayError, match="no setting"):
        await rig.people.set(mood="good")
    with pytest.raises(PlayError, match="no profile"):
        await rig.people.log_in("nobody")


async def test_an_apps_addresses_are_set_as_in_the_networks_app_settings(rig: Rig) -> None:
    here = "http://127.0.0.1:9/cb"
    query = f"response_type=code&client_id=app&scope=r_ads&redirect_uri={here}"
    await rig.people.register("app", redirect_uris=[here])
    callback = await rig.people.consent(f"{rig.base}/oauth/v2/authorization?{query}", profile="ana")
    assert callback.startswith(f"{here}?code=")
    with pytest.raises(PlayError, match="no such app"):
        await rig.people.register("other", redirect_uris=[here])


async def test_no_secret_and_no_token_is_shown_by_the_state(rig: Rig) -> None:
    issued = await rig.people.issue("ana", ["r_ads"])
    async with rig.http.get(f"{rig.base}/_play/state") as answer:
        text = await answer.text()
    assert issued["access_token"] not in text
    assert "shh" not in text


def test_the_networks_are_the_files_that_are_there() -> None:
    assert {"linkedin", "meta", "tiktok"} <= set(network_slugs())
    with pytest.raises(UnknownNetwork):
        create_network_vendor(NetworkConfig(network="myspace", apps=[]))
