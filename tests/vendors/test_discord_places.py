"""People who come and go, servers that the bot joins and leaves, outages: the stand-in with the real discord.py."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import discord
import pytest

from bot.playground.vendors.discord import ChannelConfig, DiscordPeople, DiscordVendor, GuildConfig
from tests.vendors.discord_support import ANA, CONFIG, GUILD, RAJ, connected, serving

OTHER, LOUNGE = 400_000_000_000_000_002, 500_000_000_000_000_009
WORLD = replace(
    CONFIG,
    guilds=(
        *CONFIG.guilds,
        GuildConfig(
            id=OTHER,
            name="Brio",
            members=frozenset({RAJ}),
            channels=(ChannelConfig(id=LOUNGE, name="lounge"),),
            bot_installed=False,
        ),
    ),
)


class Bot(discord.Client):
    """Keeps what it hears of servers."""

    def __init__(self) -> None:
        super().__init__(intents=discord.Intents(guilds=True), guild_ready_timeout=0.05)
        self.heard: asyncio.Queue[tuple[str, int]] = asyncio.Queue()

    async def on_guild_join(self, guild: discord.Guild) -> None:
        self.heard.put_nowait(("join", guild.id))

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        self.heard.put_nowait(("remove", guild.id))

    async def on_guild_unavailable(self, guild: discord.Guild) -> None:
        self.heard.put_nowait(("unavailable", guild.id))

    async def on_guild_available(self, guild: discord.Guild) -> None:
        self.heard.put_nowait(("available", guild.id))

    async def next(self) -> tuple[str, int]:
        return await asyncio.wait_for(self.heard.get(), 5)


@dataclass(slots=True)
class Stage:
    vendor: DiscordVendor
    people: DiscordPeople
    bot: Bot


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with (
        serving(WORLD) as vendor,
        DiscordPeople.at(vendor.base_url) as people,
        connected(vendor, Bot()) as bot,
    ):
        assert await bot.next() == ("available", GUILD)
        yield Stage(vendor, people, bot)


async def test_a_server_is_joined_and_left(stage: Stage) -> None:
    """A join comes with the server's channels; a kick is told apart from an outage."""
    await stage.people.install_bot(OTHER)
    assert await stage.bot.next() == ("join", OTHER)
    assert stage.bot.get_channel(LOUNGE) is not None
    await stage.people.switch_guild(OTHER, available=False)
    assert await stage.bot.next() == ("unavailable", OTHER)
    await stage.people.switch_guild(OTHER, available=True)
    assert await stage.bot.next() == ("available", OTHER)
    await stage.people.kick_bot(OTHER)
    assert await stage.bot.next() == ("remove", OTHER)
    with pytest.raises(discord.HTTPException) as refused:
        await stage.bot.get_partial_messageable(LOUNGE).send("x")
    assert refused.value.code == 50001


async def test_a_server_that_was_left_meanwhile_is_not_there_on_the_next_start(stage: Stage) -> None:
    """A bot that was away learns of what it missed by what is not there."""
    await stage.bot.close()
    await stage.people.kick_bot(GUILD)
    await stage.people.install_bot(OTHER)
    async with connected(stage.vendor, Bot()) as later:
        assert [guild.id for guild in later.guilds] == [OTHER]


async def test_a_member_is_found_until_they_leave(stage: Stage) -> None:
    """10007 once they have left, 10013 for nobody, 10004 for a server that the bot is not in."""
    guild = stage.bot.get_guild(GUILD)
    assert guild is not None
    assert (await guild.fetch_member(RAJ)).name == "raj"
    await stage.people.remove_member(GUILD, RAJ)
    with pytest.raises(discord.NotFound) as left:
        await guild.fetch_member(RAJ)
    assert left.value.code == 10007
    with pytest.raises(discord.NotFound) as nobody:
        await guild.fetch_member(1)
    assert nobody.value.code == 10013
    await stage.people.add_member(GUILD, RAJ)
    assert (await guild.fetch_member(RAJ)).id == RAJ
    await stage.people.kick_bot(GUILD)
    with pytest.raises(discord.NotFound) as unknown:
        await guild.fetch_member(ANA)
    assert unknown.value.code == 10004


async def test_a_person_of_another_server_is_reached_there(stage: Stage) -> None:
    """One server in common is enough for a direct message; none is 50278."""
    raj = await stage.bot.fetch_user(RAJ)
    await stage.people.install_bot(OTHER)
    await stage.people.remove_member(GUILD, RAJ)
    await raj.send("Lapsed")
    await stage.people.remove_member(OTHER, RAJ)
    with pytest.raises(discord.Forbidden) as refused:
        await raj.send("Lapsed")
    assert refused.value.code == 50278
