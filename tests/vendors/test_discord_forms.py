"""Forms, choices while typing, and private answers that change in place: the stand-in with the real discord.py."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import discord
import pytest
from discord import app_commands

from bot.playground.vendors.discord import DiscordPeople, DiscordVendor, PlayError
from bot.playground.vendors.discord.modal_rules import ModalRules
from bot.playground.vendors.discord.wire import ApiError, FormErrors, Payload
from tests.vendors.discord_support import ANA, CONFIG, GENERAL, RAJ, connected, serving


class Subscribe(discord.ui.Modal, title="What to hear of"):
    """A form as discord.py 2.7 writes it: labels around a text, a menu, and a menu of people."""

    note: discord.ui.Label[Any] = discord.ui.Label(
        text="Note",
        description="Shown to nobody",
        component=discord.ui.TextInput(custom_id="note", required=False, max_length=20, default="as before"),
    )
    networks: discord.ui.Label[Any] = discord.ui.Label(
        text="Networks",
        component=discord.ui.Select(
            custom_id="networks",
            max_values=2,
            options=[
                discord.SelectOption(label="Facebook", value="facebook", default=True),
                discord.SelectOption(label="TikTok", value="tiktok", description="and its Business Center"),
                discord.SelectOption(label="LinkedIn", value="linkedin"),
            ],
        ),
    )
    person: discord.ui.Label[Any] = discord.ui.Label(
        text="Person", component=discord.ui.UserSelect(custom_id="person", required=False, min_values=0)
    )

    async def on_submit(self, interaction: discord.Interaction) -> None:
        note, networks, person = (label.component for label in (self.note, self.networks, self.person))
        assert isinstance(note, discord.ui.TextInput)
        assert isinstance(networks, discord.ui.Select)
        assert isinstance(person, discord.ui.UserSelect)
        people = [(type(one).__name__, one.name) for one in person.values]
        said = f"{note.value} | {','.join(networks.values)} | {people}"
        if interaction.message is None:
            await interaction.response.send_message(said, ephemeral=True)
        else:
            await interaction.response.edit_message(content=said, view=None)


class Bot(discord.Client):
    """Opens the form from a command and from a button, offers choices, and pages a private list."""

    def __init__(self) -> None:
        super().__init__(intents=discord.Intents(guilds=True), guild_ready_timeout=0.05)
        self.tree = app_commands.CommandTree(self)
        self.typed: list[str] = []
        self.offered = 1

    async def setup_hook(self) -> None:
        @self.tree.command(name="subscribe", description="Opens a form")
        async def subscribe(interaction: discord.Interaction) -> None:
            await interaction.response.send_modal(Subscribe())

        @self.tree.command(name="list", description="A paged list")
        async def paged(interaction: discord.Interaction, account: str = "") -> None:
            view = discord.ui.View(timeout=None)
            view.add_item(discord.ui.Button(label="Next", custom_id="next"))
            view.add_item(discord.ui.Button(label="Form", custom_id="form"))
            await interaction.response.send_message("Page 1", view=view, ephemeral=True)

        @paged.autocomplete("account")
        async def accounts(_: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
            self.typed.append(typed)
            return [app_commands.Choice(name=f"Account {one}", value=str(one)) for one in range(self.offered)]

        await self.tree.sync()

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        pressed = interaction.data.get("custom_id") if interaction.data else None
        if interaction.type is not discord.InteractionType.component:
            return
        if pressed == "next":
            await interaction.response.edit_message(content="Page 2")
        elif pressed == "form":
            await interaction.response.send_modal(Subscribe())


@dataclass(slots=True)
class Stage:
    vendor: DiscordVendor
    people: DiscordPeople
    bot: Bot


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with (
        serving(CONFIG) as vendor,
        DiscordPeople.at(vendor.base_url) as people,
        connected(vendor, Bot()) as bot,
    ):
        yield Stage(vendor, people, bot)


async def test_a_form_of_labels_is_filled_in_and_submitted(stage: Stage) -> None:
    """Text, a choice and a person arrive as the library reads them, the person with their membership."""
    form = await stage.people.run(ANA, "subscribe", GENERAL)
    assert form["status"] == "answered"
    assert form["message"] is None
    for part in ("What to hear of", "Shown to nobody", 'value="as before"', "and its Business Center", "Ana Ruiz"):
        assert part in form["modal_html"]
    sent = await stage.people.submit(ANA, form["id"], note="mine", networks=["tiktok", "linkedin"], person=[str(RAJ)])
    assert sent["message"]["content"] == "mine | tiktok,linkedin | [('Member', 'raj')]"
    assert sent["message"]["ephemeral"]


async def test_what_is_left_alone_keeps_what_the_form_filled_in(stage: Stage) -> None:
    """Defaults are sent, an emptied text is sent empty, and in a DM a person is a user without a membership."""
    form = await stage.people.run(ANA, "subscribe")
    sent = await stage.people.submit(ANA, form["id"])
    assert sent["message"]["content"] == "as before | facebook | []"
    form = await stage.people.run(ANA, "subscribe")
    sent = await stage.people.submit(ANA, form["id"], note="", person=[str(ANA)])
    assert sent["message"]["content"] == " | facebook | [('User', 'ana')]"


@pytest.mark.parametrize(
    "values",
    [
        {"note": "x" * 21},
        {"networks": []},
        {"networks": ["facebook", "tiktok", "linkedin"]},
        {"networks": ["myspace"]},
        {"person": ["1"]},
        {"colour": "red"},
    ],
    ids=["too long", "required", "too many", "not offered", "nobody", "unknown input"],
)
async def test_a_form_that_the_client_would_not_send_is_not_sent(stage: Stage, values: dict[str, Any]) -> None:
    """It stays open, and can be sent once it is mended; nobody else can send it."""
    form = await stage.people.run(ANA, "subscribe", GENERAL)
    with pytest.raises(PlayError):
        await stage.people.submit(ANA, form["id"], **values)
    with pytest.raises(PlayError):
        await stage.people.submit(RAJ, form["id"])
    assert (await stage.people.submit(ANA, form["id"]))["status"] == "answered"


async def test_a_form_is_closed_or_sent_once(stage: Stage) -> None:
    """The bot hears nothing of a closed form, and a sent one is gone."""
    closed = await stage.people.run(ANA, "subscribe", GENERAL)
    await stage.people.close(ANA, closed["id"])
    sent = await stage.people.run(ANA, "subscribe", GENERAL)
    await stage.people.submit(ANA, sent["id"])
    for form in (closed, sent):
        with pytest.raises(PlayError):
            await stage.people.submit(ANA, form["id"])
    assert len(await stage.people.history(ANA, GENERAL)) == 1


async def test_a_form_that_got_no_answer_stays_open(stage: Stage) -> None:
    """Something went wrong: the same form can be sent again."""
    form = await stage.people.run(ANA, "subscribe", GENERAL)
    await stage.people.fault("error", "POST /interactions/*/callback", status=404, code=10062)
    assert (await stage.people.submit(ANA, form["id"]))["status"] == "failed"
    assert (await stage.people.submit(ANA, form["id"]))["status"] == "answered"


async def test_a_private_list_turns_its_page_in_place(stage: Stage) -> None:
    """A press updates the message that only one person sees, and a form opened from it can as well."""
    first = (await stage.people.run(ANA, "list", GENERAL))["message"]
    turned = await stage.people.press(ANA, first["id"], "next")
    assert turned["answered_with"] == 7
    assert (turned["message"]["id"], turned["message"]["content"]) == (first["id"], "Page 2")
    assert turned["message"]["ephemeral"]
    form = await stage.people.press(ANA, first["id"], "form")
    sent = await stage.people.submit(ANA, form["id"], note="n")
    assert (sent["message"]["id"], sent["message"]["content"]) == (first["id"], "n | facebook | []")
    assert await stage.people.history(RAJ, GENERAL) == []
    with pytest.raises(PlayError):
        await stage.people.press(RAJ, first["id"], "next")


async def test_choices_are_offered_while_one_types_and_any_text_may_be_sent(stage: Stage) -> None:
    """Long text and emoji are typed as well as anything; what is sent need not be one of the choices."""
    for typed in ("", "😀" * 3000, "x" * 6000):
        (choice,) = await stage.people.complete(ANA, "list", "account", GENERAL, account=typed)
        assert choice["value"] == "0"
    assert stage.bot.typed == ["", "😀" * 3000, "x" * 6000]
    assert (await stage.people.run(ANA, "list", GENERAL, account="none of them"))["status"] == "answered"


async def test_more_than_twenty_five_choices_are_refused(stage: Stage) -> None:
    """Nothing is offered then."""
    stage.bot.offered = 26
    assert await stage.people.complete(ANA, "list", "account", GENERAL, account="a") == []
    stage.bot.offered = 25
    assert len(await stage.people.complete(ANA, "list", "account", GENERAL, account="a")) == 25


def _label(component: Payload, **more: object) -> Payload:
    return {"type": 18, "label": "x", "component": component, **more}


def _text(**more: object) -> Payload:
    return {"type": 4, "custom_id": "t", "style": 1, **more}


def _menu(**more: object) -> Payload:
    return {"type": 3, "custom_id": "m", "options": [{"label": "a", "value": "a"}], **more}


GOOD: tuple[Payload, ...] = (
    _label(_text(label=None, min_length=1, max_length=4000, placeholder="p" * 100)),
    _label(_menu(required=False, min_values=0, placeholder="p" * 150), label="x" * 45, description="d" * 100),
    _label({"type": 5, "custom_id": "u", "default_values": [{"id": str(ANA), "type": "user"}]}),
    {"type": 1, "components": [_text(custom_id="old", label="x")]},
    {"type": 10, "content": "Some words"},
)


def _judged(*components: Payload, **more: object) -> None:
    errors = FormErrors()
    ModalRules(errors).modal({"custom_id": "c", "title": "t", "components": list(components), **more})
    errors.raise_any()


def test_a_form_at_its_limits_is_taken() -> None:
    """Five components, a title of 45, and each input as long as it may be."""
    _judged(*GOOD, title="t" * 45, custom_id="c" * 100)


@pytest.mark.parametrize(
    ("components", "more"),
    [
        (GOOD, {"title": "t" * 46}),
        (GOOD, {"title": ""}),
        (GOOD, {"custom_id": "c" * 101}),
        ((*GOOD, {"type": 10, "content": "a sixth"}), {}),
        ((), {}),
        ((_text(),), {}),
        ((_label(_text(style=3)),), {}),
        ((_label(_text(max_length=4001)),), {}),
        ((_label(_text(min_length=5, max_length=4)),), {}),
        ((_label(_text(max_length=4, value="12345")),), {}),
        ((_label(_text(value="x" * 4001)),), {}),
        ((_label(_text(placeholder="p" * 101)),), {}),
        ((_label(_text()), _label(_text())), {}),
        ((_label(_text(), label="x" * 46),), {}),
        ((_label(_text(), description="x" * 101),), {}),
        ((_label(_menu(disabled=True)),), {}),
        ((_label(_menu(min_values=0)),), {}),
        ((_label(_menu(options=[])),), {}),
        ((_label(_menu(options=[{"label": str(n), "value": str(n)} for n in range(26)])),), {}),
        ((_label({"type": 2, "style": 1, "label": "x", "custom_id": "b"}),), {}),
        (({"type": 1, "components": [_text()]},), {}),
        (({"type": 1, "components": [_menu()]},), {}),
    ],
    ids=[
        "title",
        "no title",
        "custom_id",
        "six components",
        "none",
        "text input without a label",
        "style",
        "max_length",
        "min above max",
        "value above max",
        "value",
        "placeholder",
        "custom_id twice",
        "label",
        "description",
        "disabled",
        "required with none",
        "no options",
        "26 options",
        "a button",
        "row without label",
        "menu in a row",
    ],
)
def test_a_form_outside_its_limits_is_refused(components: tuple[Payload, ...], more: dict[str, object]) -> None:
    """discord.py checks hardly any of these; Discord answers 50035."""
    with pytest.raises(ApiError) as refused:
        _judged(*components, **more)
    assert refused.value.code == 50035


class Stubborn(discord.ui.Modal, title="Once more"):
    """Answers its own sending with another form, which the library lets pass."""

    note: discord.ui.Label[Any] = discord.ui.Label(text="Note", component=discord.ui.TextInput(required=False))

    def __init__(self, refusals: list[int]) -> None:
        super().__init__()
        self._refusals = refusals

    async def on_submit(self, interaction: discord.Interaction) -> None:
        try:
            await interaction.response.send_modal(Stubborn(self._refusals))
        except discord.HTTPException as refused:
            self._refusals.append(refused.code)
        await interaction.response.send_message("Then in words.", ephemeral=True)


async def test_a_form_cannot_answer_the_sending_of_one(stage: Stage) -> None:
    """It is refused as a body that makes no sense, and another answer is still taken."""
    refusals: list[int] = []

    @stage.bot.tree.command(name="stubborn", description="Opens a form")
    async def stubborn(interaction: discord.Interaction) -> None:
        await interaction.response.send_modal(Stubborn(refusals))

    await stage.bot.tree.sync()
    form = await stage.people.run(ANA, "stubborn", GENERAL)
    assert (await stage.people.submit(ANA, form["id"]))["message"]["content"] == "Then in words."
    assert refusals == [50035]
