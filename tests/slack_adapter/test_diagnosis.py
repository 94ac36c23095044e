"""What `doctor` says of Slack."""

from dataclasses import replace

import pytest

from bot.playground.vendors.slack import AppConfig, SlackConfig, serving
from commands.ports.chat import Check, Diagnosis
from tests.slack_adapter.loopback import TOKEN, config, platform_at

APP_TOKEN = {"APP_TOKEN": "xapp-1-stand-in"}


async def findings(settings: SlackConfig, **changes: str) -> dict[str, Diagnosis]:
    async with serving(settings) as vendor:
        found = await platform_at(vendor, changes).diagnose()
    printed = repr(found)
    assert not any(secret in printed for secret in (TOKEN, "xapp-1", AppConfig().client_secret))
    assert all(each.mend for each in found if each.check is not Check.GOOD)
    return {each.subject: each for each in found}


def with_scopes(*scopes: str) -> SlackConfig:
    settings = config()
    return replace(settings, app=replace(settings.app, scopes=scopes))


@pytest.mark.parametrize("changes", [{}, APP_TOKEN])
async def test_all_is_well(changes: dict[str, str]) -> None:
    found = await findings(config(), **changes)
    assert {each.check for each in found.values()} == {Check.GOOD}
    assert found["Slack bot token"].found == "accepted for the workspace Agency (T0AGENCY)"


@pytest.mark.parametrize(
    ("subject", "changes", "named"),
    [
        ("Slack bot token", {"BOT_TOKEN": "xoxb-of-nobody"}, "invalid_auth"),
        ("Slack requests", {"APP_TOKEN": "xapp-of-nobody"}, "invalid_auth"),
        ("Sign in with Slack", {"CLIENT_ID": "9.9"}, "invalid_client_id"),
        ("Sign in with Slack", {"CLIENT_SECRET": "of-nobody-at-all"}, "bad_client_secret"),
        ("Sign in with Slack", {"CLIENT_ID": "", "CLIENT_SECRET": ""}, "off"),
    ],
)
async def test_what_is_wrong_is_named_with_how_to_mend_it(subject: str, changes: dict[str, str], named: str) -> None:
    found = (await findings(config(), **changes))[subject]
    assert found.check is Check.BAD
    assert named in found.found


async def test_missing_permissions_are_named() -> None:
    found = (await findings(with_scopes("commands", "users:read", "users:read.email")))["Slack permissions"]
    assert (found.check, found.found) == (Check.BAD, "missing: chat:write")
    found = (await findings(with_scopes("commands", "chat:write", "users:read")))["Slack permissions"]
    assert found.check is Check.WARNING
    assert "users:read.email" in found.found


async def test_a_slack_that_cannot_be_reached_is_not_taken_for_a_bad_token() -> None:
    async with serving(config()) as vendor:
        platform = platform_at(vendor, APP_TOKEN)
    found = {each.subject: each for each in await platform.diagnose()}
    assert "did not answer" in found["Slack bot token"].found
    assert "reaches Slack" in found["Slack bot token"].mend
