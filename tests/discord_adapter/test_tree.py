"""The command tree: made of the catalogue, within Discord's limits, registered only where it differs."""

from dataclasses import replace

import pytest

from bot.playground.vendors.discord.command_rules import check_commands
from commands.catalogue import COMMANDS, COMMANDS_BY_NAME
from commands.command import Choice, Command, Option
from platform_adapters.chat.discord.tree import build_tree, fingerprint
from tests.discord_adapter.loopback import ANA, GENERAL, Answering, Loopback

LAPSED = COMMANDS_BY_NAME["lapsed"]


@pytest.mark.behaviour("C-9")
def test_the_whole_catalogue_is_one_tree_that_discord_takes() -> None:
    tree = build_tree(COMMANDS)
    check_commands(tree)
    assert [command["name"] for command in tree] == [command.name for command in COMMANDS]
    (lapsed,) = [command for command in tree if command["name"] == "lapsed"]
    assert {option["name"]: option["type"] for option in lapsed["options"]}["person"] == 6
    assert [choice["value"] for choice in lapsed["options"][0]["choices"]][:1] == ["list"]
    (admin,) = [command for command in tree if command["name"] == "lapse-admin"]
    assert [option["type"] for option in admin["options"]] == [1] * len(admin["options"])
    assert all(command["contexts"] == [0, 1] for command in tree)


def _with(**changes: object) -> Command:
    return replace(LAPSED, **changes)  # type: ignore[arg-type]  # each test names a field of Command


@pytest.mark.parametrize(
    "command",
    [
        _with(name="Lapsed"),
        _with(name="x" * 33),
        _with(description=""),
        _with(description="x" * 101),
        _with(options=tuple(Option(name=f"o{at}", description="x") for at in range(26))),
        _with(options=(Option(name="o", description="x"), Option(name="o", description="x"))),
        _with(options=(Option(name="o", description="x", choices=(Choice(value="v", label="x" * 101),)),)),
        _with(
            options=(
                Option(
                    name="o",
                    description="x",
                    choices=tuple(Choice(value=str(at), label=str(at)) for at in range(26)),
                ),
            )
        ),
        _with(
            options=tuple(
                Option(
                    name=f"o{at}",
                    description="x" * 100,
                    choices=tuple(Choice(value="v" * 99 + str(one), label="l" * 99 + str(one)) for one in range(10)),
                )
                for at in range(5)
            )
        ),
    ],
)
def test_a_command_that_discord_would_refuse_is_named_before(command: Command) -> None:
    with pytest.raises(ValueError, match=r"(?i)lapsed|xxx"):
        build_tree([command])


def test_required_options_come_first() -> None:
    """Discord refuses one that follows an optional one."""
    command = _with(
        options=(Option(name="a", description="x"), Option(name="b", description="x", required=True)),
    )
    tree = build_tree([command])
    check_commands(tree)
    assert [option["name"] for option in tree[0]["options"]] == ["b", "a"]


async def test_the_commands_are_there_as_soon_as_the_bot_is(discord: Loopback) -> None:
    offered = await discord.people.commands(ANA, GENERAL)
    assert {command["name"] for command in offered} == {command.name for command in COMMANDS}
    assert {command["name"] for command in await discord.people.commands(ANA)} == set(COMMANDS_BY_NAME)


async def test_a_second_start_registers_nothing(idle: Loopback, inbound: Answering) -> None:
    """What Discord gives back, with ids and versions, counts as the same."""
    async with idle.platform.running(inbound):
        await idle.connected()
    seen = await idle.people.now()
    async with idle.platform.running(inbound):
        await idle.people.wait_for(
            lambda change: change["type"] == "request" and change["path"].endswith("/commands"), after=seen
        )
        await idle.people.wait_for(lambda change: change["type"] == "gateway_ready", after=seen)
    changes = (await idle.people._get("changes", after=seen))["changes"]
    assert [one["method"] for one in changes if one["type"] == "request" and one["path"].endswith("/commands")] == [
        "GET"
    ]


async def test_registering_is_tried_until_discord_answers(idle: Loopback, inbound: Answering) -> None:
    await idle.people.fault("error", "GET /applications/*/commands", status=503)
    async with idle.platform.running(inbound):
        await idle.connected()
    assert idle.pauses.asked == [60.0]


def test_a_changed_description_is_a_change() -> None:
    changed = [replace(command, description="Other") for command in COMMANDS]
    assert fingerprint(build_tree(COMMANDS)) != fingerprint(build_tree(changed))
