"""A second judge: simcord's Discord, which is not ours, with the adapter's own client, tree, renderer and receiver."""

from collections import deque

import discord
import pytest
import simcord

from commands.catalogue import COMMANDS
from commands.messages import ActionRef, Button, Buttons, Heading, LinkButton, Mark, Message, Row, Rows, line, say
from platform_adapters.chat.discord.bodies import COMPONENTS_V2, NOBODY
from platform_adapters.chat.discord.gateway import GatewayClient
from platform_adapters.chat.discord.inbound import Receiver
from platform_adapters.chat.discord.render import render
from platform_adapters.chat.discord.rest import Rest
from platform_adapters.chat.discord.settings import read_settings
from platform_adapters.chat.discord.tree import build_tree, register
from tests.discord_adapter.loopback import Answering, Pauses, drawn_at_once
from tests.discord_adapter.test_settings import FULL
from tests.support.clock import FakeClock

RECONNECT = ActionRef("reconnect", ("a1",))
LIST = Message(
    (
        Heading(line("Needs connecting: 1")),
        Rows((Row(Mark.LAPSED, line("Acme @everyone"), line("since Monday"), Button("Reconnect", RECONNECT)),)),
        Buttons(
            (LinkButton("Open", "https://lapsebot.test/r/1"),), (Button("Details", ActionRef("details", ("a1",))),)
        ),
    )
)


class SimulatedRest(Rest):
    """The adapter's requests, through a client that simcord has attached."""

    client: discord.Client

    async def _logged_in(self) -> discord.Client:
        return self.client


def made(inbound: Answering) -> tuple[GatewayClient, Rest]:
    """The adapter's client as it runs, with its requests going through simcord's transport."""
    settings = read_settings(FULL)
    assert settings is not None
    intents = discord.Intents.none()
    intents.guilds = True
    rest = SimulatedRest(settings, FakeClock())
    receiver = Receiver(rest, inbound, drawn_at_once, FakeClock())
    rest.client = client = GatewayClient(receiver=receiver, identifies=deque(), pause=Pauses(), intents=intents)
    return client, rest


async def test_a_command_is_answered_privately(inbound: Answering) -> None:
    inbound.answer = LIST
    client, rest = made(inbound)
    async with simcord.run(client) as env:
        await register(rest, str(client.application_id), build_tree(COMMANDS))
        guild = env.create_guild()
        channel = guild.create_text_channel("general")
        ana = guild.add_member(env.create_user("ana"))
        result = await ana.slash(channel, "lapsed", show="list")
        assert result.ephemeral
        assert result.response is not None
        assert RECONNECT.encode() in str(result.response.components)
        assert inbound.commands[0].place.workspace == str(guild.id)
        assert inbound.commands[0].user.external_id == str(ana.id)


@pytest.mark.behaviour("N-9")
async def test_a_button_that_no_view_knows_is_pressed(inbound: Answering) -> None:
    """Posted as raw components, as by a process long gone: nothing in this one ever drew it."""
    inbound.answer = say("Yours alone.")
    client, rest = made(inbound)
    async with simcord.run(client) as env:
        guild = env.create_guild()
        channel = guild.create_text_channel("general")
        ana = guild.add_member(env.create_user("ana"))
        body = {"components": render(LIST), "flags": COMPONENTS_V2, "allowed_mentions": dict(NOBODY)}
        await rest.message("POST", "/channels/{channel_id}/messages", body=body, channel_id=str(channel.id))
        posted = channel.last_message
        assert posted is not None
        result = await ana.click(posted, custom_id=RECONNECT.encode())
        assert result.ephemeral
        assert [request.token for request in inbound.actions] == [RECONNECT.encode()]
