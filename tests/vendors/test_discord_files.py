"""Pictures and replies: the stand-in with the real discord.py."""

from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace

import aiohttp
import discord
import pytest

from bot.playground.vendors.discord import DiscordConfig, DiscordPeople, DiscordVendor
from tests.vendors.discord_support import ANA, CONFIG, GENERAL, GUILD, RAJ, TOKEN, connected, serving

BOT = {"Authorization": f"Bot {TOKEN}", "User-Agent": "DiscordBot (https://x.test, 1)"}


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


PNG = (
    b"\x89PNG\r\n\x1a\n"
    + _chunk(b"IHDR", struct.pack(">IIBBBBB", 3, 2, 8, 0, 0, 0, 0))
    + _chunk(b"IDAT", zlib.compress(b"\x00\x00\x00\x00" * 2))
    + _chunk(b"IEND", b"")
)
"""Three pixels wide, two high."""


def picture(description: str | None = None, data: bytes = PNG) -> discord.File:
    return discord.File(io.BytesIO(data), "chart.png", description=description)


@dataclass(slots=True)
class Stage:
    vendor: DiscordVendor
    people: DiscordPeople
    bot: discord.Client

    @property
    def channel(self) -> discord.PartialMessageable:
        return self.bot.get_partial_messageable(GENERAL, guild_id=GUILD)


@pytest.fixture
def config() -> DiscordConfig:
    return CONFIG


@pytest.fixture
async def stage(config: DiscordConfig) -> AsyncIterator[Stage]:
    client = discord.Client(intents=discord.Intents(guilds=True), guild_ready_timeout=0.05)
    async with (
        serving(config) as vendor,
        DiscordPeople.at(vendor.base_url) as people,
        connected(vendor, client) as bot,
    ):
        yield Stage(vendor, people, bot)


async def test_a_picture_is_attached_shown_and_fetched(stage: Stage) -> None:
    """Its size is read from the file itself, and its description is the text for those who cannot see it."""
    message = await stage.channel.send("Stats", file=picture("Lapses <per> week"))
    (attachment,) = message.attachments
    assert (attachment.width, attachment.height, attachment.description) == (3, 2, "Lapses <per> week")
    assert await attachment.read() == PNG
    (seen,) = await stage.people.history(RAJ, GENERAL)
    assert 'alt="Lapses &lt;per&gt; week"' in seen["html"]
    assert seen["text"] == "Stats\n⟦file:chart.png⟧"


async def test_a_file_that_is_no_picture_is_shown_as_a_file(stage: Stage) -> None:
    """Whatever its name says."""
    await stage.channel.send("Stats", file=picture(data=b"GIF?"))
    (seen,) = await stage.people.history(ANA, GENERAL)
    assert "<img" not in seen["html"]
    assert 'class="dc-file"' in seen["html"]


async def test_an_embed_shows_an_attached_picture(stage: Stage) -> None:
    """It is shown once, in the embed, and is no attachment to whoever reads the message."""
    embed = discord.Embed(title="Stats")
    embed.set_image(url="attachment://chart.png")
    message = await stage.channel.send(embed=embed, file=picture())
    assert message.attachments == []
    assert (message.embeds[0].image.width, message.embeds[0].image.height) == (3, 2)
    (seen,) = await stage.people.history(ANA, GENERAL)
    assert seen["html"].count("<img") == 1


async def test_a_layout_shows_an_attached_picture_and_refuses_one_that_is_not_there(stage: Stage) -> None:
    """A gallery names its picture; a name without a file is refused."""
    layout = discord.ui.LayoutView(timeout=None)
    gallery: discord.ui.MediaGallery[discord.ui.LayoutView] = discord.ui.MediaGallery()
    gallery.add_item(media="attachment://chart.png", description="Lapses per week")
    layout.add_item(discord.ui.Container(discord.ui.TextDisplay("Stats"), gallery))
    with pytest.raises(discord.HTTPException) as refused:
        await stage.channel.send(view=layout)
    assert refused.value.code == 50035
    await stage.channel.send(view=layout, file=picture())
    (seen,) = await stage.people.history(ANA, GENERAL)
    assert seen["text"] == "Stats\n⟦picture:Lapses per week⟧"
    assert 'alt="Lapses per week"' in seen["html"]
    assert seen["html"].count("<img") == 1


