"""What Slack says of people: who they are now, and that something about them changed (row 26)."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.playground.vendors.slack import SlackConfig, UserConfig
from commands.errors import DeliveryError, DeliveryErrorKind
from commands.messages import say
from commands.ports.chat import AccountChanged, AccountKind, AddressKind, Profile
from tests.contracts.chat_rigs.rig import Recorder
from tests.slack_adapter.loopback import ANA, GONE, GUEST, RAJ, ROBOT, TEAM, Loopback, config, running
from tests.slack_adapter.test_delivering import delivery, to

ONE_CHANNEL, STRANGER, OF_GRID, NOWHERE = "U0ONE", "U0STRANGER", "W0GRID", "U0NOWHERE"


def with_more_people() -> SlackConfig:
    def person(user_id: str) -> UserConfig:
        name = user_id[2:].lower()
        return UserConfig(id=user_id, name=name, real_name=name.title(), email=f"{name}@agency.example")

    settings = config()
    (agency,) = settings.workspaces
    more = (
        replace(person(ONE_CHANNEL), is_ultra_restricted=True),
        replace(person(STRANGER), home_team="T0ELSEWHERE"),
        replace(person(OF_GRID), tz="Pacific/Apia"),
        replace(person(NOWHERE), tz="America/Los_Angeles"),
    )
    return replace(settings, workspaces=(replace(agency, users=(*agency.users, *more)),))


@pytest.fixture
def inbound() -> Recorder:
    return Recorder()


@pytest.fixture
async def slack(inbound: Recorder) -> AsyncIterator[Loopback]:
    async with running(inbound, settings=with_more_people()) as loopback:
        yield loopback


@pytest.mark.behaviour("N-15")
@pytest.mark.parametrize(
    ("user", "expected"),
    [
        (ANA, Profile(kind=AccountKind.MEMBER, name="Ana Ruiz", time_zone="Europe/Berlin")),
        (OF_GRID, Profile(kind=AccountKind.MEMBER, name="Grid", time_zone="Pacific/Apia")),
        (GUEST, Profile(kind=AccountKind.GUEST, name="Guest Ruiz", time_zone="Europe/Berlin")),
        (ONE_CHANNEL, Profile(kind=AccountKind.GUEST, name="One", time_zone="Europe/Berlin")),
        (STRANGER, Profile(kind=AccountKind.GUEST, name="Stranger", time_zone="Europe/Berlin")),
        (ROBOT, Profile(kind=AccountKind.BOT, name="Robot Ruiz", time_zone="Europe/Berlin")),
        ("USLACKBOT", Profile(kind=AccountKind.BOT, name="Slackbot", time_zone="America/Los_Angeles")),
        (GONE, Profile(kind=AccountKind.GONE, name="Gone Ruiz")),
        ("U0NOBODY", Profile(kind=AccountKind.GONE, name="")),
    ],
)
async def test_row_26_what_somebody_is_now(slack: Loopback, user: str, expected: Profile) -> None:
    assert await slack.platform.profile(TEAM, user) == expected


async def test_a_look_that_fails_says_nothing_and_can_be_made_again(slack: Loopback) -> None:
    await slack.people.fail("users.info", "error", error="internal_error")
    with pytest.raises(DeliveryError) as raised:
        await slack.platform.profile(TEAM, NOWHERE)
    assert raised.value.kind is DeliveryErrorKind.RETRY
    assert (await slack.platform.profile(TEAM, NOWHERE)).time_zone == "America/Los_Angeles"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("missing_scope", DeliveryErrorKind.REJECTED),
        ("account_inactive", DeliveryErrorKind.INSTALLATION_DEAD),
        ("ratelimited", DeliveryErrorKind.RETRY),
    ],
)
async def test_what_slack_cannot_tell_makes_nobody_gone(slack: Loopback, error: str, kind: DeliveryErrorKind) -> None:
    await slack.people.fail("users.info", "error", error=error)
    with pytest.raises(DeliveryError) as raised:
        await slack.platform.profile(TEAM, ANA)
    assert raised.value.kind is kind


@pytest.mark.parametrize("user", [GONE, ROBOT, "USLACKBOT", STRANGER, "U0NOBODY"])
async def test_row_26_nobody_is_written_to_who_is_no_reader(slack: Loopback, user: str) -> None:
    with pytest.raises(DeliveryError) as raised:
        await slack.platform.post(to(user, AddressKind.DIRECT), say("Lapsed"), delivery())
    assert raised.value.kind is DeliveryErrorKind.ADDRESS_GONE
    assert len([each for each in await slack.people.log("replies") if each["method"] == "chat.postMessage"]) == 1


async def test_row_26_an_id_of_an_enterprise_is_a_person_like_any_other(slack: Loopback) -> None:
    await slack.platform.post(to(OF_GRID, AddressKind.DIRECT), say("Lapsed"), delivery())
    assert len(await slack.people.history(TEAM, "dm", OF_GRID)) == 1


@pytest.mark.behaviour("A-5")
@pytest.mark.parametrize("change", [{"deleted": True}, {"is_restricted": True}, {"tz": "Asia/Kathmandu"}])
async def test_row_26_somebodys_change_is_handed_on_to_be_looked_up(
    slack: Loopback, inbound: Recorder, change: dict[str, object]
) -> None:
    await slack.people.post("users", team=TEAM, id=RAJ, **change)
    await slack.people.wait_for_change("event", event="user_change", error=None)
    await slack.people.says(TEAM, "dm", ANA, "/lapsed")
    await slack.people.wait_until(TEAM, "dm", ANA, lambda seen: len(seen) == 1)
    assert inbound.signals == [AccountChanged(platform="slack", tenant=TEAM, user=RAJ)]
