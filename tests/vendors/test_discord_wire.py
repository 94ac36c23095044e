"""The stand-in for Discord on the wire: limits, tokens that age, the gateway's close codes, OAuth2, changes."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp
import pytest

from bot.playground.vendors.discord import DiscordConfig, DiscordPeople, DiscordVendor, LimitConfig
from tests.vendors.discord_support import ANA, APP, CONFIG, GENERAL, GUILD, RAJ, REDIRECT, SECRET_KEY, TOKEN, serving

BOT = {"Authorization": f"Bot {TOKEN}", "User-Agent": "DiscordBot (https://x.test, 1)"}
POST = f"/channels/{GENERAL}/messages"


@dataclass(slots=True)
class Wire:
    vendor: DiscordVendor
    people: DiscordPeople
    http: aiohttp.ClientSession

    async def call(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[aiohttp.ClientResponse, Any]:
        headers = more.pop("headers", BOT)
        async with self.http.request(
            method, self.vendor.api_url + path, json=body, headers=headers, **more
        ) as response:
            text = await response.text()
            return response, json.loads(text) if response.content_type == "application/json" else text

    async def register(self) -> None:
        await self.call("PUT", f"/applications/{APP}/commands", [{"name": "x", "description": "x"}])

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.Task[dict[str, Any]]]:
        """Ana runs /x, while the test plays the bot."""
        task = asyncio.create_task(self.people.run(ANA, "x", GENERAL))
        yield task
        await task

    @asynccontextmanager
    async def gateway(self) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """An identified connection without compression."""
        async with self.http.ws_connect(self.vendor.gateway_url + "?v=10&encoding=json") as socket:
            await socket.receive_json()
            await socket.send_json({"op": 2, "d": {"token": TOKEN, "intents": 1, "properties": {}}})
            await _event(socket, "GUILD_CREATE")
            yield socket


async def _event(socket: aiohttp.ClientWebSocketResponse, name: str) -> dict[str, Any]:
    while True:
        frame = await socket.receive_json(timeout=5)
        if frame["t"] == name:
            data: dict[str, Any] = frame["d"]
            return data


@pytest.fixture
def config() -> DiscordConfig:
    return CONFIG


@pytest.fixture
async def wire(config: DiscordConfig) -> AsyncIterator[Wire]:
    async with (
        serving(config) as vendor,
        DiscordPeople.at(vendor.base_url) as people,
        aiohttp.ClientSession() as http,
    ):
        yield Wire(vendor, people, http)


class TestLimits:
    @pytest.fixture
    def config(self) -> DiscordConfig:
        # a clock that stands still: only `advance_clock` moves it
        return replace(CONFIG, now=lambda: 1_800_000_000.0, limits=LimitConfig(global_per_second=8, ban_after=12))

    async def test_the_sixth_message_in_five_seconds_is_refused_with_via(self, wire: Wire) -> None:
        """Five a channel in five seconds; the 429 tells how long, came through Discord, and ends with its window."""
        for left in (4, 3, 2, 1, 0):
            response, _ = await wire.call("POST", POST, {"content": "x"})
            assert response.headers["X-RateLimit-Remaining"] == str(left)
        response, body = await wire.call("POST", POST, {"content": "x"})
        assert response.status == 429
        assert response.headers["Via"]
        assert response.headers["X-RateLimit-Scope"] == "user"
        assert 0 < body["retry_after"] <= 5
        await wire.people.advance_clock(5.1)
        response, _ = await wire.call("POST", POST, {"content": "x"})
        assert response.status == 200
        assert response.headers["Content-Type"] == "application/json"

    async def test_too_many_of_any_kind_meet_the_global_limit(self, wire: Wire) -> None:
        """The bot's own limit per second holds over all routes."""
        seen = [await wire.call("GET", path) for path in ("/users/@me", f"/guilds/{GUILD}", f"/channels/{GENERAL}") * 3]
        assert [response.status for response, _ in seen] == [200] * 8 + [429]
        assert seen[-1][1]["global"] is True

    async def test_going_on_after_refusals_is_banned_without_via(self, wire: Wire) -> None:
        """Refused requests add up to Cloudflare's ban, which even a good token meets, until it ends."""
        for _ in range(12):
            await wire.call("GET", "/gateway/bot", headers={"Authorization": "Bot wrong"})
            await wire.people.advance_clock(1)
        response, body = await wire.call("GET", "/users/@me")
        assert (response.status, body) == (429, "error code: 1015")
        assert "Via" not in response.headers
        await wire.people.advance_clock(600)
        assert (await wire.call("GET", "/users/@me"))[0].status == 200


