"""Settings are refused with a named reason when they are wrong."""

from pathlib import Path

import pytest

from bot.settings import Settings, environment_with_file
from commands.errors import SettingError
from platform_adapters.discovery import build_networks
from tests.support.clock import FakeClock


def test_nothing_set_means_embedded_on_this_machine() -> None:
    settings = Settings.read({})
    assert settings.storage_url == "sqlite+aiosqlite:///.lapsebot/lapsebot.sqlite"
    assert settings.public_url == "http://127.0.0.1:8080"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("LAPSEBOT_PUBLIC_URL", "http://bot.example.com", "https://"),
        ("LAPSEBOT_PUBLIC_URL", "bot.example.com", "must be an address"),
        ("LAPSEBOT_PUBLIC_URL", "https://bot.example.com/?a=1", "must be an address"),
        ("LAPSEBOT_DATABASE_URL", "postgresql://host/db", "postgresql+asyncpg://"),
        ("LAPSEBOT_TIME_ZONE", "Mars/Base", "Europe/Berlin"),
        ("LAPSEBOT_LISTEN_PORT", "70000", "must be less than or equal to 65535"),
        ("LAPSEBOT_LISTEN_PORT", "eighty", "must be a whole number"),
        ("LAPSEBOT_CHECK_TICK", "often", "must be a number"),
        ("LAPSEBOT_WEBHOOK_PRIVATE", "perhaps", "must be true or false"),
        ("LAPSEBOT_OUTAGE_SHARE", "60", "1"),
        ("LAPSEBOT_LOG_FORMAT", "xml", "must be one of text, json"),
    ],
)
def test_a_wrong_setting_is_named_with_what_it_must_be(name: str, value: str, reason: str) -> None:
    with pytest.raises(SettingError) as refused:
        Settings.read({name: value})
    assert refused.value.name == name
    assert reason in refused.value.reason


def test_a_wrong_value_is_never_shown_since_it_may_be_a_secret_in_the_wrong_place() -> None:
    with pytest.raises(SettingError) as refused:
        Settings.read({"LAPSEBOT_DATABASE_URL": "hunter2-secret"})
    assert "hunter2-secret" not in str(refused.value)


def test_the_environment_outranks_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / ".env"
    file.write_text("LAPSEBOT_LISTEN_PORT=1\nLAPSEBOT_LISTEN_HOST=::1\n")
    monkeypatch.setenv("LAPSEBOT_LISTEN_PORT", "2")
    settings = Settings.read(environment_with_file(file))
    assert (settings.listen_port, settings.listen_host) == (2, "::1")


def test_a_network_without_credentials_is_off_and_half_a_pair_is_refused() -> None:
    assert build_networks({}, FakeClock()) == {}
    with pytest.raises(SettingError) as refused:
        build_networks({"LAPSEBOT_LINKEDIN_CLIENT_ID": "id"}, FakeClock())
    assert refused.value.name == "LAPSEBOT_LINKEDIN_CLIENT_SECRET"
    with pytest.raises(SettingError) as refused:
        build_networks(
            {
                "LAPSEBOT_META_CLIENT_ID": "id",
                "LAPSEBOT_META_CLIENT_SECRET": "secret",
                "LAPSEBOT_META_API_URL": "graph",
            },
            FakeClock(),
        )
    assert refused.value.name == "LAPSEBOT_META_API_URL"
