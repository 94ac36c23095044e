"""Many workspaces through their own consent, and what becomes of an installation (row 34)."""

import itertools
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest

from bot.playground.vendors.slack import (
    AppConfig,
)
from commands.errors import DeliveryError, DeliveryErrorKind, SignInError
from commands.ports.chat import AddressKind, Check
from commands.ports.installations import Installation
from commands.ports.storage import StorageError
from commands.secret import Secret
from platform_adapters.chat.slack.manifest import BOT_SCOPES
from tests.contracts.chat_rigs.rig import Recorder
from tests.slack_adapter.loopback import Loopback, running
from tests.slack_adapter.many import (
    ALONE,
    BACK,
    EAST,
    EVA,
    MIA,
    WEST,
    Noted,
    back,
    code_of,
    error_of_post,
    let_in,
    lost,
    many,
    post,
    posts,
    slack_config,
    stored,
    uninstall,
)
from tests.support.chat import FakeInstallations

# slack_sdk 3.47 still hands its client credentials to aiohttp as BasicAuth.
pytestmark = pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")


@pytest.fixture
def inbound() -> Noted:
    return Noted()


@pytest.fixture
async def slack(inbound: Noted) -> AsyncIterator[Loopback]:
    async with many(inbound) as loopback:
        yield loopback


@pytest.mark.behaviour("A-2")
async def test_each_workspace_lets_the_bot_in_and_is_served_with_its_own_token(slack: Loopback, inbound: Noted) -> None:
    await let_in(slack, ALONE, MIA)
    await let_in(slack, EAST, EVA)
    alone, east = await stored(slack, ALONE), await stored(slack, EAST)
    assert (alone.name, alone.is_org_wide, alone.bot_user) == ("Alone", False, f"U{ALONE}BOT")
    assert set(BOT_SCOPES) == alone.scopes
    assert alone.bot_token.reveal() != east.bot_token.reveal()
    await post(slack, ALONE)
    await post(slack, EAST, EVA, AddressKind.DIRECT)
    assert len(await slack.people.history(ALONE, f"C{ALONE[1:]}", MIA)) == 1
    assert len(await slack.people.history(EAST, "dm", EVA)) == 1
    assert back(inbound) == [ALONE, EAST]


async def test_a_workspace_that_never_let_the_bot_in_is_a_dead_address_and_slack_is_not_asked(slack: Loopback) -> None:
    error = await error_of_post(slack, WEST)
    assert (error.kind, error.code) == (DeliveryErrorKind.ADDRESS_GONE, "not_installed_there")
    assert await posts(slack) == 0


async def test_commands_and_presses_are_answered_in_each_workspace(inbound: Noted) -> None:
    for socket_mode in (False, True):
        async with many(inbound, socket_mode=socket_mode) as slack:
            if socket_mode:
                await slack.people.wait_for_change("socket", connections=1)
            await let_in(slack, ALONE, MIA)
            await let_in(slack, EAST, EVA)
            inbound.commands.clear()
            for team, who in ((ALONE, MIA), (EAST, EVA)):
                await slack.people.fail("response_url", "http", status=404)
                await slack.people.says(team, f"C{team[1:]}", who, "/lapsed")
                await slack.people.wait_until(team, f"C{team[1:]}", who, lambda seen: len(seen) == 1)
            assert [request.place.workspace for request in inbound.commands] == [ALONE, EAST]
            assert [request.place.workspace_name for request in inbound.commands] == ["Alone", "East"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("invalid_code", "invalid_code"),
        ("code_already_used", "code_already_used"),
        ("bad_client_secret", "bad_client_secret"),
    ],
)
async def test_a_code_that_slack_refuses_keeps_nothing(slack: Loopback, error: str, code: str) -> None:
    assert slack.platform.install is not None
    given = await code_of(slack, ALONE, MIA, ALONE)
    await slack.people.fail("oauth.v2.access", "error", error=error)
    with pytest.raises(SignInError) as raised:
        await slack.platform.install.complete(code=given, redirect_uri=BACK)
    assert raised.value.code == code
    assert await slack.installations.all("slack") == []


async def test_a_code_works_once_and_for_the_address_that_it_was_given_to(slack: Loopback) -> None:
    assert slack.platform.install is not None
    code = await code_of(slack, ALONE, MIA, ALONE)
    await slack.platform.install.complete(code=code, redirect_uri=BACK)
    for uri in (BACK, BACK + "/elsewhere"):
        with pytest.raises(SignInError):
            await slack.platform.install.complete(code=code, redirect_uri=uri)


