"""The API of the host product: keys, what comes in, what is read, and nothing of anybody else's."""

import logging
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest

from bot.web.api.operations import OPERATIONS
from commands.auditing import Actor
from commands.hosting import revoke_key
from commands.ids import OrganizationId, new_id, to_wire
from commands.model import ConnectionState, Organization, Scope
from tests.web.api_rig import HOSTED, Host, opened_host


@pytest.fixture
async def host(sqlite_database_url: str) -> AsyncIterator[Host]:
    async with opened_host(sqlite_database_url) as opened:
        yield opened


def item(**changes: str) -> dict[str, str]:
    return {"network": HOSTED, "account_id": "h-1", "account_name": "Our Shop", "client": "Acme", **changes}


@pytest.mark.behaviour("A-3")
async def test_a_key_opens_its_organization_and_is_seen_to_be_used(host: Host) -> None:
    assert (await host.get("/organization"))["name"] == "Acme Group"
    async with host.rig.storage.reading() as uow:
        (key,) = await uow.api_keys.all(host.rig.organization_id)
    assert key.last_used_at == host.rig.clock.now()


async def test_every_key_that_opens_nothing_gets_the_same_answer(host: Host) -> None:
    revoked, revoked_text = await host.new_key()
    _, expiring = await host.new_key(life=timedelta(days=1))
    caller = Actor(organization_id=host.rig.organization_id, origin="test")
    async with host.rig.storage.transaction() as uow:
        assert await revoke_key(uow, caller, revoked.id, host.rig.clock.now())
    assert (await host.call("GET", "/organization", key=expiring)).status == 200, "two work at a time"
    host.rig.clock.advance(timedelta(days=1))
    wrong = host.key[:-1] + ("a" if host.key[-1] != "a" else "b")
    unknown = f"lapsebot_{to_wire(new_id(host.rig.clock.now()))}_{'a' * 44}"
    for key in (revoked_text, expiring, wrong, unknown, "", "nonsense", "lapsebot__"):
        answer = await host.call("GET", "/organization", key=key)
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert "lapsebot api-key create" in answer.json["error"]
    assert (await host.call("GET", "/organization")).status == 200


@pytest.mark.behaviour("A-3")
async def test_connections_come_in_by_the_rules_of_the_csv_and_a_bad_one_loses_nothing_of_the_others(
    host: Host,
) -> None:
    await host.rig.add_connection("a-1")
    sent = [
        item(),
        item(network="otool"),
        item(account_id=""),
        item(account_id="h-2", owner_email="new.owner@acme.example", client="Brio"),
        item(),
        item(account_id="a-1", network=host.rig.network.spec.slug),
        {**item(account_id="h-3"), "colour": "red"},
        "nonsense",
        {"network": HOSTED},
    ]
    results = (await host.post("/connections", {"connections": sent}))["results"]
    assert [one["outcome"] for one in results] == [
        "added",
        "refused",
        "refused",
        "added",
        "refused",
        "known",
        *["refused"] * 3,
    ]
    reasons = {one["index"]: one["reason"] for one in results if one["outcome"] == "refused"}
    assert "did you mean" in reasons[1]
    assert "account_id" in reasons[2]
    assert reasons[4] == "repeats the account of item 0"
    assert reasons[6].startswith("colour is not a field here; there are: network, account_id")
    assert "account_id is missing" in reasons[8]
    listed = await host.get(f"/connections?network={HOSTED}")
    assert listed["total"] == 2
    assert {one["state"] for one in listed["connections"]} == {"active"}, "what the host holds works until it reports"
    owners = {one["account_id"]: one["owner"] for one in listed["connections"]}
    assert owners["h-2"]["name"] == "New Owner"
    again = (await host.post("/connections", {"connections": [item()]}))["results"]
    assert again[0] == {"index": 0, "outcome": "known", "id": results[0]["id"]}
    assert "imported connections" in await host.rig.audited()


@pytest.mark.behaviour("A-3")
async def test_a_known_connection_gets_another_name_and_client_where_that_is_asked_for(host: Host) -> None:
    connection_id = await host.held()
    renamed = item(account_name="Our New Shop", client="Brio")
    (left,) = (await host.post("/connections", {"connections": [renamed]}))["results"]
    (changed,) = (await host.post("/connections", {"connections": [renamed], "update": True}))["results"]
    (again,) = (await host.post("/connections", {"connections": [renamed], "update": True}))["results"]
    assert [one["outcome"] for one in (left, changed, again)] == ["known", "changed", "known"]
    read = await host.get(f"/connections/{connection_id}")
    assert (read["account_name"], read["client"]["name"], read["state"]) == ("Our New Shop", "Brio", "active")
    async with host.rig.storage.reading() as uow:
        counts = await uow.connections.counts(host.rig.organization_id, Scope())
    assert [(one.client_name, one.active, one.in_use) for one in counts] == [("Brio", 1, 1)]


