"""The stand-in for Discord, driven by the real discord.py client over a loopback gateway."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import discord
import pytest
from discord import app_commands

from bot.playground.vendors.discord import DiscordPeople, DiscordVendor, LimitConfig, PlayError
from tests.vendors.discord_support import ANA, CONFIG, GENERAL, GUILD, RAJ, SECRET, connected, serving


class Snooze(discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"snooze:(?P<days>\d+)"):
    """A button that keeps its days in its custom id, and so outlives the process that drew it."""

    def __init__(self, days: int) -> None:
        self.days = days
        super().__init__(discord.ui.Button(label=f"Snooze {days} d", custom_id=f"snooze:{days}"))

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction, _item: discord.ui.Item[Any], match: re.Match[str]
    ) -> Snooze:
        return cls(int(match["days"]))

    async def callback(self, interaction: discord.Interaction) -> None:
        await interaction.response.edit_message(content=f"Snoozed {self.days} days", view=None)


class Ask(discord.ui.Modal, title="A note"):
    note: discord.ui.TextInput[Ask] = discord.ui.TextInput(label="Note", custom_id="note", max_length=100)

    async def on_submit(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"Noted: {self.note.value}", ephemeral=True)


class Bot(discord.Client):
    """A small bot with one command of each kind of answer."""

    def __init__(self) -> None:
        super().__init__(intents=discord.Intents(guilds=True), guild_ready_timeout=0.05)
        self.tree = app_commands.CommandTree(self)
        self.left: asyncio.Queue[int] = asyncio.Queue()

    async def setup_hook(self) -> None:
        self.add_dynamic_items(Snooze)

        @self.tree.command(name="lapsed", description="What needs connecting")
        @app_commands.choices(show=[app_commands.Choice(name="list", value="list")])
        async def lapsed(interaction: discord.Interaction, show: str = "list", network: str | None = None) -> None:
            await interaction.response.send_message(f"{show} {network} @everyone", ephemeral=True)

        @lapsed.autocomplete("network")
        async def networks(_interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
            return [app_commands.Choice(name=f"TikTok ({typed})", value="tiktok")]

        @self.tree.command(name="slow", description="Thinks first")
        async def slow(interaction: discord.Interaction) -> None:
            await interaction.response.defer(ephemeral=True)
            await interaction.edit_original_response(content="done")
            await interaction.followup.send("and more", ephemeral=True)

        @self.tree.command(name="note", description="Opens a form")
        async def note(interaction: discord.Interaction) -> None:
            await interaction.response.send_modal(Ask())

        await self.tree.sync()

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        self.left.put_nowait(guild.id)


@dataclass(slots=True)
class Stage:
    vendor: DiscordVendor
    people: DiscordPeople

    @asynccontextmanager
    async def bot(self) -> AsyncIterator[Bot]:
        async with connected(self.vendor, Bot()) as bot:
            yield bot


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with serving(CONFIG) as vendor, DiscordPeople.at(vendor.base_url) as people:
        yield Stage(vendor, people)


async def test_a_client_connects_syncs_and_answers_a_command_privately(stage: Stage) -> None:
    """An ephemeral answer is seen by the asker alone, and a default answer does not ping @everyone."""
    async with stage.bot():
        done = await stage.people.run(ANA, "lapsed", GENERAL, show="list", network="meta")
        assert done["status"] == "answered"
        assert done["message"]["content"] == "list meta @everyone"
        assert done["message"]["ephemeral"]
        assert "Only you can see this" in done["message"]["html"]
        assert len(await stage.people.history(ANA, GENERAL)) == 1
        assert await stage.people.history(RAJ, GENERAL) == []
        assert await stage.people.pings() == []


async def test_commands_work_in_a_dm_and_input_is_held_to_the_registered_tree(stage: Stage) -> None:
    """Wrong choices, unknown options and unknown commands never reach the bot."""
    async with stage.bot():
        assert (await stage.people.run(RAJ, "lapsed"))["message"]["ephemeral"]
        for command, options in (("lapsed", {"show": "nothing"}), ("lapsed", {"colour": "red"}), ("nope", {})):
            with pytest.raises(PlayError):
                await stage.people.run(ANA, command, GENERAL, **options)
        with pytest.raises(PlayError):
            await stage.people.run(RAJ, "lapsed", SECRET)


async def test_autocomplete_modal_and_deferred_answers(stage: Stage) -> None:
    """Choices come while typing, a form can be sent, a deferred answer is filled in and followed up."""
    async with stage.bot():
        choices = await stage.people.complete(ANA, "lapsed", "network", GENERAL, network="tik")
        assert (
            choices == [{"name": "TikTok (tik)", "value": "tiktok", "name_localizations": None}]
            or choices[0]["value"] == "tiktok"
        )
        form = await stage.people.run(ANA, "note", GENERAL)
        assert "A note" in form["modal_html"]
        with pytest.raises(PlayError):
            await stage.people.submit(ANA, form["id"], note="x" * 101)
        sent = await stage.people.submit(ANA, form["id"], note="hello")
        assert sent["message"]["content"] == "Noted: hello"
        await stage.people.run(ANA, "slow", GENERAL)
        more = await stage.people.wait_message(ANA, GENERAL, lambda message: message["content"] == "and more")
        texts = [message["content"] for message in await stage.people.history(ANA, GENERAL)]
        assert more["ephemeral"]
        assert texts == ["Noted: hello", "done", "and more"]


async def test_a_button_outlives_the_client_that_drew_it(stage: Stage) -> None:
    """A DynamicItem pressed after a restart is answered by the new process."""
    async with stage.bot() as bot:
        channel = bot.get_partial_messageable(GENERAL)
        view = discord.ui.View(timeout=None)
        view.add_item(Snooze(3))
        message = await channel.send("Lapsed", view=view, allowed_mentions=discord.AllowedMentions.none())
    failed = await stage.people.press(ANA, message.id, "snooze:3")
    assert failed["status"] == "failed"
    async with stage.bot():
        pressed = await stage.people.press(RAJ, message.id, "snooze:3")
        assert pressed["status"] == "answered"
        (shown,) = await stage.people.history(ANA, GENERAL)
        assert shown["content"] == "Snoozed 3 days"
        assert shown["edited"]
        assert shown["components"] == []
        with pytest.raises(PlayError):
            await stage.people.press(RAJ, message.id, "snooze:3")


async def test_a_dm_is_sent_edited_and_refused_where_it_is_closed(stage: Stage) -> None:
    """Closed DMs are 50007, no mutual server 50278, and the person sees what arrived."""
    async with stage.bot() as bot:
        ana = await bot.fetch_user(ANA)
        message = await ana.send("**Lapsed**", allowed_mentions=discord.AllowedMentions.none())
        await message.edit(content="**Restored**")
        (seen,) = await stage.people.history(ANA)
        assert seen["edited"]
        assert "<strong>Restored</strong>" in seen["html"]
        await stage.people.change_user(ANA, dm_closed=True)
        with pytest.raises(discord.Forbidden) as closed:
            await ana.send("again")
        assert closed.value.code == 50007
        await stage.people.change_user(ANA, dm_closed=False)
        await stage.people.remove_member(GUILD, ANA)
        with pytest.raises(discord.Forbidden) as strangers:
            await ana.send("again")
        assert strangers.value.code == 50278


async def test_a_stable_nonce_makes_one_message_for_about_five_minutes(stage: Stage) -> None:
    """The same nonce answers the earlier message; after five minutes it makes a new one."""
    async with stage.bot() as bot:
        channel = bot.get_partial_messageable(GENERAL)
        first = await channel.send("once", nonce="a-stable-nonce")
        again = await channel.send("once", nonce="a-stable-nonce")
        assert first.id == again.id
        await stage.people.advance_clock(301)
        later = await channel.send("once", nonce="a-stable-nonce")
        assert later.id != first.id
        assert [entry["deduplicated"] for entry in await stage.people.log()] == [False, True, False]


async def test_a_missing_allowed_mentions_is_visible(stage: Stage) -> None:
    """A bot's plain message pings everyone it names unless it says otherwise."""
    async with stage.bot() as bot:
        channel = bot.get_partial_messageable(GENERAL)
        await channel.send(f"<@{ANA}> @everyone", allowed_mentions=discord.AllowedMentions.none())
        assert await stage.people.pings() == []
        await channel.send(f"<@{ANA}> @everyone")
        (ping,) = await stage.people.pings()
        assert ping["pings"]["everyone"]
        assert ping["pings"]["users"] == [str(ANA)]
        assert not ping["allowed_mentions_given"]