async def test_tokens_that_would_end_within_hours_are_not_taken(slack: Loopback) -> None:
    assert slack.platform.install is not None
    await slack.people.post("app", token_rotation=True)
    code = await code_of(slack, ALONE, MIA, ALONE)
    with pytest.raises(SignInError, match="token_rotation_is_on"):
        await slack.platform.install.complete(code=code, redirect_uri=BACK)
    assert await slack.installations.all("slack") == []


@pytest.mark.behaviour("A-1")
@pytest.mark.parametrize(
    "order",
    [
        *itertools.permutations(("app_uninstalled", "tokens_revoked")),
        ("app_uninstalled", "tokens_revoked", "app_uninstalled", "tokens_revoked"),
        ("tokens_revoked", "tokens_revoked"),
    ],
)
async def test_row_34_an_uninstall_is_noted_once_whatever_its_events_and_a_reinstall_brings_it_back(
    slack: Loopback, inbound: Noted, order: Sequence[str]
) -> None:
    await let_in(slack, ALONE, MIA)
    await uninstall(slack, ALONE, *order)
    await inbound.until(lambda: lost(inbound) == [ALONE])
    first = await stored(slack, ALONE)
    assert first.lost_at is not None
    assert first.lost_reason in order
    assert lost(inbound) == [ALONE]
    error = await error_of_post(slack, ALONE)
    assert (error.kind, error.code) == (DeliveryErrorKind.INSTALLATION_DEAD, first.lost_reason)
    assert await posts(slack) == 0

    await let_in(slack, ALONE, MIA)
    assert back(inbound) == [ALONE, ALONE]
    await post(slack, ALONE)
    # The events of the first time, late: nothing of it comes back to life, nor does what lives now die of it.
    for kind in ("app_uninstalled", "tokens_revoked"):
        event = {"type": kind, "tokens": {"bot": [f"U{ALONE}BOT"]}}
        after = (await slack.people.get("state"))["revision"]
        await slack.people.post("event", team=ALONE, event=event)
        await slack.people.wait_for_change("call", after=after, method="auth.test", ok=True)
    await post(slack, ALONE)
    assert (await stored(slack, ALONE)).lost_at is None
    assert lost(inbound) == [ALONE]


async def test_row_34_installing_twice_is_installing_once(slack: Loopback) -> None:
    await let_in(slack, ALONE, MIA)
    await let_in(slack, ALONE, MIA)
    assert [each.tenant for each in await slack.installations.all("slack")] == [ALONE]
    await post(slack, ALONE)


async def test_a_persons_own_token_that_ends_is_not_the_bots(slack: Loopback, inbound: Noted) -> None:
    await let_in(slack, ALONE, MIA)
    event = {"type": "tokens_revoked", "tokens": {"oauth": [MIA], "bot": []}}
    answer = await slack.people.post("event", team=ALONE, event=event)
    await slack.people.wait_for_change("event", event_id=answer["event_id"], error=None)
    await post(slack, ALONE)
    assert lost(inbound) == []


async def test_a_removal_that_cannot_be_looked_up_is_believed(slack: Loopback, inbound: Noted) -> None:
    await let_in(slack, ALONE, MIA)
    before = await stored(slack, ALONE)
    await slack.installations.save(replace(before, installed_at=before.installed_at - timedelta(minutes=1)))
    await slack.people.fail("auth.test", "http", status=503)
    await slack.people.post("event", team=ALONE, event={"type": "app_uninstalled"})
    await inbound.until(lambda: lost(inbound) == [ALONE])
    assert (await error_of_post(slack, ALONE)).kind is DeliveryErrorKind.INSTALLATION_DEAD


async def test_a_token_that_dies_without_a_word_is_noted_by_the_first_post_and_not_tried_again(
    slack: Loopback,
) -> None:
    await let_in(slack, ALONE, MIA)
    await slack.people.post("revoke", team=ALONE)
    for _ in range(3):
        error = await error_of_post(slack, ALONE)
        assert (error.kind, error.code) == (DeliveryErrorKind.INSTALLATION_DEAD, "token_revoked")
    assert await posts(slack) == 1
    assert (await stored(slack, ALONE)).lost_reason == "token_revoked"


