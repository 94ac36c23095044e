"""What the operator sets, and what is said when it is wrong."""

from urllib.parse import parse_qs, urlsplit

import pytest

from commands.errors import SettingError
from platform_adapters.chat.discord.adapter import build
from platform_adapters.chat.discord.settings import PERMISSIONS, read_settings
from tests.discord_adapter.loopback import surroundings

FULL = {
    "LAPSEBOT_DISCORD_BOT_TOKEN": "a-bot-token",
    "LAPSEBOT_DISCORD_CLIENT_ID": "300000000000000001",
    "LAPSEBOT_DISCORD_CLIENT_SECRET": "a-client-secret",
}


def test_without_credentials_there_is_no_discord() -> None:
    assert build({}, surroundings()) is None
    assert build({"LAPSEBOT_DISCORD_API_URL": "http://127.0.0.1:1", **dict.fromkeys(FULL, " ")}, surroundings()) is None


def test_with_all_of_them_there_is_one() -> None:
    platform = build(FULL, surroundings())
    assert platform is not None
    assert (platform.name, platform.label, platform.endpoints()) == ("discord", "Discord", ())


@pytest.mark.parametrize("missing", FULL)
def test_half_of_the_settings_is_an_error_that_names_what_is_missing(missing: str) -> None:
    with pytest.raises(SettingError) as raised:
        build({**FULL, missing: ""}, surroundings())
    assert raised.value.name == missing
    assert "developer portal" in raised.value.reason


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LAPSEBOT_DISCORD_BOT_TOKEN", "Bot a-bot-token"),
        ("LAPSEBOT_DISCORD_CLIENT_ID", "lapsebot"),
        ("LAPSEBOT_DISCORD_CLIENT_ID", "٣"),
        ("LAPSEBOT_DISCORD_API_URL", "discord.test/api"),
        ("LAPSEBOT_DISCORD_API_URL", "ftp://discord.test"),
        ("LAPSEBOT_DISCORD_AUTHORIZE_URL", "http://[bad"),
        ("LAPSEBOT_DISCORD_GATEWAY_URL", "http://127.0.0.1:1/gateway"),
    ],
)
def test_a_wrong_setting_is_named_and_its_value_is_not_shown(name: str, value: str) -> None:
    with pytest.raises(SettingError) as raised:
        build({**FULL, name: value}, surroundings())
    assert raised.value.name == name
    assert "a-bot-token" not in str(raised.value)


@pytest.mark.behaviour("A-2")
def test_the_install_link_asks_for_just_what_is_needed() -> None:
    settings = read_settings({**FULL, "LAPSEBOT_DISCORD_AUTHORIZE_URL": "http://127.0.0.1:1/oauth2/authorize/"})
    assert settings is not None
    link = urlsplit(settings.install_link())
    asked = {name: value[0] for name, value in parse_qs(link.query).items()}
    assert link.path == "/oauth2/authorize"
    assert (asked["client_id"], asked["scope"]) == ("300000000000000001", "bot applications.commands")
    assert int(asked["permissions"]) == PERMISSIONS


def test_secrets_do_not_print() -> None:
    assert "a-bot-token" not in repr(read_settings(FULL))
    assert "a-client-secret" not in repr(read_settings(FULL))