async def test_an_answer_after_three_seconds_or_a_second_one_is_refused(wire: Wire) -> None:
    """10062 for the late, 40060 for the second, and the person sees the command fail."""
    async with wire.gateway() as socket:
        await wire.register()
        async with wire.running() as ran:
            event = await _event(socket, "INTERACTION_CREATE")
            path = f"/interactions/{event['id']}/{event['token']}/callback"
            answer = {"type": 4, "data": {"content": "hello", "flags": 64}}
            wrong, body = await wire.call("POST", f"/interactions/{event['id']}/guess/callback", answer)
            assert (wrong.status, body["code"]) == (404, 10062)
            assert (await wire.call("POST", path, answer))[0].status == 204
            assert (await ran)["message"]["content"] == "hello"
        second, body = await wire.call("POST", path, answer)
        assert (second.status, body["code"]) == (400, 40060)

        async with wire.running() as ran:
            event = await _event(socket, "INTERACTION_CREATE")
            await wire.people.advance_clock(3.1)
            late, body = await wire.call("POST", f"/interactions/{event['id']}/{event['token']}/callback", answer)
            assert (late.status, body["code"]) == (404, 10062)
            assert (await ran)["status"] == "failed"


async def test_a_token_serves_follow_ups_for_fifteen_minutes(wire: Wire) -> None:
    """Follow-ups and edits work without the bot's token, and end with 50027."""
    async with wire.gateway() as socket:
        await wire.register()
        async with wire.running():
            event = await _event(socket, "INTERACTION_CREATE")
            callback = f"/interactions/{event['id']}/{event['token']}/callback?with_response=true"
            _, told = await wire.call("POST", callback, {"type": 5, "data": {"flags": 64}})
            assert told["interaction"]["response_message_ephemeral"] is True
    hook = f"/webhooks/{APP}/{event['token']}"
    _, edited = await wire.call("PATCH", hook + "/messages/@original", {"content": f"<@{RAJ}> @everyone"}, headers={})
    assert edited["flags"] == 64
    _, more = await wire.call("POST", hook, {"content": "more"}, headers={})
    assert [entry["pings"]["everyone"] for entry in await wire.people.log()] == [False, False]
    missing, body = await wire.call("GET", f"{POST}/{more['id']}x")
    assert (missing.status, body["code"]) == (400, 50035)
    assert (await wire.call("DELETE", f"{hook}/messages/{more['id']}", headers={}))[0].status == 204
    await wire.people.advance_clock(901)
    response, body = await wire.call("POST", hook, {"content": "late"}, headers={})
    assert (response.status, body["code"]) == (401, 50027)


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("{", 4002),
        ('{"op": 99}', 4003),
        (json.dumps({"op": 2, "d": {"token": TOKEN, "properties": {}}}), 4013),
        (json.dumps({"op": 2, "d": {"token": TOKEN, "intents": 1 << 15, "properties": {}}}), 4014),
        (json.dumps({"op": 2, "d": {"token": TOKEN, "intents": 1, "shard": [2, 1]}}), 4010),
        (json.dumps({"op": 2, "d": {"token": TOKEN, "intents": 1, "x": "x" * 4096}}), 4002),
    ],
)
async def test_the_gateway_closes_on_what_discord_closes_on(wire: Wire, frame: str, code: int) -> None:
    """Each fault has its close code."""
    async with wire.http.ws_connect(wire.vendor.gateway_url + "?v=10&encoding=json") as socket:
        await socket.receive_json()
        await socket.send_str(frame)
        assert (await socket.receive(timeout=5)).type is aiohttp.WSMsgType.CLOSE
        assert socket.close_code == code