async def test_an_address_that_is_not_allowed_loses_no_installation(slack: Loopback) -> None:
    await let_in(slack, ALONE, MIA)
    await slack.people.fail("chat.postMessage", "error", error="invalid_auth")
    assert (await error_of_post(slack, ALONE)).kind is DeliveryErrorKind.INSTALLATION_DEAD
    await post(slack, ALONE)


async def test_another_process_that_let_the_bot_in_again_is_noticed_when_the_old_token_fails() -> None:
    installations = FakeInstallations()
    async with many(Recorder(), installations) as slack:
        await let_in(slack, ALONE, MIA)
        await post(slack, ALONE)  # the token is known to this process now
        old = await stored(slack, ALONE)
        await slack.people.post("revoke", team=ALONE)
        code = await code_of(slack, ALONE, MIA, ALONE)
        fresh = await slack.bot.oauth_v2_access(
            client_id=AppConfig().client_id, client_secret=AppConfig().client_secret, code=code, redirect_uri=BACK
        )
        token = Secret(str(fresh["access_token"]))
        await installations.save(replace(old, bot_token=token, installed_at=datetime.now(UTC)))
        await post(slack, ALONE)
    assert (await stored(slack, ALONE)).lost_at is None


@pytest.mark.behaviour("A-8")
async def test_the_settings_own_token_goes_on_beside_workspaces_that_let_the_bot_in() -> None:
    inbound = Noted()
    settings = slack_config()
    own, *others = settings.workspaces
    settings = replace(settings, workspaces=(replace(own, bot_token="xoxb-agency"), *others))
    async with running(inbound, settings=settings) as slack:
        await post(slack, EAST)
        await let_in(slack, ALONE, MIA)
        await post(slack, ALONE)
        await post(slack, EAST)
        assert [each.tenant for each in await slack.installations.all("slack")] == [ALONE]
        await uninstall(slack, EAST, "tokens_revoked", "app_uninstalled", "tokens_revoked")
        await inbound.until(lambda: lost(inbound) == [EAST])
        assert (await error_of_post(slack, EAST)).kind is DeliveryErrorKind.INSTALLATION_DEAD
        await post(slack, ALONE)


async def test_no_token_or_code_is_in_a_log_or_an_error(
    slack: Loopback, inbound: Noted, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="platform_adapters")
    await let_in(slack, ALONE, MIA)
    token = (await stored(slack, ALONE)).bot_token.reveal()
    await uninstall(slack, ALONE, "app_uninstalled")
    await inbound.until(lambda: lost(inbound) == [ALONE])
    error = await error_of_post(slack, ALONE)
    assert token not in caplog.text
    assert token not in repr(error)
    assert token not in repr(await stored(slack, ALONE))


class Unreadable(FakeInstallations):
    async def find(self, platform: str, tenant: str) -> Installation | None:
        raise StorageError("the database could not be used")


async def test_row_15_a_store_that_cannot_be_read_keeps_nobody_without_an_answer() -> None:
    inbound = Recorder()
    async with many(inbound, Unreadable()) as slack:
        body = urlencode(
            {
                "command": "/lapsed",
                "team_id": ALONE,
                "user_id": MIA,
                "channel_id": "C0ALONE",
                "trigger_id": "1.1.x",
                "api_app_id": "A0LAPSEBOT",
            }
        )
        assert (await slack.people.post("forge", kind="command", body=body))["error"] is None
        with pytest.raises(DeliveryError) as raised:
            await post(slack, ALONE)
        assert raised.value.kind is DeliveryErrorKind.RETRY
    assert [request.place.workspace for request in inbound.commands] == [ALONE]


@pytest.mark.behaviour("A-8")
async def test_doctor_counts_the_workspaces_and_names_those_that_do_not_work(slack: Loopback) -> None:
    found = {each.subject: each for each in await slack.platform.diagnose()}
    assert found["Slack workspaces"].check is Check.WARNING
    await let_in(slack, ALONE, MIA)
    await let_in(slack, EAST, EVA)
    await slack.people.post("revoke", team=EAST)
    found = {each.subject: each for each in await slack.platform.diagnose()}
    assert (found["Slack workspaces"].check, found["Slack workspaces"].found) == (Check.GOOD, "2 let the bot in")
    assert (found[f"Slack workspace {EAST}"].check, found[f"Slack workspace {EAST}"].found) == (
        Check.BAD,
        "refused: token_revoked",
    )
    assert f"Slack workspace {ALONE}" not in found
    assert "Slack bot token" not in found