async def test_layouts_of_components_v2_pass_and_content_beside_them_is_refused(stage: Stage) -> None:
    """A container with a section and a button is accepted, shown and pressed."""
    async with stage.bot() as bot:
        channel = bot.get_partial_messageable(GENERAL)
        layout = discord.ui.LayoutView(timeout=None)
        section: discord.ui.Section[discord.ui.LayoutView] = discord.ui.Section(
            "# Lapsed", accessory=discord.ui.Button(label="Reconnect", url="https://x.test/r/1")
        )
        row: discord.ui.ActionRow[discord.ui.LayoutView] = discord.ui.ActionRow()
        row.add_item(Snooze(1))
        layout.add_item(discord.ui.Container(section, discord.ui.Separator(), row, accent_colour=0xFF0000))
        message = await channel.send(view=layout)
        (seen,) = await stage.people.history(ANA, GENERAL)
        assert 'class="dc-container dc-accented"' in seen["html"]
        assert 'data-custom-id="snooze:1"' in seen["html"]
        assert seen["text"] == "Lapsed\n⟦link:https://x.test/r/1|Reconnect⟧\n―――\n⟦button:Snooze 1 d⟧"
        with pytest.raises(discord.HTTPException) as refused:
            await message.edit(content="legacy")
        assert refused.value.code == 50035


