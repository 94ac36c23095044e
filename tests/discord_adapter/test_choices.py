"""Choices while somebody types an option: asked of the core, cut to Discord's limits, and confining nobody."""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.playground.vendors.discord.interactions import _choices as judged
from bot.playground.vendors.discord.world import Interaction, InteractionKind
from commands.catalogue import COMMANDS_BY_NAME
from commands.command import Asker, Option, Services, Subcommand
from commands.messages import FormChoice
from commands.ports.chat import Options
from platform_adapters.chat.discord.inbound import _choices as drawn
from platform_adapters.chat.discord.tree import build_tree, register
from tests.discord_adapter.drawing_support import WORDS
from tests.discord_adapter.loopback import ANA, APP, GENERAL, GUILD, Answering, Loopback, running
from tests.discord_adapter.test_inbound import answered
from tests.discord_adapter.test_render import THOROUGHLY


async def _suggest(_services: Services, _asker: Asker, _typed: str) -> Sequence[FormChoice]:
    raise AssertionError("the adapter asks the inbound port, not the catalogue")


OPTION = "account"
_LAPSED = COMMANDS_BY_NAME["lapsed"]
_OPTIONS = (Option(name=OPTION, description="x", suggest=_suggest), Option(name="client", description="x"))
_RETIRE = Subcommand(name="retire", description="x", options=_OPTIONS)
SEARCHES = (
    replace(_LAPSED, name="search", options=_OPTIONS, subcommands=()),
    replace(_LAPSED, name="admin", options=(), subcommands=(_RETIRE,)),
)


@pytest.fixture
async def discord(inbound: Answering) -> AsyncIterator[Loopback]:
    """The adapter, connected, with commands whose options suggest."""
    async with running(inbound) as loopback:
        rest = loopback.platform._rest
        assert rest is not None
        assert await register(rest, str(APP), build_tree(SEARCHES))
        yield loopback


@THOROUGHLY
@given(st.lists(st.builds(FormChoice, value=WORDS, label=WORDS), max_size=60))
@pytest.mark.behaviour("C-9")
def test_no_choices_exceed_a_limit(choices: list[FormChoice]) -> None:
    """Row 21: at most 25, of 100 characters each, none of them twice; a value is never cut to another one."""
    shown = drawn(choices)
    asked = Interaction(1, "t", InteractionKind.AUTOCOMPLETE, ANA, GENERAL, GUILD, 0.0, "lapsed", {}, focused_type=3)
    assert judged({"choices": shown}, asked) == shown
    assert {one["value"] for one in shown} <= {choice.value for choice in choices}
    assert len({one["value"] for one in shown}) == len(shown)
    json.dumps(shown, ensure_ascii=False).encode()


@pytest.mark.behaviour("C-9")
async def test_choices_are_asked_of_the_core_with_all_that_it_needs(discord: Loopback, inbound: Answering) -> None:
    inbound.offered = (FormChoice("7012345678901234567", "TikTok · Acme DE"),)
    (choice,) = await discord.people.complete(ANA, "search", OPTION, GENERAL, **{OPTION: "acme"})
    assert (choice["name"], choice["value"]) == ("TikTok · Acme DE", "7012345678901234567")
    (asked,) = inbound.asked
    assert (asked.command, asked.subcommand, asked.option, asked.typed) == ("search", "", OPTION, "acme")
    assert (asked.user.external_id, asked.place.workspace) == (str(ANA), str(GUILD))


async def test_an_option_of_a_subcommand_is_asked_for_with_it(discord: Loopback, inbound: Answering) -> None:
    """What else was given already does not get in the way."""
    inbound.offered = (FormChoice("v", "Acme"),)
    await discord.people.complete(ANA, "admin retire", OPTION, client="Brio", **{OPTION: "a"})
    (asked,) = inbound.asked
    assert (asked.command, asked.subcommand, asked.option, asked.typed) == ("admin", "retire", OPTION, "a")
    assert asked.place.is_direct


@pytest.mark.parametrize("typed", ["", " ", "😀" * 3000, "x" * 6000, "\u202e<@1>", "--flag 'a\"b"])
async def test_whatever_is_typed_choices_come(discord: Loopback, inbound: Answering, typed: str) -> None:
    """Row 21: 6,000 characters, emoji and all: it is the core's to make sense of."""
    inbound.offered = tuple(FormChoice(f"v{number}", "😀" * 200) for number in range(60))
    choices = await discord.people.complete(ANA, "search", OPTION, GENERAL, **{OPTION: typed})
    assert len(choices) == 25
    assert inbound.asked[0].typed == typed


async def test_choices_that_take_too_long_are_none(discord: Loopback, inbound: Answering) -> None:
    """Whoever types is not shown a failure, and the next letter is asked for again."""
    inbound.offered = (FormChoice("v", "Acme"),)
    inbound.hold.clear()
    seen = await discord.people.now()
    assert await discord.people.complete(ANA, "search", OPTION, GENERAL) == []
    told = (await discord.people._get("changes", after=seen))["changes"]
    assert [one["status"] for one in told if one["type"] == "interaction"] == ["answered"]
    inbound.hold.set()
    assert len(await discord.people.complete(ANA, "search", OPTION, GENERAL)) == 1


async def test_a_value_that_was_never_offered_is_sent_all_the_same(discord: Loopback, inbound: Answering) -> None:
    """Row 21: Discord confines nobody to the choices; the core is handed what was typed."""
    inbound.offered = (FormChoice("v", "Acme"),)
    await discord.people.complete(ANA, "search", OPTION, GENERAL)
    await discord.people.run(ANA, "search", GENERAL, **{OPTION: "none of them"})
    await answered(discord, ANA, "Here you are.")
    assert inbound.commands[0].arguments == Options(values={OPTION: "none of them"})
