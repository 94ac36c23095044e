"""Requests that are not Slack's: 401, 400 or 403, never 500, nothing echoed, nothing done."""

import asyncio
import hashlib
import hmac
import json
import logging
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands.ports.chat import HttpRequest, HttpResponse
from commands.secret import Secret
from platform_adapters.chat.slack.adapter import SlackPlatform
from platform_adapters.chat.slack.settings import read_settings
from platform_adapters.chat.slack.signature import RefusedRequest, SignatureCheck
from tests.contracts.chat_rigs.rig import Recorder
from tests.slack_adapter.loopback import surroundings
from tests.support.clock import FakeClock

SECRET, OLD = "8f742231b10e8888abcd99yyyzzz85a5", "0123456789abcdef0123456789abcdef"
APP = "A0LAPSEBOT"
COMMAND = {"command": "/lapsed", "text": "", "team_id": "T1", "user_id": "U1", "channel_id": "C1", "api_app_id": APP}
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))


def sign(body: bytes, secret: str = SECRET, stamp: str = STAMP) -> str:
    return "v0=" + hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()


def signed(body: bytes, content_type: str = FORM, *, secret: str = SECRET, stamp: str = STAMP) -> HttpRequest:
    headers = (
        ("content-type", content_type),
        ("x-slack-request-timestamp", stamp),
        ("x-slack-signature", sign(body, secret, stamp)),
    )
    return HttpRequest(headers=headers, body=body)


async def answer(request: HttpRequest) -> tuple[HttpResponse, Recorder]:
    """Send one request to an adapter whose Slack cannot be reached: nothing here needs it."""
    settings = read_settings(
        {
            "LAPSEBOT_SLACK_BOT_TOKEN": "xoxb-1",
            "LAPSEBOT_SLACK_SIGNING_SECRET": f"{SECRET},{OLD}",
            "LAPSEBOT_SLACK_APP_ID": APP,
            "LAPSEBOT_SLACK_API_URL": "http://127.0.0.1:9/api/",
        }
    )
    assert settings is not None
    platform, inbound = SlackPlatform(settings, surroundings(clock=FakeClock(NOW))), Recorder()
    async with platform.running(inbound):
        (endpoint,) = platform.endpoints()
        return await endpoint.handle(request), inbound


BODY = urlencode(COMMAND).encode()
GOOD = sign(BODY)


def headers(stamp: Sequence[str] = (STAMP,), signature: Sequence[str] = (GOOD,)) -> tuple[tuple[str, str], ...]:
    return (
        ("content-type", FORM),
        *(("x-slack-request-timestamp", value) for value in stamp),
        *(("x-slack-signature", value) for value in signature),
    )


