"""What the host product reports of connections that it holds itself (D-7), and filled gaps (X-9)."""

import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from aiohttp import ClientResponse

from commands.auditing import Actor
from commands.hosting import add_source, revoke_source, rotate_source
from commands.ids import ConnectionId, from_wire, to_wire
from commands.model import ConnectionState
from commands.ports.events import EventKind
from commands.secret import Secret
from commands.standard_webhooks import sign
from tests.web.api_rig import HOSTED, Host, opened_host


@pytest.fixture
async def host(database_url: str) -> AsyncIterator[Host]:
    async with opened_host(database_url) as opened:
        yield opened


def lapsed(event: str, at: datetime, **more: str) -> dict[str, str]:
    about = {"network": HOSTED, "account_id": "h-1"}
    return {
        "event_id": event,
        "type": "lapsed",
        "at": at.isoformat(),
        "reason": "Their API key was deleted",
        **about,
        **more,
    }


def restored(event: str, at: datetime, **more: str) -> dict[str, str]:
    return {**lapsed(event, at), "type": "restored", "reason": "", **more}


async def outcomes(host: Host, *reports: dict[str, str]) -> list[str]:
    results = (await host.post("/reports", {"reports": list(reports)}))["results"]
    return [one["outcome"] if one["outcome"] != "refused" else one["reason"] for one in results]


async def state(host: Host, connection_id: str) -> ConnectionState:
    return (await host.rig.connection(ConnectionId(from_wire(connection_id)))).state


@pytest.mark.behaviour("D-7")
async def test_a_reported_lapse_opens_with_the_hosts_words_and_a_restoration_ends_it(host: Host) -> None:
    connection_id = await host.held()
    now = host.rig.clock.now()
    assert await outcomes(host, lapsed("e1", now - timedelta(hours=2))) == ["opened"]
    read = (await host.get(f"/connections/{connection_id}"))["lapse"]
    assert read["cause"] == "reported"
    assert "Their API key was deleted" in read["what_happened"]
    assert read["opened_at"] == (now - timedelta(hours=2)).isoformat().replace("+00:00", "Z")
    assert await outcomes(host, restored("e2", now, restored_by_email="ANA@acme.example")) == ["ended"]
    assert await state(host, connection_id) is ConnectionState.ACTIVE
    (lapse,) = (await host.get(f"/connections/{connection_id}/lapses"))["lapses"]
    assert (lapse["ended_how"], lapse["reconnected_by"]["name"]) == ("reconnected", "Ana Ruiz")
    assert {event.kind for event in await host.rig.events()} == {EventKind.LAPSE_OPENED, EventKind.LAPSE_ENDED}
    assert {"host.lapsed", "host.restored"} <= set(await host.rig.audited())


@pytest.mark.behaviour("D-7")
async def test_the_same_report_sent_again_changes_nothing_and_is_answered_the_same(host: Host) -> None:
    await host.held()
    report = lapsed("e1", host.rig.clock.now())
    first = (await host.post("/reports", {"reports": [report]}))["results"][0]
    again = (await host.post("/reports", {"reports": [report]}))["results"][0]
    assert (first["outcome"], first["repeated"]) == ("opened", False)
    assert (again["outcome"], again["repeated"]) == ("opened", True)
    assert len(await host.rig.events()) == 1


@pytest.mark.behaviour("D-7")
async def test_in_whatever_order_reports_arrive_the_latest_in_time_holds(host: Host) -> None:
    start = host.rig.clock.now() - timedelta(hours=9)
    for number, order in enumerate(permutations(range(3))):
        account = {"account_id": f"h-{number}"}
        connection_id = await host.held(account["account_id"])
        reports = [
            lapsed(f"{number}a", start, **account),
            restored(f"{number}b", start + timedelta(hours=1), **account),
            lapsed(f"{number}c", start + timedelta(hours=2), **account),
        ]
        for place in order:
            await outcomes(host, reports[place])
        assert await state(host, connection_id) is ConnectionState.LAPSED, order
        late = restored(f"{number}d", start + timedelta(hours=1, minutes=30), **account)
        assert await outcomes(host, late) == ["outdated"]


@pytest.mark.behaviour("D-7")
async def test_a_report_that_cannot_be_taken_is_refused_in_words_and_can_be_sent_again(host: Host) -> None:
    now = host.rig.clock.now()
    await host.rig.add_connection("a-1", state=ConnectionState.ACTIVE)
    said = await outcomes(
        host,
        lapsed("e1", now),
        lapsed("e2", now + timedelta(hours=1)),
        lapsed("e3", now - timedelta(days=400)),
        lapsed("e4", now, cause="tired"),
        lapsed("e5", now, network=host.rig.network.spec.slug, account_id="a-1"),
        lapsed("e6", now, network="", account_id=""),
        {**lapsed("e7", now), "at": "2026-11-23T09:00:00"},
        {**lapsed("e8", now), "type": "tired"},
        {**lapsed("e9", now), "at": "0001-01-01T00:00:00+14:00"},
        {**lapsed("e10", now), "at": "9999-12-31T23:59:59-14:00"},
        lapsed("e11\0", now),
    )
    for words, sentence in zip(
        [
            "no such connection",
            "future",
            "year ago",
            "cause must be",
            "watches",
            "which connection",
            "offset",
            "type",
            "no time",
            "no time",
            "control",
        ],
        said,
        strict=True,
    ):
        assert words in sentence
    await host.held()
    assert await outcomes(host, lapsed("e1", now)) == ["opened"]


