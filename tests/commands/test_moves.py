"""Accounts that moved, in chat: where they went, asking who is connected there, accepting the move (R-7, X-2)."""

from dataclasses import replace

import pytest

from commands import actions
from commands.ids import AuthorizationId
from commands.model import Connection, ConnectionState, Evidence, LapseEnd, Parent, Verdict
from commands.ports.checker import CheckResult
from commands.ports.events import EventKind
from tests.commands.plain import buttons, plain, token
from tests.commands.test_admin_accounts import events
from tests.commands.world import World

BRIO = Parent(id="8002", name="Brio Holding")


async def moved(world: World, name: str = "Acme DE", to: Parent | None = BRIO) -> None:
    """Let an account's open lapse be a move."""
    async with world.storage.transaction() as uow:
        lapse = await uow.lapses.get(world.organization.id, world.lapses[name])
        assert lapse is not None
        evidence = Evidence(check="fake", moved_to=to)
        await uow.lapses.update_cause(replace(lapse, cause=Verdict.ACCOUNT_MOVED, evidence=evidence))


async def under_brio(world: World, name: str) -> AuthorizationId:
    """Let an account that works hang under the new business; give its login."""
    async with world.storage.transaction() as uow:
        await uow.connections.set_parent(world.organization.id, [world.connections[name]], BRIO)
        login = (await uow.connections.get(world.organization.id, world.connections[name])).authorization_id
    assert login is not None
    return login


async def connection(world: World, name: str) -> Connection:
    async with world.storage.reading() as uow:
        return await uow.connections.get(world.organization.id, world.connections[name])


@pytest.mark.behaviour("X-2", "R-7")
async def test_the_details_say_where_it_went_and_who_is_connected_there(world: World) -> None:
    await moved(world)
    await under_brio(world, "Brio Live")
    details = await world.pressed("ada", actions.details_action(world.connections["Acme DE"]))
    said = plain(details)
    assert "It left the Business Center *Acme Business* (`81948194`) for *Brio Holding* (`8002`)." in said
    assert "Connected through it already: @Raj Patel." in said
    assert {"Accept the move", "Ask Raj"} <= set(buttons(details))
    assert "Reconnect" not in buttons(details)
    refused = await world.pressed("ana", actions.reconnect_action(world.connections["Acme DE"]))
    assert "for *Brio Holding*" in plain(refused)
    assert {"Check again"} <= set(buttons(refused))
    assert "Accept the move" not in buttons(refused)


@pytest.mark.behaviour("X-2", "N-8")
async def test_somebody_who_sees_nothing_of_the_others_hears_of_nobody_there(world: World) -> None:
    await moved(world)
    await under_brio(world, "Brio Live")
    details = await world.pressed("sam", actions.details_action(world.connections["Acme DE"]))
    assert "Nobody that you could ask is connected through it yet." in plain(details)
    assert not [label for label in buttons(details) if label.startswith("Ask")]


@pytest.mark.behaviour("X-2")
async def test_where_the_network_does_not_tell_that_is_said(world: World) -> None:
    await moved(world, to=None)
    details = await world.pressed("ada", actions.details_action(world.connections["Acme DE"]))
    assert "TikTok does not say which Business Center it is in now" in plain(details)
    assert "Accept the move" not in buttons(details)
    said = plain(await world.pressed("ada", actions.accept_move_action(world.connections["Acme DE"])))
    assert said.startswith("It is not known where it moved to")


@pytest.mark.behaviour("X-2", "N-2")
async def test_who_is_connected_there_is_asked_once_a_day(world: World) -> None:
    await moved(world)
    await under_brio(world, "Brio Live")
    details = await world.pressed("ada", actions.details_action(world.connections["Acme DE"]))
    press = token(details, "Ask Raj")
    assert "Raj Patel gets a message from you about it." in plain(await world.pressed("ada", press))
    assert "You already asked Raj Patel today" in plain(await world.pressed("ada", press))
    (event,) = await events(world, EventKind.NUDGED)
    assert (event.person_id, event.data["by"]) == (world.people["raj"].id, "Ada King")
    olga = actions.ask_action(world.lapses["Acme DE"], world.people["olga"].id)
    assert "cannot be asked about this account" in plain(await world.pressed("ada", olga))


@pytest.mark.behaviour("R-7", "A-6")
async def test_an_administrator_accepts_after_being_asked_and_reads_the_count(world: World) -> None:
    await moved(world)
    await moved(world, "Brio Shop")
    login = await under_brio(world, "Brio Live")
    account_id = (await connection(world, "Acme DE")).account_id
    world.checker.proves = {login: frozenset({account_id})}
    question = await world.pressed("ada", actions.accept_move_action(world.connections["Acme DE"]))
    assert "Was this move meant?" in plain(question)
    assert "So did Brio Shop: that is 2 accounts in all." in plain(question)
    assert (await connection(world, "Acme DE")).parent != BRIO
    done = await world.pressed("ada", token(question, "Yes, accept it"))
    assert "Checked just now: 1 of 2 accounts work; 1 needs a login of the new business. Waiting: Brio Shop." in plain(
        done
    )
    acme, shop = await connection(world, "Acme DE"), await connection(world, "Brio Shop")
    assert (acme.state, acme.authorization_id, acme.parent) == (ConnectionState.ACTIVE, login, BRIO)
    assert acme.owner_id == world.people["olga"].id, "the owner stays"
    assert (shop.state, shop.authorization_id, shop.parent) == (ConnectionState.LAPSED, None, BRIO)
    history = plain(await world.typed("ada", "lapsed", "history Acme DE"))
    assert "Accepted the move from Acme Business to Brio Holding (8002)." in history