async def test_an_invalidated_session_cannot_be_resumed(wire: Wire) -> None:
    """Opcode 9 false answers a resume of a session that is gone; close codes come on command."""
    async with wire.gateway() as socket:
        await wire.people.gateway("close", code=4009)
        assert (await socket.receive(timeout=5)).type is aiohttp.WSMsgType.CLOSE
        assert socket.close_code == 4009
    async with wire.http.ws_connect(wire.vendor.gateway_url + "?v=10&encoding=json") as socket:
        await socket.receive_json()
        await socket.send_json({"op": 6, "d": {"token": TOKEN, "session_id": "gone", "seq": 1}})
        assert await socket.receive_json(timeout=5) == {"op": 9, "d": False}


CHOICES = [{"name": f"{number:0100}", "value": "v" * 100} for number in range(10)]


def option(name: str, **more: object) -> dict[str, object]:
    return {"type": 3, "name": name, "description": "x", **more}


@pytest.mark.parametrize(
    "command",
    [
        {"name": "Lapsed", "description": "x"},
        {"name": "two words", "description": "x"},
        {"name": "x", "description": ""},
        {"name": "x", "description": "x" * 101},
        {"name": "x", "description": "x", "options": [option(f"o{n}") for n in range(26)]},
        {"name": "x", "description": "x", "options": [option(f"o{n}", choices=CHOICES) for n in range(5)]},
        {"name": "x", "description": "x", "options": [option("a"), option("b", required=True)]},
    ],
    ids=["upper case", "space", "no description", "description", "26 options", "8,000 characters", "required last"],
)
async def test_commands_outside_the_rules_are_not_registered(wire: Wire, command: dict[str, Any]) -> None:
    """A bulk overwrite with one wrong command changes nothing."""
    good = [{"name": "good", "description": "x"}]
    await wire.call("PUT", f"/applications/{APP}/commands", good)
    response, body = await wire.call("PUT", f"/applications/{APP}/commands", [command])
    assert (response.status, body["code"]) == (400, 50035)
    assert [one["name"] for one in (await wire.call("GET", f"/applications/{APP}/commands"))[1]] == ["good"]


