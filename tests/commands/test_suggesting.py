"""What is shown while somebody types an option: only what they may see, at most 25, whatever is typed."""

import pytest

from commands.model import ConnectionState, Role
from commands.ports.chat import ChoicesRequest
from tests.commands.world import HERE, World


async def suggested(world: World, name: str, option: str, typed: str, *, command: str = "lapsed") -> list[str]:
    subcommand = {"lapse-admin": "role"}.get(command, "")
    request = ChoicesRequest(
        command=command, subcommand=subcommand, option=option, typed=typed, user=world.user(name), place=HERE
    )
    choices = await world.dispatcher.choices(request)
    assert len(choices) <= 25
    assert all(len(choice.value) <= 100 and len(choice.label) <= 100 for choice in choices)
    return [choice.value for choice in choices]


@pytest.mark.behaviour("C-9")
async def test_accounts_are_suggested_by_the_beginning_of_their_name_or_id(world: World) -> None:
    ids = {name: f"701234567890123456{number}" for number, name in enumerate(("Acme DE", "Brio Shop", "Old Promo"))}
    assert ids["Acme DE"] in await suggested(world, "ada", "account", "acme")
    assert await suggested(world, "ada", "account", "BRIO S") == [ids["Brio Shop"]]
    assert await suggested(world, "ada", "account", ids["Old Promo"][:19]) == [ids["Old Promo"]]
    assert await suggested(world, "ada", "account", "nothing like it") == []
    assert len(await suggested(world, "ada", "account", "")) == 7


@pytest.mark.behaviour("C-9", "N-8")
async def test_only_what_the_asker_may_see_is_suggested(world: World) -> None:
    assert await suggested(world, "sam", "account", "brio") == []
    assert len(await suggested(world, "sam", "account", "")) == 3
    assert await suggested(world, "sam", "client", "") == ["Acme"]
    assert await suggested(world, "olga", "client", "") == ["Acme", "Cato"]
    assert await suggested(world, "ada", "client", "c") == ["Cato", "Acme"], "those that begin so first"
    assert await suggested(world, "stranger", "account", "") == []


@pytest.mark.behaviour("C-9")
async def test_networks_are_suggested_by_any_of_their_names(world: World) -> None:
    assert await suggested(world, "ada", "network", "") == ["linkedin", "tiktok"]
    assert await suggested(world, "ada", "network", "TT") == ["tiktok"]
    assert await suggested(world, "ada", "network", "link") == ["linkedin"]
    assert await suggested(world, "ada", "network", "a", command="subscribe-lapses") == ["all"]


@pytest.mark.behaviour("C-9", "P-5")
async def test_people_are_suggested_to_administrators(world: World) -> None:
    assert await suggested(world, "ada", "person", "ol", command="lapse-admin") == ["olga@example.com"]
    assert "olga@example.com" not in await suggested(world, "ana", "person", "ol", command="lapse-admin")
    assert "Olga Berg" not in await suggested(world, "ana", "person", "sa", command="lapse-admin")


@pytest.mark.behaviour("C-9", "C-10")
@pytest.mark.parametrize("typed", ["x" * 6000, "\U0001f600" * 3000, "%_%", "\x00\u202e%", "'; --", "\ud800/"])
async def test_anything_may_be_typed(world: World, typed: str) -> None:
    """Row 21 of the bad inputs."""
    for option in ("account", "network", "client"):
        assert await suggested(world, "ada", option, typed) == []


@pytest.mark.behaviour("C-9")
async def test_at_most_25_are_suggested(world: World) -> None:
    for number in range(30):
        await world.add_connection(
            f"Shop {number:02}", "tiktok", "Cato", owner="olga", state=ConnectionState.UNCONNECTED
        )
        await world.add_client(f"Client {number:02}")
    assert len(await suggested(world, "ada", "account", "shop")) == 25
    assert len(await suggested(world, "ada", "client", "client")) == 25


@pytest.mark.behaviour("C-9")
async def test_an_option_without_suggestions_and_a_command_that_is_not_there_suggest_nothing(world: World) -> None:
    await world.add_person("Zoe Zett", Role.STAFF)
    assert await suggested(world, "zoe", "show", "") == []
    assert await suggested(world, "zoe", "nonsense", "") == []
    assert await suggested(world, "zoe", "account", "", command="nonsense") == []