@pytest.mark.behaviour("R-7")
async def test_once_accepted_whoever_has_a_login_there_is_offered_to_reconnect(world: World) -> None:
    await moved(world)
    await world.pressed("ada", actions.accept_move_confirmed_action(world.connections["Acme DE"], BRIO.id))
    offered = await world.pressed("ana", actions.reconnect_action(world.connections["Acme DE"]))
    assert "Reconnect" in buttons(offered)
    details = await world.pressed("raj", actions.details_action(world.connections["Acme DE"]))
    assert "The move was accepted: a login of Brio Holding brings it back." in plain(details)
    again = plain(
        await world.pressed("ada", actions.accept_move_confirmed_action(world.connections["Acme DE"], BRIO.id))
    )
    assert again.startswith("The move has already been accepted.")
    world.checker.result = CheckResult.NOT_POSSIBLE
    checked = plain(await world.pressed("ana", actions.check_action(world.connections["Acme DE"])))
    assert "No login here reaches it" in checked


@pytest.mark.behaviour("R-7", "D-8", "D-6")
async def test_what_waits_for_a_login_there_is_looked_at_again_on_request(world: World) -> None:
    await moved(world)
    await world.pressed("ada", actions.accept_move_confirmed_action(world.connections["Acme DE"], BRIO.id))
    login = await under_brio(world, "Brio Live")
    account_id = (await connection(world, "Acme DE")).account_id
    world.checker.proves = {login: frozenset({account_id})}
    details = await world.pressed("ada", actions.details_action(world.connections["Acme DE"]))
    checked = plain(await world.pressed("ada", token(details, "Check now")))
    assert "it works again. The lapse is over." in checked
    back = await connection(world, "Acme DE")
    assert (back.state, back.authorization_id) == (ConnectionState.ACTIVE, login)
    async with world.storage.reading() as uow:
        (lapse,) = await uow.lapses.history(world.organization.id, back.id, limit=1)
    assert (lapse.ended_how, lapse.ended_by) == (LapseEnd.RECOVERED, None)


@pytest.mark.behaviour("X-2", "N-2")
async def test_who_was_asked_by_one_button_is_not_asked_again_by_another_that_day(world: World) -> None:
    await moved(world)
    await under_brio(world, "Brio Shop")  # of Ana's, who connected Acme DE as well
    nudge = actions.nudge_action(world.lapses["Acme DE"])
    assert "Ana Ruiz gets a message from you" in plain(await world.pressed("ada", nudge))
    ask = actions.ask_action(world.lapses["Acme DE"], world.people["ana"].id)
    assert "You already asked Ana Ruiz today" in plain(await world.pressed("ada", ask))


@pytest.mark.behaviour("R-7", "P-5")
async def test_a_business_that_was_not_shown_is_not_accepted(world: World) -> None:
    await moved(world)
    asked = await world.pressed("ada", actions.accept_move_action(world.connections["Acme DE"]))
    await moved(world, to=Parent(id="9003", name="Cato Holding"))
    said = plain(await world.pressed("ada", token(asked, "Yes, accept it")))
    assert said.startswith("It has changed since this was shown")
    assert (await connection(world, "Acme DE")).parent != Parent(id="9003", name="Cato Holding")


@pytest.mark.behaviour("R-7", "P-5")
@pytest.mark.parametrize("who", ["raj", "ana", "sam"])
async def test_nobody_else_accepts_a_move(world: World, who: str) -> None:
    await moved(world)
    connection_id = world.connections["Acme DE"]
    for action in (
        actions.accept_move_action(connection_id),
        actions.accept_move_confirmed_action(connection_id, BRIO.id),
    ):
        said = plain(await world.pressed(who, action))
        assert said.startswith("Only administrators accept another business.")
    assert (await connection(world, "Acme DE")).parent != BRIO


@pytest.mark.behaviour("R-7")
async def test_a_role_lost_a_move_an_end_and_a_block_are_told_apart(world: World) -> None:
    said = {}
    for cause in (Verdict.ROLE_LOST, Verdict.ACCOUNT_MOVED, Verdict.ACCOUNT_GONE, Verdict.ACCOUNT_DISABLED):
        async with world.storage.transaction() as uow:
            lapse = await uow.lapses.get(world.organization.id, world.lapses["Acme DE"])
            assert lapse is not None
            await uow.lapses.update_cause(replace(lapse, cause=cause))
        details = await world.pressed("ana", actions.details_action(world.connections["Acme DE"]))
        said[cause] = plain(details).splitlines()[1]
        assert ("Reconnect" in buttons(details)) is (cause is Verdict.ROLE_LOST)
        assert "Check now" in buttons(details)
    assert len(set(said.values())) == 4
