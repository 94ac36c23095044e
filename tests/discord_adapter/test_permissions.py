"""What the install link asks for: with just that everything works, and with any of it less something does not."""

from dataclasses import replace

import pytest

from bot.playground.vendors.discord.world import Channel, ChannelKind
from commands.errors import DeliveryError
from commands.messages import say
from platform_adapters.chat.discord.settings import PERMISSIONS
from tests.discord_adapter.loopback import ANA, GENERAL, GUILD, WORLD, Loopback, stage
from tests.discord_adapter.test_pictures import STATS
from tests.discord_adapter.test_post import delivery, to

BARE = replace(WORLD, guilds=tuple(replace(guild, everyone=0) for guild in WORLD.guilds))
"""Servers in which everybody may nothing, so that the bot has what it was installed with and no more."""
BITS = [bit for bit in range(64) if PERMISSIONS >> bit & 1]


async def _does_all_that_we_do(discord: Loopback) -> bool:
    """Post and edit, with a picture, answer with a reply, and write in a thread that somebody opened."""
    try:
        return await _all_that_we_do(discord)
    except DeliveryError:
        return False


async def _all_that_we_do(discord: Loopback) -> bool:
    ref = await discord.platform.post(to(GENERAL), say("Lapsed"), delivery())
    await discord.platform.update(ref, STATS)
    reply = await discord.platform.post(to(GENERAL), say("Raj is on it"), delivery(), under=ref)
    world = discord.vendor._world
    world.channels[77] = Channel(77, ChannelKind.THREAD, "talk", GUILD, parent_id=GENERAL)
    await discord.platform.post(to(77), say("Lapsed"), delivery())
    return world.messages[int(reply.message)].reply_to == int(ref.message)


@pytest.mark.behaviour("A-2")
async def test_what_the_install_link_asks_for_is_enough() -> None:
    async with stage(BARE) as discord, discord.platform.running(None):
        await discord.people.install_bot(GUILD, PERMISSIONS)
        assert await _does_all_that_we_do(discord)


@pytest.mark.behaviour("A-2")
@pytest.mark.parametrize("bit", BITS)
async def test_nothing_of_it_could_be_left_out(bit: int) -> None:
    async with stage(BARE) as discord, discord.platform.running(None):
        await discord.people.install_bot(GUILD, PERMISSIONS & ~(1 << bit))
        assert not await _does_all_that_we_do(discord)


async def test_where_nothing_can_be_replied_to_it_stands_by_itself() -> None:
    """A server that let us in before we asked for the history: its channel is not lost over it."""
    async with stage(BARE) as discord, discord.platform.running(None):
        await discord.people.install_bot(GUILD, PERMISSIONS & ~(1 << 16))
        ref = await discord.platform.post(to(GENERAL), say("Lapsed"), delivery())
        await discord.platform.post(to(GENERAL), say("Raj is on it"), delivery(), under=ref)
        _, reply = await discord.people.history(ANA, GENERAL)
        assert (reply["text"], reply["reply_to"]) == ("Raj is on it", None)
