"""Who may do what: one table of people x acts, walked through `may`, through commands, and through buttons, also those
drawn before a right was taken away (P-1 to P-5).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import pytest

from commands import actions
from commands.access import Act, may
from commands.ids import PersonId
from commands.model import (
    ConnectionState,
    Person,
    Role,
    Workspace,
)
from tests.commands.access_ways import BUTTONS, COMMANDS, Way, button, changes, lapsed_account
from tests.commands.world import World

SEEING = frozenset(
    {
        Act.SEE,
        Act.RECONNECT,
        Act.CHECK,
        Act.CLAIM,
        Act.SNOOZE,
        Act.NOTE,
        Act.NUDGE,
        Act.PROPOSE_RETIREMENT,
    }
)
MENDING = SEEING | {Act.RETIRE}
GIVING = MENDING | {Act.ASSIGN, Act.TRANSFER, Act.ACCEPT_MOVE, Act.RELEASE_ANOTHERS, Act.ADMINISTER_HERE}
EVERYTHING = GIVING | {Act.ADMINISTER}
NOTHING: frozenset[Act] = frozenset()
IN_TABLE = EVERYTHING


@dataclass(frozen=True)
class Somebody:
    """One line of the table: who, what is so of them, and what they may do to Acme's account."""

    user: str
    acts: frozenset[Act]
    workspace_of: str | None = None
    """The client that the workspace is narrowed to."""
    left: bool = False


# The account is Acme's; Ana connected it, Olga owns it.
TABLE = {
    "primary administrator": Somebody("ada", EVERYTHING),
    "administrator": Somebody("max", EVERYTHING),
    "connector": Somebody("ana", MENDING),
    "owner": Somebody("olga", MENDING),
    "deputy of the connector, limited to another client": Somebody("dee", NOTHING),
    "staff of all clients": Somebody("raj", SEEING),
    "staff of its client": Somebody("sam", SEEING),
    "staff of another client": Somebody("bea", NOTHING),
    "owner of something else": Somebody("otto", NOTHING),
    "stranger": Somebody("nobody", NOTHING),
    "connector who left": Somebody("ana", NOTHING, left=True),
    "administrator who left": Somebody("max", NOTHING, left=True),
    "administrator in its client's workspace": Somebody("max", GIVING, workspace_of="Acme"),
    "administrator in another client's workspace": Somebody("max", frozenset({Act.ADMINISTER_HERE}), "Brio"),
    "connector in its client's workspace": Somebody("ana", MENDING, workspace_of="Acme"),
    "connector in another client's workspace": Somebody("ana", NOTHING, workspace_of="Brio"),
}


async def staffed(world: World) -> None:
    """Add whom the table needs besides the agency."""
    await world.add_person("Max Holm", Role.ADMINISTRATOR)
    await world.add_person("Dee Fox", Role.STAFF, clients=("Brio",))
    await world.add_person("Bea Moss", Role.STAFF, clients=("Brio",))
    await world.add_person("Otto Pike", Role.OWNER)
    await world.add_person("Kim Vale", Role.STAFF)
    await changed(world, "ana", deputy_id=world.people["dee"].id)


async def changed(world: World, who: str, **changes: object) -> None:
    async with world.storage.transaction() as uow:
        person = await uow.people.get(world.organization.id, world.people[who].id)
        await uow.people.update(replace(person, **changes))  # type: ignore[arg-type]  # a test names the fields


async def narrowed(world: World, client: str) -> None:
    async with world.storage.transaction() as uow:
        here: Workspace = (await uow.organizations.workspaces(world.organization.id))[0]
        await uow.organizations.update_workspace(replace(here, client_ids=frozenset({world.clients[client]})))


NOBODY_TO_ASK = {("connector", "nudge"), ("connector in its client's workspace", "nudge")}
"""A connector would nudge themselves."""


async def set_up(world: World, somebody: Somebody) -> None:
    await staffed(world)
    if somebody.left:
        await changed(world, somebody.user, left_at=world.clock.now())
    if somebody.workspace_of is not None:
        await narrowed(world, somebody.workspace_of)


def acting(world: World, somebody: Somebody, person: Person) -> Person:
    """The person as they are where they ask."""
    client = somebody.workspace_of
    return replace(person, within=None if client is None else frozenset({world.clients[client]}))