async def test_people_and_clients_come_in_as_well(host: Host) -> None:
    clients = {"clients": [{"name": "Acme"}, {"name": "Cato"}, {"title": "x"}]}
    assert [one["outcome"] for one in (await host.post("/clients", clients))["results"]] == [
        "known",
        "added",
        "refused",
    ]
    people = [
        {"email": "zoe@acme.example", "role": "staff", "clients": ["Cato"], "name": "Zoe Zu"},
        {"email": "mei@acme.example", "role": "administrator"},
        {"email": "raj@acme.example", "role": "staff"},
        {"email": "not an address", "role": "staff"},
        {"email": "ZOE@acme.example", "role": "owner"},
    ]
    results = (await host.post("/people", {"people": people}))["results"]
    assert [one["outcome"] for one in results] == ["added", "changed", "refused", "refused", "refused"]
    listed = {one["email"]: one for one in (await host.get("/people"))["people"]}
    assert (listed["zoe@acme.example"]["clients"], listed["mei@acme.example"]["role"]) == (["Cato"], "administrator")
    assert [one["name"] for one in (await host.get("/clients"))["clients"]] == ["Acme", "Cato"]


async def test_a_connection_is_read_with_its_state_and_lapse(host: Host) -> None:
    connection_id = await host.rig.add_connection("a-1")
    read = await host.get(f"/connections/{to_wire(connection_id)}")
    assert (read["state"], read["lapse"]["cause"]) == ("lapsed", "credential_changed")
    assert read["lapse"]["gap"]["ends_at"] is None
    assert read["webhook_url"] is None
    assert (await host.get("/connections?state=lapsed&search=a-1"))["total"] == 1
    assert (await host.get("/connections?state=active"))["total"] == 0


@pytest.mark.behaviour("A-7")
async def test_a_connection_is_given_its_own_webhook_address_by_api_and_by_row(host: Host) -> None:
    connection_id = await host.held(webhook_url="https://hooks.example.com/own")
    path = f"/connections/{connection_id}"
    assert (await host.get(path))["webhook_url"] == "https://hooks.example.com/own"
    (known,) = (await host.post("/connections", {"connections": [item(webhook_url="https://hooks.example.com/2")]}))[
        "results"
    ]
    assert known["outcome"] == "known"
    assert (await host.get(path))["webhook_url"] == "https://hooks.example.com/2"
    moved = await host.call("PUT", f"{path}/webhook", {"url": "https://hooks.example.com/3"})
    assert "secret" not in moved.json, "the secret stays"
    assert (await host.call("DELETE", f"{path}/webhook")).json == {"removed": True}
    assert (await host.get(path))["webhook_url"] is None
    again = await host.call("PUT", f"{path}/webhook", {"url": "https://hooks.example.com/3"})
    assert again.json["secret"].startswith("whsec_")
    private = await host.post(
        "/connections", {"connections": [item(account_id="h-9", webhook_url="https://10.0.0.1/")]}
    )
    assert "private network" in private["results"][0]["reason"]


async def test_endpoints_are_made_rotated_and_removed(host: Host) -> None:
    made = await host.post("/webhook-endpoints", {"url": "https://hooks.example.com/all"})
    assert (await host.call("POST", "/webhook-endpoints", {"url": "https://hooks.example.com/all"})).status == 409
    assert (await host.call("POST", "/webhook-endpoints", {"url": "http://hooks.example.com/"})).status == 422
    assert "secret" not in (await host.get("/webhook-endpoints"))["endpoints"][0]
    rotated = (await host.call("POST", f"/webhook-endpoints/{made['id']}/rotate")).json
    assert rotated["secret"] != made["secret"]
    assert (await host.call("POST", f"/webhook-endpoints/{made['id']}/enable")).status == 409
    assert (await host.get("/webhook-messages?state=dead"))["messages"] == []
    assert (await host.post("/webhook-messages/replay", {})) == {"replayed": 0}
    assert (await host.call("DELETE", f"/webhook-endpoints/{made['id']}")).status == 200
    assert (await host.call("DELETE", f"/webhook-endpoints/{made['id']}")).status == 404
    actions = await host.rig.audited()
    assert {"webhook.added", "webhook.rotated", "webhook.removed"} <= set(actions)


