"""Slack's settings: none, whole, or refused with the name of what is wrong and without its value."""

import pytest

from commands.errors import SettingError
from platform_adapters.chat.slack.adapter import build
from platform_adapters.chat.slack.settings import read_settings
from tests.slack_adapter.loopback import surroundings

GOOD = {
    "BOT_TOKEN": "xoxb-12-34-abc",
    "SIGNING_SECRET": "8f742231b10e8888abcd99yyyzzz85a5",
    "CLIENT_ID": "111.222",
    "CLIENT_SECRET": "0f742231b10e8888abcd99yyyzzz85a5",
}


def named(values: dict[str, str]) -> dict[str, str]:
    return {f"LAPSEBOT_SLACK_{name}": value for name, value in values.items()}


@pytest.mark.parametrize("values", [{}, {"BOT_TOKEN": ""}, {"BOT_TOKEN": " ", "API_URL": "https://slack.example/api"}])
def test_without_credentials_there_is_no_slack(values: dict[str, str]) -> None:
    assert build(named(values), surroundings()) is None


def test_whole_settings_make_a_platform_that_signs_people_in() -> None:
    platform = build(named(GOOD), surroundings())
    assert platform is not None
    assert (platform.name, platform.label) == ("slack", "Slack")
    assert platform.sign_in is not None
    assert [endpoint.path for endpoint in platform.endpoints()] == ["/slack/events"]


def test_an_app_token_means_socket_mode_without_a_signing_secret_or_an_address() -> None:
    platform = build(named({"BOT_TOKEN": GOOD["BOT_TOKEN"], "APP_TOKEN": "xapp-1-A1-2-abc"}), surroundings())
    assert platform is not None
    assert platform.endpoints() == ()
    assert platform.sign_in is None
    assert platform.install is None


@pytest.mark.behaviour("A-2")
def test_without_a_bot_token_workspaces_let_the_bot_in_themselves() -> None:
    platform = build(named({**GOOD, "BOT_TOKEN": ""}), surroundings())
    assert platform is not None
    assert platform.install is not None


def test_neither_a_bot_token_nor_a_way_to_be_let_in_is_refused() -> None:
    with pytest.raises(SettingError) as raised:
        build(named({"SIGNING_SECRET": GOOD["SIGNING_SECRET"]}), surroundings())
    assert raised.value.name == "LAPSEBOT_SLACK_BOT_TOKEN"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BOT_TOKEN", "xoxp-12-34-abc"),
        ("BOT_TOKEN", "xoxb-..."),
        ("BOT_TOKEN", "xoxb-your-token"),
        ("BOT_TOKEN", "changeme"),
        ("APP_TOKEN", "xoxb-12"),
        ("APP_TOKEN", "xapp-…"),
        ("SIGNING_SECRET", ""),
        ("SIGNING_SECRET", "tiny-secret"),
        ("SIGNING_SECRET", "<signing secret>"),
        ("SIGNING_SECRET", "8f742231b10e8888abcd99yyyzzz85a5,"),
        ("SIGNING_SECRET", ",".join(["8f742231b10e8888abcd99yyyzzz85a5"] * 3)),
        ("CLIENT_ID", ""),
        ("CLIENT_SECRET", ""),
        ("CLIENT_SECRET", "your-client-secret"),
        ("APP_ID", "B123"),
        ("API_URL", "slack.com/api"),
        ("API_URL", "ftp://slack.com"),
        ("AUTHORIZE_URL", "https://slack.com?x=1"),
    ],
)
def test_a_wrong_setting_is_refused_by_name_and_its_value_is_not_shown(name: str, value: str) -> None:
    with pytest.raises(SettingError) as raised:
        build(named({**GOOD, name: value}), surroundings())
    assert raised.value.name == f"LAPSEBOT_SLACK_{name}"
    assert not value or value not in raised.value.reason


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://proxy.example:3128"}, "http://proxy.example:3128"),
        ({"https_proxy": "http://proxy.example:3128", "NO_PROXY": "slack.com"}, None),
        ({"HTTP_PROXY": "http://proxy.example:3128"}, None),
    ],
)
def test_the_proxy_is_that_of_the_settings_and_heeds_its_exceptions(
    environment: dict[str, str], expected: str | None
) -> None:
    settings = read_settings({**named(GOOD), **environment})
    assert settings is not None
    assert settings.proxy == expected


def test_no_secret_is_in_the_settings_print() -> None:
    settings = read_settings(named({**GOOD, "APP_TOKEN": "xapp-1-A1-2-abc"}))
    printed = repr(settings)
    assert not any(GOOD[name] in printed for name in ("BOT_TOKEN", "SIGNING_SECRET", "CLIENT_SECRET"))
    assert "xapp-1" not in printed