@pytest.mark.behaviour("D-7")
async def test_a_new_reason_of_an_open_lapse_changes_it(host: Host) -> None:
    await host.held()
    now = host.rig.clock.now()
    await outcomes(host, lapsed("e1", now - timedelta(hours=1)))
    said = await outcomes(host, lapsed("e2", now), lapsed("e3", now, reason="Suspended", cause="account_disabled"))
    assert said == ["unchanged", "changed"]
    assert {event.kind for event in await host.rig.events()} == {EventKind.LAPSE_OPENED, EventKind.LAPSE_CHANGED}


@pytest.mark.behaviour("X-9")
async def test_a_gap_is_filled_once_it_has_ended_and_told_with_its_lapse(host: Host) -> None:
    connection_id = await host.rig.add_connection("a-1")
    now = host.rig.clock.now()
    filled = {"event_id": "g1", "type": "gap_filled", "at": now.isoformat(), "connection_id": to_wire(connection_id)}
    assert "no such lapse" in (await outcomes(host, filled))[0]
    path = f"/connections/{to_wire(connection_id)}/lapses"
    lapse_id = (await host.get(path))["lapses"][0]["id"]
    assert "still open" in (await outcomes(host, {**filled, "lapse_id": lapse_id}))[0]
    held = await host.held()
    await outcomes(host, lapsed("e1", now - timedelta(hours=2)), restored("e2", now - timedelta(hours=1)))
    assert await outcomes(host, {**filled, "connection_id": held}) == ["filled"]
    assert await outcomes(host, {**filled, "event_id": "g2", "connection_id": held}) == ["unchanged"]
    (lapse,) = (await host.get(f"/connections/{held}/lapses"))["lapses"]
    assert lapse["gap"]["filled_at"] == now.isoformat().replace("+00:00", "Z")


class Source:
    """A place that signs its reports."""

    def __init__(self, host: Host, path: str, secret: Secret) -> None:
        self.host, self.path, self.secret = host, path, secret

    async def post(self, message_id: str, body: bytes, *, late: timedelta = timedelta(0)) -> tuple[int, Any]:
        headers = sign([self.secret], id=message_id, at=self.host.rig.clock.now() + late, body=body)
        response: ClientResponse
        async with self.host.session.post(self.host.rig.base + self.path, data=body, headers=headers) as response:
            return response.status, await response.json()


def signed_body(kind: str = "lapsed", **data: str) -> bytes:
    about = {"network": HOSTED, "account_id": "h-1", "reason": "Their key was deleted"}
    return json.dumps({"type": kind, "data": {**about, **data}}).encode()


@pytest.mark.behaviour("D-7")
async def test_the_same_is_reported_by_signed_webhook_each_message_once(host: Host) -> None:
    await host.held()
    now = host.rig.clock.now()
    caller = Actor(organization_id=host.rig.organization_id, origin="test")
    async with host.rig.storage.transaction() as uow:
        made, secret = await add_source(uow, caller, "our tool", now)
    source = Source(host, f"/api/v1/inbound/{to_wire(made.id)}", secret)
    assert await source.post("msg_1", signed_body()) == (200, {"outcome": "opened", "repeated": False})
    assert await source.post("msg_1", signed_body()) == (200, {"outcome": "opened", "repeated": True})
    status, answer = await source.post("msg_2", signed_body(), late=timedelta(minutes=-6))
    assert (status, "minutes" in answer["error"]) == (401, True)
    assert (await Source(host, source.path, Secret("whsec_" + "A" * 44)).post("msg_3", signed_body()))[0] == 401
    assert (await source.post("msg_4", b"{"))[0] == 422
    assert (await source.post("msg_5", b"[" * 100_000))[0] == 400
    no_time = json.dumps({**json.loads(signed_body()), "timestamp": "0001-01-01T00:00:00+14:00"}).encode()
    assert (await source.post("msg_5", no_time))[0] == 422
    status, answer = await source.post("msg_6", signed_body(colour="red"))
    assert (status, "colour is not a field" in answer["error"]) == (422, True)
    async with host.rig.storage.transaction() as uow:
        newer = await rotate_source(uow, caller, made.id, now)
    assert newer is not None
    assert (await source.post("msg_7", signed_body("restored")))[0] == 200, "for a day the old one counts"
    host.rig.clock.advance(timedelta(days=1))
    assert (await source.post("msg_8", signed_body()))[0] == 401
    fresh = Source(host, source.path, newer)
    assert (await fresh.post("msg_9", signed_body()))[0] == 200
    async with host.rig.storage.transaction() as uow:
        assert await revoke_source(uow, caller, made.id, now)
    assert (await fresh.post("msg_10", signed_body()))[0] == 404