FORGED = {
    "no headers": (),
    "no signature": headers(signature=()),
    "no timestamp": headers(stamp=()),
    "two signatures": headers(signature=(GOOD, GOOD)),
    "two timestamps": headers(stamp=(STAMP, STAMP)),
    "another signature": headers(signature=("v0=" + "0" * 64,)),
    "upper case": headers(signature=(GOOD.upper(),)),
    "upper case digits": headers(signature=("v0=" + GOOD[3:].upper(),)),
    "too short": headers(signature=(GOOD[:-1],)),
    "line end": headers(signature=(GOOD + "\n",)),
    "not ASCII": headers(signature=("v0=" + "é" * 64,)),
    "NUL": headers(signature=(GOOD[:-1] + "\x00",)),
    "words for a time": headers(stamp=("abc",)),
    "negative": headers(stamp=("-1",)),
    "exponent": headers(stamp=("1e9",)),
    "fraction": headers(stamp=(STAMP + ".5",)),
    "5,000 digits": headers(stamp=("1" * 5000,)),
    "Arabic digits": headers(stamp=("١٧٦٣٨٨٨٤٠٠",)),
    "empty time": headers(stamp=("",)),
    "space": headers(stamp=(" " + STAMP,)),
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
async def test_a_forged_request_is_refused_and_its_body_stays_out_of_the_log(
    forged: tuple[tuple[str, str], ...], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    response, inbound = await answer(HttpRequest(headers=forged, body=BODY))
    assert (response.status, response.body) == (401, b"")
    assert not inbound.commands
    assert "lapsed&" not in caplog.text
    assert GOOD not in caplog.text


@pytest.mark.parametrize(("seconds", "status"), [(-301, 401), (-299, 200), (299, 200), (301, 401)])
async def test_a_request_is_good_for_five_minutes_to_either_side(seconds: int, status: int) -> None:
    stamp = str(int((NOW + timedelta(seconds=seconds)).timestamp()))
    response, _ = await answer(signed(BODY, stamp=stamp))
    assert response.status == status


def test_slacks_own_example_is_accepted() -> None:
    body = (
        "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        "&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        "&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554"
        "%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    check = SignatureCheck([Secret(SECRET)], None, FakeClock(datetime.fromtimestamp(1531420618, UTC)))
    signature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    request = HttpRequest(headers=headers(("1531420618",), (signature,)), body=body.encode())
    assert check.read(request)["command"] == "/webhook-collect"


@pytest.mark.parametrize("secret", [SECRET, OLD])
async def test_while_the_secret_is_changed_both_are_good(secret: str) -> None:
    response, inbound = await answer(signed(BODY, secret=secret))
    assert response.status == 200
    assert len(inbound.commands) == 1


def payload(words: str) -> bytes:
    return b"payload=" + quote(words).encode()


MALFORMED = {
    "not UTF-8": (b"command=%2Flapsed&text=%ff", FORM),
    "raw bytes": (b"\xff\xfe", JSON),
    "open list": (b"[" * 200_000, JSON),
    "open list in a payload": (payload("[" * 5000), FORM),
    "deep": (b'{"a":' * 100 + b"1" + b"}" * 100, JSON),
    "list": (b"[]", JSON),
    "null": (b"null", JSON),
    "NaN": (b'{"a":NaN}', JSON),
    "infinity": (b'{"a":-Infinity}', JSON),
    "a key twice": (b'{"type":"a","type":"b"}', JSON),
    "a huge number": (b'{"a":1' + b"0" * 400 + b"}", JSON),
    "a huge exponent": (b'{"a":1e' + b"9" * 400 + b"}", JSON),
    "truncated": (b'{"type":"event_call', JSON),
    "nothing": (b"", FORM),
    "no payload": (b"a=b", FORM),
    "empty payload": (b"payload=", FORM),
    "payload twice": (payload("{}") + b"&" + payload("{}"), FORM),
    "1,000 fields": (b"&".join(b"a%d=1" % at for at in range(1000)), FORM),
    "another type": (b"{}", "text/plain"),
}


@pytest.mark.parametrize(("body", "content_type"), MALFORMED.values(), ids=MALFORMED)
async def test_a_malformed_body_is_refused_after_its_signature_was_checked(body: bytes, content_type: str) -> None:
    response, inbound = await answer(signed(body, content_type))
    assert (response.status, response.body) == (400, b"")
    unsigned, _ = await answer(HttpRequest(headers=(("content-type", content_type),), body=body))
    assert unsigned.status == 401
    assert not inbound.commands


async def test_a_compressed_body_is_refused() -> None:
    request = signed(BODY)
    response, _ = await answer(HttpRequest(headers=(*request.headers, ("content-encoding", "gzip")), body=BODY))
    assert response.status == 400


async def test_another_apps_request_is_refused_though_it_is_signed() -> None:
    response, inbound = await answer(signed(urlencode({**COMMAND, "api_app_id": "A0OTHER"}).encode()))
    assert response.status == 403
    assert not inbound.commands


@pytest.mark.parametrize("is_signed", [True, False])
async def test_a_check_of_our_certificate_is_answered_and_runs_no_command(*, is_signed: bool) -> None:
    body = urlencode({**COMMAND, "ssl_check": "1"}).encode()
    request = signed(body) if is_signed else HttpRequest(headers=(("content-type", FORM),), body=body)
    response, inbound = await answer(request)
    assert (response.status, response.body) == (200, b"")
    assert not inbound.commands


async def test_a_challenge_is_answered_as_plain_text_if_it_is_signed() -> None:
    body = json.dumps({"type": "url_verification", "challenge": "<script>alert(1)</script>"}).encode()
    response, _ = await answer(signed(body, JSON))
    assert (response.status, response.body) == (200, b"<script>alert(1)</script>")
    assert response.content_type.startswith("text/plain")
    unsigned, _ = await answer(HttpRequest(headers=(("content-type", JSON),), body=body))
    assert unsigned.status == 401


async def test_a_request_that_names_no_app_is_refused_where_we_know_our_own() -> None:
    response, inbound = await answer(signed(payload(json.dumps({"type": "block_actions"}))))
    assert response.status == 403
    assert not inbound.actions


def odd_payloads() -> Iterator[dict[str, object]]:
    person, action = {"id": "U1", "team_id": "T1"}, {"action_id": "press-0", "block_id": "b", "value": "x"}
    good = {"type": "block_actions", "team": {"id": "T1"}, "user": person, "actions": [action]}
    yield {}
    yield {"type": "something_new"}
    yield {"type": "view_submission", "user": person, "team": {"id": "T1"}}
    yield {"type": "shortcut", "callback_id": "x", "user": person, "team": {"id": "T1"}}
    yield {"type": "event_callback", "event": {"type": "something_new"}, "team_id": "T1"}
    yield {"type": "event_callback", "event": "x", "authorizations": "x"}
    for name, value in (("user", "U1"), ("user", []), ("user", None), ("team", 7), ("actions", []), ("actions", ["x"])):
        yield {**good, name: value}
    yield {**good, "actions": [{}]}
    yield {**good, "actions": [{"action_id": 7, "block_id": "b"}]}
    yield {**good, "authorizations": 7, "enterprise": 7, "view": 7, "container": "x", "channel": 7, "message": []}
    yield {**good, "actions": [{**action, "value": None}]}


@pytest.mark.parametrize("odd", list(odd_payloads()))
async def test_what_we_do_not_know_is_acknowledged_and_nothing_is_done(odd: dict[str, object]) -> None:
    response, inbound = await answer(signed(payload(json.dumps({"api_app_id": APP, **odd}))))
    assert response.status == 200
    if odd.get("container") != "x":
        assert not inbound.actions


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("user", "team", "channel", "actions", "event", "view", "container", "authorizations", "enterprise", "message")


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["block_actions", "event_callback", "x"]), st.dictionaries(st.sampled_from(FIELDS), JSON_VALUES))
def test_no_signed_payload_ends_in_an_error(kind: str, fields: dict[str, object]) -> None:
    response, _ = asyncio.run(answer(signed(payload(json.dumps({**fields, "type": kind, "api_app_id": APP})))))
    assert response.status in (200, 400)


def test_a_refusal_says_nothing_of_what_was_sent() -> None:
    check = SignatureCheck([Secret(SECRET)], None, FakeClock(NOW))
    with pytest.raises(RefusedRequest) as raised:
        check.read(HttpRequest(headers=headers(signature=("v0=secret-looking",)), body=b"private words"))
    assert "secret-looking" not in str(raised.value)
    assert "private" not in str(raised.value)
