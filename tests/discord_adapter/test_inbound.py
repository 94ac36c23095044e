"""Commands, buttons and menus as people at Discord use them."""

import asyncio

import pytest

from bot.playground.vendors.discord import DiscordVendor
from commands.messages import ActionRef, Button, Buttons, LinkButton, Message, Text, line, say
from commands.ports.chat import Acknowledgement, Address, AddressKind, CommandRequest, Options
from tests.discord_adapter.loopback import ANA, GENERAL, GUILD, RAJ, Answering, Loopback
from tests.discord_adapter.test_post import delivery

RECONNECT = ActionRef("reconnect", ("a1",))
NOTICE = Message((Text(line("Lapsed")), Buttons((Button("Reconnect", RECONNECT),), (Button("Details", RECONNECT),))))


async def posted(discord: Loopback, message: Message = NOTICE) -> str:
    address = Address(platform="discord", tenant="", kind=AddressKind.CHANNEL, external_id=str(GENERAL))
    return (await discord.platform.post(address, message, delivery())).message


async def answered(discord: Loopback, who: int, words: str, channel: int | None = GENERAL) -> dict[str, object]:
    return await discord.people.wait_message(who, channel, lambda message: words in message["text"])


@pytest.mark.behaviour("C-9")
async def test_options_arrive_by_name_and_people_by_their_id(discord: Loopback, inbound: Answering) -> None:
    await discord.people.run(ANA, "lapsed", GENERAL, show="who", account="Acme: EU", person=str(RAJ))
    message = await answered(discord, ANA, "Here you are.")
    assert message["ephemeral"]
    (request,) = inbound.commands
    assert request == CommandRequest(
        name="lapsed",
        arguments=Options(values={"show": "who", "account": "Acme: EU", "person": f"@{RAJ}"}),
        user=request.user,
        place=request.place,
    )
    assert (request.user.platform, request.user.tenant, request.user.external_id) == ("discord", "", str(ANA))
    assert request.user.name == "Ana Ruiz"
    assert (request.place.workspace, request.place.workspace_name) == (str(GUILD), "Acme")
    assert (request.place.channel, request.place.is_direct, request.place.is_shared) == (str(GENERAL), False, False)


async def test_a_subcommand_arrives_as_an_option(discord: Loopback, inbound: Answering) -> None:
    await discord.people.run(ANA, "lapse-admin claim", GENERAL, code="ABC")
    await answered(discord, ANA, "Here you are.")
    assert inbound.commands[0].name == "lapse-admin"
    assert inbound.commands[0].arguments == Options(values={"subcommand": "claim", "code": "ABC"})


async def test_a_direct_message_belongs_to_no_server(discord: Loopback, inbound: Answering) -> None:
    await discord.people.run(ANA, "lapsed")
    await answered(discord, ANA, "Here you are.", None)
    place = inbound.commands[0].place
    assert (place.workspace, place.workspace_name, place.is_direct) == (None, "", True)


async def test_a_request_is_acknowledged_before_it_is_carried_out(discord: Loopback, inbound: Answering) -> None:
    """However long carrying out takes, Discord has its answer first."""
    inbound.hold.clear()
    done = await discord.people.run(ANA, "lapsed", GENERAL)
    assert done["status"] == "deferred"
    assert done["message"]["loading"]
    assert done["message"]["ephemeral"]
    await inbound.entered.wait()
    inbound.hold.set()
    assert not (await answered(discord, ANA, "Here you are."))["loading"]


@pytest.mark.behaviour("P-5")
async def test_a_forged_button_reaches_the_core_as_it_is(discord: Loopback, inbound: Answering) -> None:
    """A token that nobody drew, or drew long ago, is the core's to answer."""
    message = await posted(discord, Message((Buttons((Button("Old", ActionRef("gone", ("1", "2"))),)),)))
    inbound.answer = say("This button is out of date.")
    await discord.people.press(RAJ, message, "gone:1:2")
    assert (await answered(discord, RAJ, "out of date"))["ephemeral"]
    assert [request.token for request in inbound.actions] == ["gone:1:2"]


