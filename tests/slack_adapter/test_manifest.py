"""The manifest: everything that the adapter listens to is in it, and Slack takes it."""

import json

import pytest

from commands.catalogue import COMMANDS
from platform_adapters.chat.slack.adapter import how_to_install
from platform_adapters.chat.slack.manifest import BOT_SCOPES, EVENTS, manifest_json

CALLBACK = "https://lapsebot.example/sign-in/slack"


def made(*, socket_mode: bool) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = json.loads(
        manifest_json(public_url="https://lapsebot.example", redirect_urls=[CALLBACK], socket_mode=socket_mode)
    )
    return found


@pytest.mark.behaviour("C-9")
@pytest.mark.parametrize("socket_mode", [True, False])
def test_each_command_of_the_catalogue_is_in_it_and_within_slacks_limits(*, socket_mode: bool) -> None:
    commands = made(socket_mode=socket_mode)["features"]["slash_commands"]
    assert isinstance(commands, list)
    assert [each["command"] for each in commands] == [f"/{command.name}" for command in COMMANDS]
    assert len(commands) <= 50
    for command in commands:
        assert 2 <= len(command["command"]) <= 32
        assert command["command"] == command["command"].lower()
        assert 0 < len(command["description"]) <= 2000
        assert len(command["usage_hint"]) <= 1000
        assert command["should_escape"] is True
        assert ("url" in command) is not socket_mode


@pytest.mark.parametrize("socket_mode", [True, False])
def test_each_thing_that_is_listened_to_is_switched_on_and_nothing_else(*, socket_mode: bool) -> None:
    whole = made(socket_mode=socket_mode)
    settings = whole["settings"]
    address = {} if socket_mode else {"request_url": "https://lapsebot.example/slack/events"}
    assert settings["interactivity"] == {"is_enabled": True, **address}
    assert settings["event_subscriptions"] == {"bot_events": list(EVENTS), **address}
    assert settings["socket_mode_enabled"] is socket_mode
    assert settings["token_rotation_enabled"] is False
    assert settings["org_deploy_enabled"] is True
    home = whole["features"]["app_home"]
    assert isinstance(home, dict)
    assert home["home_tab_enabled"] is True
    scopes = {"bot": list(BOT_SCOPES), "user": ["openid", "email", "profile"]}
    assert whole["oauth_config"] == {"redirect_urls": [CALLBACK], "scopes": scopes}


@pytest.mark.behaviour("A-2")
@pytest.mark.parametrize(
    ("environment", "public_url", "socket_mode"),
    [
        ({}, "https://lapsebot.example", False),
        ({"LAPSEBOT_SLACK_APP_TOKEN": "xapp-1-A1-2-abc"}, "https://lapsebot.example", True),
        ({}, "http://127.0.0.1:8080", True),
    ],
)
def test_what_install_prints_fits_how_slack_can_reach_us(
    environment: dict[str, str], public_url: str, *, socket_mode: bool
) -> None:
    whole = json.loads(how_to_install(environment, public_url))
    assert whole["settings"]["socket_mode_enabled"] is socket_mode
    callbacks = [f"{public_url}/sign-in/cb/slack", f"{public_url}/install/cb/slack"]
    assert whole["oauth_config"]["redirect_urls"] == callbacks


def test_names_are_within_slacks_limits() -> None:
    whole = made(socket_mode=True)
    display, bot = whole["display_information"], whole["features"]["bot_user"]
    assert len(str(display["name"])) <= 35
    assert len(str(display["description"])) <= 140
    assert isinstance(bot, dict)
    assert len(bot["display_name"]) <= 80