@pytest.mark.behaviour("P-1", "P-2", "P-3", "P-4")
@pytest.mark.parametrize("name", [name for name in TABLE if name != "stranger"])
async def test_the_one_function_says_what_the_table_says(world: World, name: str) -> None:
    somebody = TABLE[name]
    await set_up(world, somebody)
    account = await lapsed_account(world, 1)
    async with world.storage.reading() as uow:
        person = await uow.people.get(world.organization.id, world.people[somebody.user].id)
        view = await uow.connections.view(world.organization.id, account.connection_id)
    who = acting(world, somebody, person)
    assert {act for act in IN_TABLE if may(who, act, view)} == somebody.acts


@pytest.mark.behaviour("P-1", "P-2", "P-3", "P-4", "P-5")
@pytest.mark.parametrize("ways", [COMMANDS, BUTTONS], ids=["commands", "buttons"])
@pytest.mark.parametrize("name", TABLE)
async def test_everybody_can_do_just_what_the_table_says(
    world: World, name: str, ways: dict[str, tuple[Act, Way]]
) -> None:
    somebody = TABLE[name]
    await set_up(world, somebody)
    wrong = []
    for number, (way_name, (act, way)) in enumerate(ways.items(), 1):
        if (name, way_name) in NOBODY_TO_ASK or (
            way_name == "retire" and Act.SEE in somebody.acts and act not in somebody.acts
        ):
            continue  # who may not retire proposes it: a test of its own
        account = await lapsed_account(world, number)
        if await way(world, somebody.user, account) is not (act in somebody.acts):
            wrong.append((way_name, act in somebody.acts))
    assert wrong == []


TAKEN_AWAY: dict[str, tuple[str, Callable[[World], Awaitable[None]], frozenset[Act]]] = {
    "an administrator becomes an owner": ("max", lambda world: changed(world, "max", role=Role.OWNER), NOTHING),
    "an administrator becomes staff": ("max", lambda world: changed(world, "max", role=Role.STAFF), SEEING),
    "staff are limited to another client": (
        "raj",
        lambda world: changed(world, "raj", client_ids=frozenset({world.clients["Brio"]})),
        NOTHING,
    ),
    "staff lose the client": ("sam", lambda world: changed(world, "sam", client_ids=frozenset()), NOTHING),
    "the connector leaves": ("ana", lambda world: changed(world, "ana", left_at=world.clock.now()), NOTHING),
    "the workspace is narrowed to another client": (
        "ada",
        lambda world: narrowed(world, "Brio"),
        frozenset({Act.ADMINISTER_HERE}),
    ),
    "the chat account is unlinked": ("max", lambda world: _unlinked(world, "max"), NOTHING),
}


async def _unlinked(world: World, who: str) -> None:
    person_id: PersonId = world.people[who].id
    async with world.storage.transaction() as uow:
        for identity in (await uow.people.identities(world.organization.id, [person_id]))[person_id]:
            await uow.people.unlink(world.organization.id, identity.id)


@pytest.mark.behaviour("P-5")
@pytest.mark.parametrize("name", TAKEN_AWAY)
async def test_a_button_drawn_before_a_right_was_taken_away_does_nothing_any_more(world: World, name: str) -> None:
    who, take_away, left = TAKEN_AWAY[name]
    await staffed(world)
    accounts = {way_name: await lapsed_account(world, number) for number, way_name in enumerate(BUTTONS, 1)}
    await world.typed(who, "lapsed")  # the buttons are those of this list and its details
    await take_away(world)
    done = set()
    for way_name, (act, way) in BUTTONS.items():
        if act in left:
            continue
        if way_name == "retire" and Act.PROPOSE_RETIREMENT in left:
            continue
        if await way(world, who, accounts[way_name]):
            done.add(way_name)
    assert done == set()


@pytest.mark.behaviour("N-11")
@pytest.mark.parametrize("who", ["raj", "sam"])
async def test_whoever_may_not_retire_an_account_proposes_it_by_the_same_button(world: World, who: str) -> None:
    await staffed(world)
    account = await lapsed_account(world, 1)
    propose = changes("connection.retirement_proposed", button(actions.retire_confirmed_action))
    assert await propose(world, who, account)
    async with world.storage.reading() as uow:
        connection = await uow.connections.get(world.organization.id, account.connection_id)
    assert connection.state is ConnectionState.LAPSED