@pytest.mark.parametrize(("status", "code"), [(404, 10062), (400, 40060)])
async def test_what_came_too_late_is_not_carried_out(
    discord: Loopback, inbound: Answering, status: int, code: int
) -> None:
    """Interactions that Discord has given up, or somebody else has answered, have no effect here."""
    message = await posted(discord)
    await discord.people.fault("error", "POST /interactions/*/callback", status=status, code=code)
    seen = await discord.people.now()
    failed = await discord.people.press(ANA, message, RECONNECT.encode())
    assert failed["status"] == "failed"
    await discord.people.press(RAJ, message, RECONNECT.encode())
    await discord.people.wait_for(
        lambda change: change["type"] == "interaction" and change["status"] == "answered", after=seen
    )
    assert [request.user.external_id for request in inbound.actions] == [str(RAJ)]


async def test_what_a_resumed_session_sends_again_is_carried_out_once(discord: Loopback, inbound: Answering) -> None:
    """Discord repeats what it thinks was missed; an interaction counts by its id."""
    await discord.people.run(ANA, "lapsed", GENERAL)
    await answered(discord, ANA, "Here you are.")
    await replay(discord.vendor)
    await discord.people.run(RAJ, "lapsed", GENERAL)
    await answered(discord, RAJ, "Here you are.")
    assert [request.user.external_id for request in inbound.commands] == [str(ANA), str(RAJ)]


async def replay(vendor: DiscordVendor) -> None:
    """Send the last interaction over the gateway once more; the stand-in has no order for it."""
    (session,) = vendor._world.sessions.live
    last = [frame for _, frame in session.buffer if frame["t"] == "INTERACTION_CREATE"][-1]
    await session.dispatch("INTERACTION_CREATE", last["d"])


async def test_an_answer_that_does_not_arrive_ends_nothing(discord: Loopback, inbound: Answering) -> None:
    await discord.people.fault("error", "PATCH /webhooks/*", status=400, code=50035)
    seen = await discord.people.now()
    await discord.people.run(ANA, "lapsed", GENERAL)
    await discord.people.wait_for(
        lambda change: change["type"] == "request" and change["path"].startswith("/webhooks"), after=seen
    )
    await discord.people.run(RAJ, "lapsed", GENERAL)
    await answered(discord, RAJ, "Here you are.")
    assert len(inbound.commands) == 2


async def test_an_update_replaces_a_private_answer_in_a_direct_message_too(
    discord: Loopback, inbound: Answering
) -> None:
    inbound.answer = Message((Text(line("Page 1")), Buttons((Button("Turn", RECONNECT),))))
    inbound.acknowledgements[RECONNECT.encode()] = Acknowledgement.UPDATE
    await discord.people.run(ANA, "lapsed")
    first = await answered(discord, ANA, "Page 1", None)
    inbound.answer = say("Page 2")
    await discord.people.press(ANA, str(first["id"]), RECONNECT.encode())
    second = await answered(discord, ANA, "Page 2", None)
    assert second["id"] == first["id"]
    assert len(await discord.people.history(ANA)) == 1


async def test_what_is_being_carried_out_is_answered_before_we_stop(idle: Loopback, inbound: Answering) -> None:
    """The gateway closes first; whoever asked before still gets the answer."""

    async def let_go_once_disconnected(after: int) -> None:
        await idle.people.wait_for(lambda change: change["type"] == "gateway_disconnected", after=after)
        inbound.hold.set()

    async with asyncio.TaskGroup() as tasks:
        async with idle.platform.running(inbound):
            await idle.connected()
            inbound.hold.clear()
            await idle.people.run(ANA, "lapsed", GENERAL)
            await inbound.entered.wait()
            tasks.create_task(let_go_once_disconnected(await idle.people.now()))
    assert "Here you are." in (await idle.people.history(ANA, GENERAL))[-1]["text"]


async def test_nobody_is_ever_pinged(discord: Loopback, inbound: Answering) -> None:
    inbound.answer = Message((Text(line("@everyone <@1>")), Buttons((LinkButton("Open", "https://x.test/r/1"),))))
    await discord.people.run(ANA, "lapsed", GENERAL)
    await answered(discord, ANA, "everyone")
    await posted(discord, inbound.answer)
    assert await discord.people.pings() == []
    assert all(entry["allowed_mentions_given"] for entry in await discord.people.log())