@pytest.mark.parametrize(
    "build",
    [
        lambda view: view.add_item(discord.ui.Button(label="x", url="https://x.test/" + "a" * 500)),
        lambda view: view.add_item(discord.ui.Button(label="x", custom_id="c" * 101)),
        lambda view: view.add_item(discord.ui.Button(label="x" * 81, custom_id="c")),
        lambda view: [view.add_item(discord.ui.Button(label="x", custom_id="same")) for _ in range(2)],
    ],
    ids=["url over 512", "custom_id over 100", "label over 80", "custom_id twice"],
)
async def test_what_the_library_lets_pass_is_refused(stage: Stage, build: Callable[[discord.ui.View], object]) -> None:
    """discord.py checks none of these; Discord answers 50035."""
    async with stage.bot() as bot:
        view = discord.ui.View(timeout=None)
        build(view)
        with pytest.raises(discord.HTTPException) as refused:
            await bot.get_partial_messageable(GENERAL).send("x", view=view)
        assert (refused.value.status, refused.value.code) == (400, 50035)
        assert await stage.people.log() == []


async def test_long_content_and_heavy_embeds_are_refused(stage: Stage) -> None:
    """2,000 characters of content and 6,000 over all embeds are the end."""
    async with stage.bot() as bot:
        channel = bot.get_partial_messageable(GENERAL)
        heavy = [discord.Embed(description="x" * 3001) for _ in range(2)]
        for arguments in ({"content": "x" * 2001}, {"embeds": heavy}):
            with pytest.raises(discord.HTTPException) as refused:
                await channel.send(**arguments)
            assert refused.value.code == 50035
        with pytest.raises(discord.HTTPException) as empty:
            await channel.send("")
        assert empty.value.code == 50006


async def test_places_the_bot_may_not_enter(stage: Stage) -> None:
    """Unseen channels are 50001, read-only ones 50013, deleted ones 10003; a kick reaches the client."""
    async with stage.bot() as bot:

        async def code(channel: int) -> int:
            with pytest.raises(discord.HTTPException) as refused:
                await bot.get_partial_messageable(channel).send("x")
            return refused.value.code

        assert await code(SECRET) == 50001
        await stage.people.permit(GENERAL, send=False)
        assert await code(GENERAL) == 50013
        await stage.people.delete_channel(GENERAL)
        assert await code(GENERAL) == 10003
        await stage.people.kick_bot(GUILD)
        assert await asyncio.wait_for(bot.left.get(), 5) == GUILD