@pytest.mark.parametrize(
    "body",
    [
        {"flags": 1 << 15, "content": "x", "components": [{"type": 10, "content": "x"}]},
        {"flags": 1 << 15, "components": [{"type": 10, "content": "x"}] * 41},
        {"flags": 1 << 15, "components": [{"type": 10, "content": "x" * 2001}] * 2},
        {"flags": 1 << 15, "components": [{"type": 99}]},
        {"components": [{"type": 10, "content": "x"}]},
        {"content": "x", "components": [{"type": 1, "components": []}]},
        {"content": "x", "nonce": "n" * 26},
        {"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}},
    ],
    ids=[
        "V2 and content",
        "41 components",
        "4,002 of text",
        "unknown",
        "V2 unflagged",
        "empty row",
        "nonce",
        "mentions",
    ],
)
async def test_message_bodies_outside_the_rules_are_refused(wire: Wire, body: dict[str, Any]) -> None:
    """Each is 50035, and nothing appears in the channel."""
    response, told = await wire.call("POST", POST, body)
    assert (response.status, told["code"]) == (400, 50035)
    assert await wire.people.history(ANA, GENERAL) == []


async def _consent(
    wire: Wire, decision: str = "authorize", **changed: str
) -> tuple[aiohttp.ClientResponse, dict[str, str]]:
    """Open the consent page as whoever is signed in, press a button, and give the redirect's query."""
    query = {"client_id": str(APP), "response_type": "code", "redirect_uri": REDIRECT, "state": "s&1", **changed}
    query.setdefault("scope", "identify email")
    url = f"{wire.vendor.authorize_url}?{urlencode(query)}"
    async with wire.http.get(url) as page:
        user = re.search(r'name="user" value="(\d+)"', await page.text())
    form = {"user": user[1] if user else "", "decision": decision, "guild_id": str(GUILD)}
    async with wire.http.post(url, data=form, allow_redirects=False) as response:
        back = parse_qs(urlsplit(response.headers.get("Location", "")).query)
        return response, {name: value[0] for name, value in back.items()}


async def test_signing_in_gives_the_person_and_a_code_that_works_once(wire: Wire) -> None:
    """State comes back, the code is single-use and PKCE-bound, the email arrives with `verified`."""
    await wire.people.sign_in(ANA)
    verifier = "v" * 50
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    _, back = await _consent(wire, code_challenge=challenge, code_challenge_method="S256")
    assert (back["x"], back["state"]) == ("1", "s&1")
    form = {
        "grant_type": "authorization_code",
        "code": back["code"],
        "redirect_uri": REDIRECT,
        "code_verifier": verifier,
    }
    basic = {"Authorization": aiohttp.encode_basic_auth(str(APP), SECRET_KEY)}
    url = wire.vendor.api_url + "/oauth2/token"
    async with wire.http.post(url, data=form, headers=basic) as response:
        token = await response.json()
    assert token["expires_in"] == 604_800
    async with wire.http.post(url, data=form, headers=basic) as response:
        assert (response.status, (await response.json())["error"]) == (400, "invalid_grant")
    bearer = {"Authorization": f"Bearer {token['access_token']}"}
    _, me = await wire.call("GET", "/users/@me", headers=bearer)
    assert (me["id"], me["email"], me["verified"]) == (str(ANA), "ana@example.test", True)
    parameters = {"token": token["refresh_token"], "client_id": str(APP), "client_secret": SECRET_KEY}
    async with wire.http.post(url + "/revoke", data=parameters) as response:
        assert response.status == 200
    assert (await wire.call("GET", "/users/@me", headers=bearer))[0].status == 401


async def test_consent_is_refused_cancelled_and_never_sent_to_a_stranger(wire: Wire) -> None:
    """A redirect that differs by a letter is answered on a page; Cancel comes back as access_denied."""
    await wire.people.sign_in(RAJ)
    response, back = await _consent(wire, redirect_uri=REDIRECT + "x")
    assert (response.status, back) == (400, {})
    _, back = await _consent(wire, decision="cancel")
    assert back["error"] == "access_denied"
    await wire.people.sign_in(None)
    async with wire.http.get(f"{wire.vendor.authorize_url}?client_id={APP}&scope=bot") as page:
        assert "Log in to Discord as" in await page.text()


async def test_only_an_administrator_installs_the_bot(wire: Wire) -> None:
    """A kicked bot comes back by the install link, and the gateway hears of both."""
    async with wire.gateway() as socket:
        await wire.people.kick_bot(GUILD)
        assert (await _event(socket, "GUILD_DELETE"))["id"] == str(GUILD)
        await wire.people.sign_in(RAJ)
        response, back = await _consent(wire, scope="bot applications.commands", permissions="2048")
        assert (response.status, back) == (200, {})
        await wire.people.sign_in(ANA)
        _, back = await _consent(wire, scope="bot applications.commands", permissions="2048")
        assert (back["guild_id"], back["permissions"]) == (str(GUILD), "2048")
        assert (await _event(socket, "GUILD_CREATE"))["id"] == str(GUILD)


async def test_changes_are_streamed_as_server_sent_events(wire: Wire) -> None:
    """A page hears of a message without asking again."""
    headers = {"Accept": "text/event-stream"}
    async with wire.http.get(wire.vendor.base_url + "/_play/changes?after=0", headers=headers) as stream:
        await wire.people.say(RAJ, "hello", GENERAL)
        async for line in stream.content:
            if line.startswith(b"data:") and b"message_created" in line:
                assert json.loads(line[5:])["channel_id"] == str(GENERAL)
                break


async def test_other_content_types_and_broken_text_are_refused(wire: Wire) -> None:
    """A body must be declared as JSON, be JSON, and be text that UTF-8 can carry."""
    url = wire.vendor.api_url + POST
    for data, kind, code in (
        (b"content=x", "application/x-www-form-urlencoded", 50035),
        (b'{"content": ', "application/json", 50109),
        (b'{"content": "\\ud800"}', "application/json", 50109),
        (b"\xff", "application/json", 50109),
        (b"[" * 100_000, "application/json", 50109),
    ):
        async with wire.http.post(url, data=data, headers={**BOT, "Content-Type": kind}) as response:
            assert (response.status, (await response.json())["code"]) == (400, code)
    response, _ = await wire.call("GET", "/nowhere")
    assert response.status == 404
