"""The command tree: made of the catalogue, within Discord's limits, registered only where it differs."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from bot.playground.vendors.discord.command_rules import check_commands
from commands.catalogue import COMMANDS, COMMANDS_BY_NAME
from commands.command import Asker, Choice, Command, Option, Services
from commands.messages import FormChoice
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


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("options", []):
        yield from _nodes(child)


@pytest.mark.behaviour("C-9")
def test_the_catalogue_keeps_discords_limits() -> None:
    """25 subcommands, 25 options of each, 25 choices, and 8,000 characters for each whole command."""
    tree = build_tree(COMMANDS)
    for command in tree:
        for node in _nodes(command):
            assert len(node.get("options", [])) <= 25, node["name"]
            assert len(node.get("choices", [])) <= 25, node["name"]
        assert sum(_written(node) for node in _nodes(command)) <= 8000, command["name"]


def _written(node: dict[str, Any]) -> int:
    """Characters of one command, subcommand or option, as Discord counts them towards the 8,000."""
    choices = [len(choice["name"]) + len(choice["value"]) for choice in node.get("choices", [])]
    return len(node["name"]) + len(node["description"]) + sum(choices)


@pytest.mark.behaviour("C-9")
def test_every_option_that_suggests_asks_while_it_is_typed() -> None:
    """And no other does; what is declared and what is drawn are compared path by path."""
    declared = {
        (command.name, subcommand.name if subcommand else "", option.name)
        for command in COMMANDS
        for subcommand in (command.subcommands or (None,))
        for option in (subcommand.options if subcommand else command.options)
        if option.suggest is not None
    }
    drawn = set()
    for command in build_tree(COMMANDS):
        nested = [one for one in command["options"] if one["type"] == 1]
        for holder in nested or [command]:
            name = holder["name"] if nested else ""
            drawn |= {(command["name"], name, one["name"]) for one in holder["options"] if one.get("autocomplete")}
    assert drawn == declared


def test_an_option_that_begins_to_suggest_is_a_change() -> None:
    """It is registered anew, and taken by Discord; declared choices beside it are refused before."""
    plain, suggesting = (
        build_tree([_with(options=(Option(name="o", description="x", suggest=suggest),))])
        for suggest in (None, _suggest)
    )
    check_commands(suggesting)
    assert fingerprint(plain) != fingerprint(suggesting)
    both = Option(name="o", description="x", suggest=_suggest, choices=(Choice(value="v", label="v"),))
    with pytest.raises(ValueError, match="lapsed o"):
        build_tree([_with(options=(both,))])


async def _suggest(_services: Services, _asker: Asker, _typed: str) -> Sequence[FormChoice]:
    return ()


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
