"""The subcommands of `/lapse-admin` as they are declared: words and options say the same, and choices are shown."""

import re
from collections.abc import Mapping

import pytest

from commands.handlers.administration import ADMINISTERING, Administering
from commands.handlers.asked import read_asked, subcommand_of
from commands.ports.chat import ChoicesRequest, Options, Words
from tests.commands.plain import plain
from tests.commands.world import HERE, World


def options_of(each: Administering) -> list[str]:
    return [option.name for option in each.subcommand.options]


def typed_options(each: Administering) -> Options:
    """The example that people who choose options read, as their platform sends it."""
    name = each.subcommand.name
    rest = each.example.options.removeprefix(f"/lapse-admin {name}").strip()
    parts = re.split(rf"(?:^|\s)({'|'.join(options_of(each)) or '-'}):", rest)[1:]
    return Options(values={"subcommand": name, **dict(zip(parts[::2], parts[1::2], strict=True))})


@pytest.mark.behaviour("C-9")
@pytest.mark.parametrize("each", ADMINISTERING, ids=lambda each: each.subcommand.name)
def test_an_example_says_the_same_in_words_and_in_options(each: Administering) -> None:
    words = Words(text=each.example.words.removeprefix("/lapse-admin "))
    options = typed_options(each)
    assert subcommand_of(words) == subcommand_of(options) == each.subcommand.name

    def read(arguments: Words | Options) -> Mapping[str, str]:
        return read_asked(arguments, options_of(each), each.example, each.sort).values

    assert read(words) == read(options)
    if each.subcommand.options and each.example.words.removeprefix(f"/lapse-admin {each.subcommand.name}"):
        assert read(words)


@pytest.mark.behaviour("C-9")
@pytest.mark.parametrize("each", ADMINISTERING, ids=lambda each: each.subcommand.name)
def test_options_can_be_named_in_words_too(each: Administering) -> None:
    options = typed_options(each)
    quoted = " ".join(f'{name}:"{value}"' for name, value in options.values.items() if name != "subcommand")
    words = Words(text=f"{each.subcommand.name} {quoted}")
    values = read_asked(words, options_of(each), each.example, each.sort).values
    assert values == read_asked(options, options_of(each), each.example, each.sort).values


def test_there_is_room_for_them_on_every_platform() -> None:
    assert len(ADMINISTERING) <= 25
    for each in ADMINISTERING:
        assert len(each.subcommand.description) <= 100
        assert all(len(option.description) <= 100 for option in each.subcommand.options)
        needed = [option.required for option in each.subcommand.options]
        assert needed == sorted(needed, reverse=True), "what must be given comes first"


@pytest.mark.behaviour("C-9")
@pytest.mark.parametrize(
    ("subcommand", "option", "typed", "values"),
    [
        ("clients", "clients", "Acme, b", ["Acme, Brio"]),
        ("clients", "clients", "", ["Acme", "Brio", "Cato"]),
        ("transfer", "person", "ol", ["olga@example.com"]),
        ("leaves", "deputy", "raj", ["raj@example.com"]),
        ("transfer", "account", "acme d", ["7012345678901234560"]),
        ("grouping", "network", "li", ["linkedin"]),
        ("drill", "client", "br", ["Brio"]),
    ],
)
async def test_choices_are_shown_while_somebody_types(
    world: World, subcommand: str, option: str, typed: str, values: list[str]
) -> None:
    request = ChoicesRequest(
        command="lapse-admin",
        subcommand=subcommand,
        option=option,
        typed=typed,
        user=world.user("ada"),
        place=HERE,
    )
    assert [choice.value for choice in await world.dispatcher.choices(request)] == values


async def test_whatever_is_typed_is_answered(world: World) -> None:
    names = [each.subcommand.name for each in ADMINISTERING]
    for name in names:
        for rest in (
            '"',
            "to",
            "to to to",
            "@",
            "@U-ada @U-ada",
            ":::",
            "x" * 3000,
            "\u202e to \x00",
            "restart",
            "all,",
        ):
            said = plain(await world.typed("ada", "lapse-admin", f"{name} {rest}"))
            assert said
            assert "Something went wrong" not in said, (name, rest)
