"""Secrets cannot appear in a log, whoever wrote the line."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from bot import logs
from bot.bootstrap import log_rules
from commands.secret import Secret
from tests.support.leaving import logs_put_back

ENVIRONMENT = {
    "LAPSEBOT_SLACK_BOT_TOKEN": "a-token-of-no-known-shape",
    "LAPSEBOT_SLACK_SIGNING_SECRET": "first-secret,second-secret",
    "LAPSEBOT_DATABASE_URL": "postgresql+asyncpg://lapsebot:pa55word@db/lapsebot",
}


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    with logs_put_back():
        logs.configure(ENVIRONMENT, log_rules(), form="json", level="debug")
        yield stream


@pytest.mark.parametrize(
    "line",
    [
        "token a-token-of-no-known-shape was refused",
        "signed with second-secret",
        "xoxb-12345-abcdef and xapp-1-A-b and xoxe.xoxb-1-aaa",
        "GET /oauth/cb/meta?code=AQDabc123&state=zzz999",
        "POST https://hooks.slack.com/commands/T1/2/abcdefghijklmnop",
        "PATCH /webhooks/1234/aW50ZXJhY3Rpb246.abc/messages/@original",
        "Authorization: Bearer EAAGm0PX4ZCpsBAKZCabcdef",
        "GET /r/0123456789ABCDEFabcdef",
        "GET /p/0123456789ABCDEFabcdef",
        "GET /link/0123456789ABCDEFabcdef",
        "POST /unsubscribe/0123456789ABCDEFabcdef",
        "POST /drill/0123456789ABCDEFabcdef",
        "GET /calendar/0123456789ABCDEFabcdef",
        "key lapsebot_0123456789ABCDEFabcdef_0123456789ABCDEFabcdef0123456789ABCDEFabcdef",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "postgresql+asyncpg://lapsebot:pa55word@db/lapsebot",
    ],
)
def test_what_looks_like_a_secret_is_hidden(written: io.StringIO, line: str) -> None:
    logging.getLogger("library").error(line)
    structlog.get_logger("ours").error("event", detail=line)
    try:
        raise RuntimeError(line)
    except RuntimeError:
        structlog.get_logger("ours").exception("failed")
    text = written.getvalue()
    assert text.count("[hidden]") >= 3
    for canary in (
        "a-token-of-no", "second-secret", "xoxb-12345", "xapp-1", "AQDabc123", "zzz999", "abcdefghijklmnop",
        "aW50ZXJhY3Rpb246", "EAAGm0PX4ZC", "0123456789ABCDEF", "pa55word",
    ):  # fmt: skip
        assert canary not in text


def test_our_own_secrets_have_a_type_that_never_prints(written: io.StringIO) -> None:
    secret = Secret("canary-value")
    structlog.get_logger("ours").warning("event", token=secret, holder=[secret], text=f"{secret} {secret!r}")
    assert "canary-value" not in written.getvalue()
    assert "Secret(…)" in json.loads(written.getvalue())["text"]


def test_a_line_of_log_stays_one_line_without_control_characters(written: io.StringIO) -> None:
    structlog.get_logger("ours").warning("event", name="evil\r\x1b[31mred\x00")
    assert json.loads(written.getvalue())["name"] == "evil[31mred"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\u2028", "\x85"])
def test_no_field_can_write_a_line_of_its_own(written: io.StringIO, end: str) -> None:
    structlog.get_logger("ours").warning("event", code=f"190{end}2026-11-22 [error] forged")
    assert len(json.loads(written.getvalue())["code"].splitlines()) == 1


def test_addresses_are_not_written_by_the_web_server(written: io.StringIO) -> None:
    logging.getLogger("aiohttp.access").info("GET /r/x")
    assert written.getvalue() == ""