async def test_an_edit_keeps_replaces_and_removes_files(stage: Stage) -> None:
    """Files stay unless an edit lists others; listed ones may be kept beside new ones."""
    message = await stage.channel.send("1", file=picture("first"))
    message = await message.edit(content="2")
    assert [one.description for one in message.attachments] == ["first"]
    message = await message.edit(attachments=[*message.attachments, picture("second")])
    assert [one.description for one in message.attachments] == ["first", "second"]
    message = await message.edit(attachments=[picture("third")])
    assert [one.description for one in message.attachments] == ["third"]
    message = await message.edit(content="3", attachments=[])
    assert message.attachments == []


async def test_files_outside_the_rules_are_refused(stage: Stage) -> None:
    """Ten files, 10 MiB each, 1,024 characters about each."""
    with pytest.raises(discord.HTTPException) as large:
        await stage.channel.send(file=discord.File(io.BytesIO(b"x" * (10 * 1024 * 1024 + 1)), "x.png"))
    assert (large.value.status, large.value.code) == (413, 40005)
    with pytest.raises(discord.HTTPException) as long:
        await stage.channel.send(file=picture("x" * 1025))
    assert long.value.code == 50035
    message = await stage.channel.send(files=[picture() for _ in range(10)])
    with pytest.raises(discord.HTTPException) as many:
        await message.add_files(picture())
    assert many.value.code == 50035


@pytest.mark.parametrize(
    ("field", "attachments"),
    [("file", []), ("files[0]", [{"id": 1, "filename": "chart.png"}]), ("files[0]", "chart.png")],
    ids=["unnumbered", "another number", "no list"],
)
async def test_a_file_and_what_is_said_of_it_must_fit(stage: Stage, field: str, attachments: object) -> None:
    """On the wire files are named files[n], and are listed by that n."""
    form = aiohttp.FormData()
    form.add_field("payload_json", json.dumps({"content": "x", "attachments": attachments}))
    form.add_field(field, PNG, filename="chart.png", content_type="image/png")
    url = f"{stage.vendor.api_url}/channels/{GENERAL}/messages"
    async with aiohttp.ClientSession() as http, http.post(url, data=form, headers=BOT) as response:
        assert (response.status, (await response.json())["code"]) == (400, 50035)


async def test_a_reply_stands_below_what_it_answers(stage: Stage) -> None:
    """It names its message, shows how that began, and outlives it."""
    notice = await stage.channel.send("**Lapsed**: Acme\nand more")
    reply = await notice.reply("Raj is on it", mention_author=False)
    assert reply.type is discord.MessageType.reply
    assert reply.reference is not None
    assert isinstance(reply.reference.resolved, discord.Message)
    assert reply.reference.resolved.id == notice.id
    _, seen = await stage.people.history(ANA, GENERAL)
    assert seen["reply_to"] == str(notice.id)
    assert "<b>@Lapsebot</b> Lapsed: Acme</div>" in seen["html"]
    assert seen["text"] == "Raj is on it"
    await notice.delete()
    (seen,) = await stage.people.history(ANA, GENERAL)
    assert "Original message was deleted" in seen["html"]


async def test_a_reply_to_what_is_gone_is_refused_or_becomes_a_plain_message(stage: Stage) -> None:
    """`fail_if_not_exists` decides."""
    gone = await stage.channel.send("Lapsed")
    await gone.delete()
    with pytest.raises(discord.HTTPException) as refused:
        await stage.channel.send("x", reference=gone.to_reference(fail_if_not_exists=True))
    assert refused.value.code == 50035
    assert "Unknown message" in refused.value.text
    plain = await stage.channel.send("x", reference=gone.to_reference(fail_if_not_exists=False))
    assert plain.type is discord.MessageType.default
    assert plain.reference is None


class TestJustInstalled:
    """A server where everybody may only read: the bot has what it was installed with and nothing else."""

    @pytest.fixture
    def config(self) -> DiscordConfig:
        reading = (1 << 10) | (1 << 11)
        return replace(CONFIG, guilds=(replace(CONFIG.guilds[0], everyone=reading),))

    async def test_files_threads_and_replies_need_their_own_permission(self, stage: Stage) -> None:
        message = await stage.channel.send("Lapsed")
        attempts: dict[str, Callable[[], Awaitable[object]]] = {
            "file": lambda: stage.channel.send(file=picture()),
            "edit": lambda: message.edit(attachments=[picture()]),
            "reply": lambda: message.reply("x"),
            "thread": lambda: message.create_thread(name="x"),
        }
        codes = {}
        for name, attempt in attempts.items():
            with pytest.raises(discord.HTTPException) as refused:
                await attempt()
            codes[name] = refused.value.code
        assert codes == {"file": 50013, "edit": 50013, "reply": 160002, "thread": 50013}
        await stage.people.install_bot(GUILD, 1 << 15 | 1 << 16)
        await stage.channel.send(file=picture())
        await message.reply("x")