async def test_a_dropped_reply_and_bad_gateways_leave_one_message(stage: Stage) -> None:
    """A reply lost after acceptance raises at the client; the message is there all the same."""
    async with stage.bot() as bot:
        channel = bot.get_partial_messageable(GENERAL)
        await stage.people.fault("drop", "POST /channels/*/messages")
        with pytest.raises((aiohttp.ClientError, OSError)):
            await channel.send("once", nonce="n1")
        await channel.send("once", nonce="n1")
        assert len(await stage.people.history(ANA, GENERAL)) == 1


async def test_a_429_is_waited_out_only_when_it_came_through_discord(stage: Stage) -> None:
    """With `Via` the client tries again; without, it takes it for the ban and raises at once."""
    async with stage.bot() as bot:
        channel = bot.get_partial_messageable(GENERAL)
        await stage.people.fault("error", "POST /channels/*", status=429, retry_after=0.01)
        await channel.send("waited")
        await stage.people.fault("error", "POST /channels/*", status=429, retry_after=0.01, via=False)
        with pytest.raises(discord.HTTPException) as banned:
            await channel.send("banned")
        assert banned.value.status == 429
        assert (await stage.people.counters())["rejected"] == 2


async def test_a_client_resumes_and_hears_what_it_missed(stage: Stage) -> None:
    """After RECONNECT the session is resumed; after INVALID_SESSION a new one is identified."""
    async with stage.bot():
        seen = await stage.people.now()
        await stage.people.gateway("reconnect")
        await stage.people.wait_for(lambda change: change["type"] == "gateway_resumed", after=seen)
        assert (await stage.people.run(ANA, "lapsed", GENERAL))["status"] == "answered"
        counters = await stage.people.counters()
        assert (counters["identifies"], counters["resumes"]) == (1, 1)


async def test_a_wrong_token_is_refused_by_rest_and_by_the_gateway(stage: Stage) -> None:
    """REST says 401, the gateway closes with 4004, which must not be retried."""
    async with aiohttp.ClientSession() as session:
        headers = {"Authorization": "Bot wrong", "User-Agent": "DiscordBot (https://x.test, 1)"}
        async with session.get(stage.vendor.api_url + "/users/@me", headers=headers) as response:
            assert response.status == 401
        async with session.ws_connect(stage.vendor.gateway_url + "?v=10&encoding=json") as socket:
            assert (await socket.receive_json())["op"] == 10
            await socket.send_json({"op": 2, "d": {"token": "wrong", "intents": 1, "properties": {}}})
            assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
            assert socket.close_code == 4004


async def test_it_works_below_a_prefix() -> None:
    """Mounted as a sub-application, REST and gateway are found below the prefix."""
    async with (
        serving(CONFIG, "/vendors/discord") as vendor,
        DiscordPeople.at(vendor.base_url) as people,
        Stage(vendor, people).bot() as bot,
    ):
        await bot.get_partial_messageable(GENERAL).send("x", file=discord.File(__file__, "chart.png"))
        (message,) = await people.history(ANA, GENERAL)
        async with aiohttp.ClientSession() as session, session.get(message["attachments"][0]["url"]) as response:
            assert response.status == 200


async def test_a_client_that_heeds_the_headers_is_never_refused() -> None:
    """With limits on, discord.py waits as the headers say, and no 429 is ever answered."""
    strict = replace(CONFIG, limits=LimitConfig(per_bucket=2, bucket_seconds=0.1))
    async with (
        serving(strict) as vendor,
        DiscordPeople.at(vendor.base_url) as people,
        Stage(vendor, people).bot() as bot,
    ):
        channel = bot.get_partial_messageable(GENERAL)
        for number in range(6):
            await channel.send(str(number))
        assert [message["content"] for message in await people.history(ANA, GENERAL)] == list("012345")
        assert (await people.counters())["rejected"] == 0


async def test_a_thread_on_a_message_takes_messages(stage: Stage) -> None:
    """A thread is seen by whoever sees its channel."""
    async with stage.bot() as bot:
        message = await bot.get_channel(GENERAL).send("Lapsed")  # type: ignore[union-attr]  # the channel takes messages
        thread = await message.create_thread(name="talk")
        await thread.send("Claimed by Raj")
        assert [one["content"] for one in await stage.people.history(RAJ, thread.id)] == ["Claimed by Raj"]