@pytest.mark.behaviour("A-1")
async def test_nothing_of_another_organization_is_read_or_changed(host: Host) -> None:
    connection_id = await host.held()
    endpoint = await host.post("/webhook-endpoints", {"url": "https://hooks.example.com/all"})
    now = host.rig.clock.now()
    other = OrganizationId(new_id(now))
    async with host.rig.storage.transaction() as uow:
        await uow.organizations.add(Organization(id=other, name="Brio Group"))
    _, host.key = await host.new_key(other)
    assert (await host.get("/connections"))["total"] == 0
    assert (await host.get("/webhook-endpoints"))["endpoints"] == []
    assert (await host.get("/people"))["people"] == []
    for method, path, body in [
        ("GET", f"/connections/{connection_id}", None),
        ("GET", f"/connections/{connection_id}/lapses", None),
        ("PUT", f"/connections/{connection_id}/webhook", {"url": "https://hooks.example.com/theirs"}),
        ("DELETE", f"/webhook-endpoints/{endpoint['id']}", None),
        ("POST", f"/webhook-endpoints/{endpoint['id']}/rotate", None),
    ]:
        assert (await host.call(method, path, body)).status == 404, path
    report = {"event_id": "1", "type": "lapsed", "at": now.isoformat(), "connection_id": connection_id}
    assert (await host.post("/reports", {"reports": [report]}))["results"][0]["outcome"] == "refused"
    mine = await host.rig.connection_of("h-1")
    assert mine is None or mine.state is ConnectionState.ACTIVE


@pytest.mark.parametrize(
    ("method", "path", "body", "answer"),
    [
        ("GET", "/nothing", None, (404, "openapi.json")),
        ("DELETE", "/connections", None, (405, "Allow")),
        ("GET", "/connections?colour=red", None, (422, "colour is not a field here")),
        ("GET", "/connections?limit=0", None, (422, "limit")),
        ("GET", "/clients?limit=1", None, (400, "leave out limit")),
        ("GET", "/connections/nonsense", None, (404, "id")),
        ("POST", "/connections", {"connections": []}, (422, "connections")),
        ("POST", "/connections", {"items": []}, (422, "connections is missing")),
        ("POST", "/connections", [], (422, "not as it should be")),
        ("POST", "/connections", {"connections": [{}] * 501}, (422, "500")),
        ("POST", "/webhook-messages/replay", {"message_id": "x"}, (400, "22 letters")),
    ],
)
async def test_a_wrong_call_is_answered_with_a_sentence_that_says_what_to_do(
    host: Host, method: str, path: str, body: object, answer: tuple[int, str]
) -> None:
    given = await host.call(method, path, body)
    assert given.status == answer[0], given.json
    assert answer[1] in given.json["error"]


async def test_bodies_that_are_no_json_or_too_large_are_refused(host: Host) -> None:
    for content_type, data, status in [
        ("application/json", b"{", 400),
        ("application/json", b"\xff", 400),
        ("application/json", b"[" * 100_000, 400),
        ("text/plain", b"{}", 415),
        ("application/json", BytesIO(b" " * (1024 * 1024 + 1)), 413),
    ]:
        answer = await host.call("POST", "/connections", data=data, headers={"Content-Type": content_type})
        assert answer.status == status, answer.json
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br"])
async def test_a_compressed_body_is_refused_in_words_and_fills_no_log(
    host: Host, coding: str, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": coding}
    answer = await host.call("POST", "/connections", data=b"garbage", headers=headers)
    assert (answer.status, "Content-Encoding" in answer.json["error"]) == (415, True)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_every_answer_of_the_api_carries_the_pages_headers(host: Host) -> None:
    for path, key in (("/organization", None), ("/organization", ""), ("/openapi.json", None), ("/nope", None)):
        answer = await host.call("GET", path, key=key)
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"


async def test_a_key_that_calls_too_often_is_asked_to_wait(host: Host) -> None:
    statuses = [(await host.call("GET", "/organization")).status for _ in range(101)]
    assert statuses == [200] * 100 + [429]
    answer = await host.call("GET", "/organization")
    host.rig.clock.advance(timedelta(seconds=int(answer.headers["Retry-After"])))
    assert (await host.call("GET", "/organization")).status == 200


async def test_the_openapi_document_names_every_operation_and_every_reference_in_it_leads_somewhere(
    host: Host,
) -> None:
    document = (await host.call("GET", "/openapi.json", key="")).json
    named = {(path, method.upper()) for path, methods in document["paths"].items() for method in methods}
    assert named == {(one.path, one.method) for one in OPERATIONS} | {("/inbound/{id}", "POST")}
    schemas = document["components"]["schemas"]

    def references(part: object) -> list[str]:
        if isinstance(part, dict):
            own = [part["$ref"]] if "$ref" in part else []
            return own + [one for value in part.values() for one in references(value)]
        return [one for value in part for one in references(value)] if isinstance(part, list) else []

    for reference in references(document):
        assert reference.removeprefix("#/components/schemas/") in schemas, reference


def test_the_page_for_the_host_products_makers_lists_every_operation_as_it_is() -> None:
    page = (Path(__file__).parents[2] / "docs/host-product.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| `(GET|POST|PUT|DELETE)` \| `(\S+)` \| (.+) \|$", page, re.MULTILINE))
    inbound = ("POST", "/inbound/{id}", "Report by signed webhook (Standard Webhooks); no key")
    assert rows == {(one.method, one.path, one.summary) for one in OPERATIONS} | {inbound}
