"""`/lapse-admin` about people: owners, links, roles, clients, leaving, chat accounts; every mistake has an answer."""

from dataclasses import replace

import pytest

from commands import actions
from commands.ids import SubscriptionId, new_id
from commands.messages import ActionRef, ChoiceField, FieldErrors, Message, TextField
from commands.model import Channel, Role, Subscription
from commands.ports.events import EventKind
from commands.ports.reconnecting import PassPurpose
from tests.commands.admin import events, person, says
from tests.commands.plain import buttons, plain, token
from tests.commands.world import CHANNEL, NOWHERE, PLATFORM, TENANT, World


@pytest.mark.behaviour("C-8")
async def test_owners_are_listed_the_most_in_need_first_each_with_a_link_to_send(world: World) -> None:
    await world.typed("ada", "lapse-admin", "transfer Brio Live to ana")
    message = await world.typed("ada", "lapse-admin", "owners")
    assert plain(message) == (
        "*2 owners* · 2 accounts of theirs to be connected\n"
        "🔒 *Olga Berg* · olga@example.com · 2 of 2 accounts to be connected [Send link] [Accounts]\n"
        "✅ *Ana Ruiz* · ana@example.com · 1 account, all work [Send link] [Accounts]"
    )
    sent = plain(await world.pressed("ada", token(message, "Send link 1")))
    assert sent.startswith("✅ *Olga Berg* gets a message with the link to their accounts.")
    assert [event.person_id for event in await events(world, EventKind.LINK_SENT)] == [world.people["olga"].id]
    assert "Acme DE" in plain(await world.pressed("ada", token(message, "Accounts 1")))


@pytest.mark.behaviour("C-8")
async def test_a_long_list_of_owners_turns_its_pages(world: World) -> None:
    for number in range(10):
        name = f"Owner{number} Test"
        await world.add_person(name, Role.OWNER)
        await world.add_connection(f"Theirs {number}", "tiktok", "Cato", owner=f"owner{number}")
    first = plain(await world.typed("ada", "lapse-admin", "owners"))
    assert "1–8 of 11 ›" in first
    second = await world.pressed("ada", actions.admin_list_action("owners", 8))
    assert "‹ 9–11 of 11" in plain(second)
    beyond = await world.pressed("ada", actions.admin_list_action("owners", 800))
    assert plain(beyond) == plain(second), "a list that grew shorter shows its last page"


@pytest.mark.behaviour("C-8")
async def test_a_link_is_sent_once_a_day_and_can_be_copied_at_any_time(world: World) -> None:
    await world.typed("ada", "lapse-admin", "send-link olga")
    again = await world.typed("ada", "lapse-admin", "send-link olga")
    assert plain(again).startswith("*Olga Berg* already got their link today")
    copied = plain(await world.pressed("ada", token(again, "Copy their link")))
    address = copied.splitlines()[1].strip("`")
    assert address.startswith("https://lapsebot.example/p/")
    async with world.storage.reading() as uow:
        passes = await uow.passes.of(world.organization.id, world.people["olga"].id, PassPurpose.ACCOUNTS)
        entries = await uow.audit.latest(world.organization.id, limit=10)
    assert [one.made_by for one in passes] == [world.people["ada"].id]
    secret = address.rpartition("/")[2]
    assert not any(secret in f"{entry.subject}{entry.detail}" for entry in entries), "a secret is in no log"


@pytest.mark.behaviour("C-8")
async def test_who_can_be_reached_nowhere_is_not_sent_a_link_but_has_one_to_be_copied(world: World) -> None:
    await world.typed("ada", "lapse-admin", "unlink olga")
    async with world.storage.transaction() as uow:
        claimant = replace(world.people["olga"], id=new_id(world.clock.now()), name="Eve Nolan", email=None)  # type: ignore[arg-type]  # a UUID
        await uow.people.add(claimant)
    message = await world.typed("ada", "lapse-admin", "send-link Eve")
    assert plain(message).startswith("*Eve Nolan* has neither a chat account nor an email address here.")
    assert "Copy their link" in buttons(message)


@pytest.mark.behaviour("C-8")
async def test_an_owner_is_added_in_words_options_or_a_form_and_gets_their_link(world: World) -> None:
    assert "✅ Added: *Mia Wong*, owner." in await says(world, "ada", "add-owner Mia Wong mia@example.com")
    chosen = {"subcommand": "add-owner", "name": "Lee Ho", "email": "Lee@Example.com"}
    assert "✅ Added: *Lee Ho*, owner." in await says(world, "ada", chosen)
    offered = await world.typed("ada", "lapse-admin", "add-owner")
    form = await world.form("ada", token(offered, "Fill in a form"))
    filled: dict[str, tuple[str, ...]] = {"name": ("Bo Lind",), "email": ("bo@example.com",)}
    said = await world.sent_off("ada", form.action, filled)
    assert isinstance(said, Message)
    assert "✅ Added: *Bo Lind*" in plain(said)
    async with world.storage.reading() as uow:
        added = await uow.people.by_email(world.organization.id, "lee@example.com")
    assert added is not None
    assert added.role is Role.OWNER
    assert len(await events(world, EventKind.LINK_SENT)) == 3


@pytest.mark.behaviour("C-8")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("add-owner Mia Wong", "The email address is missing"),
        ("add-owner mia@example.com", "The name is missing."),
        ("add-owner Mia mia@", "“mia@” is not an email address."),
        ("add-owner Olga olga@example.com", "*Olga Berg* already has this address, as owner. Nothing changed."),
        ("send-link nobody", "I don't know anybody called “nobody” here."),
        ("send-link Olga Bergg", "Did you mean *Olga Berg*?"),
        ("send-link @U-stranger", "This chat account is nobody's here yet."),
        ("send-link", "Who should get the link to their accounts?"),
        ("transfer Acme DE", "Who should own it? Write “to” before them."),
        ("transfer to olga", "Which account, or whose accounts (client:NAME)?"),
        ("transfer Nowhere to olga", "I don't know an account “Nowhere”."),
        ("transfer Acme to olga", "Which one? *“Acme”* matches several."),
        ("transfer client:Acmee to olga", "I don't know a client called “Acmee”. Did you mean *Acme*?"),
        ("transfer Acme DE to olga", "Olga Berg owns that already; nothing changed."),
        ("transfer Brio Shop to sam", "*Sam Lee* has no access to client Brio, so nothing was transferred."),
        ("role", "Whose role, and which"),
        ("role raj boss", "I don't know a role called “boss”."),
        ("role raj staff", "Raj Patel is staff already; nothing changed."),
        ("role ada staff", "Only another administrator can change your own role."),
        ("clients sam", "Whose clients, and which?"),
        ("clients sam to Acme, Bio", "I don't know a client called “Bio”. Did you mean *Brio*?"),
        ("clients olga all", "Only staff are limited to clients."),
        ("clients sam Acme", "That is already so; nothing changed."),
        ("copies raj on", "Raj Patel is staff: copies of first notices go to administrators."),
        ("copies ada", "On or off?"),
        ("copies ada on", "That is already so; nothing changed."),
        ("leaves ada", "Only another administrator can say that you leave."),
        ("leaves raj to raj", "Somebody who leaves cannot take over from themselves."),
        ("leaves", "Who leaves?"),
        ("unlink ada", "Only another administrator can forget your own chat account."),
        ("link nobody", "I don't know anybody called “nobody” here."),
        ("retire Acme", "matches several"),
        ("assign Brio Live to raj", "It is not lapsed, so there is nothing to see to."),
        ("assign Brio Shop to sam", "Sam Lee may not see accounts of client Brio."),
        ("ownrs", "I don't know “ownrs”. Did you mean *owners*?"),
        ("claim X", "This workspace already belongs to *Agency*."),
    ],
)
async def test_every_mistake_gets_an_answer_that_leads_on_and_changes_nothing(
    world: World, words: str, said: str
) -> None:
    assert said in await says(world, "ada", words)
    async with world.storage.reading() as uow:
        assert await uow.audit.latest(world.organization.id, limit=10) == []


async def test_two_people_of_one_name_are_told_apart_by_their_addresses(world: World) -> None:
    async with world.storage.transaction() as uow:
        other = replace(world.people["olga"], id=new_id(world.clock.now()), email="olga.b@example.com")  # type: ignore[arg-type]  # a UUID
        await uow.people.add(other)
    said = await says(world, "ada", "send-link Olga Berg")
    assert "Who? *“Olga Berg”* matches several people." in said
    assert "`olga@example.com`" in said
    assert "✅" in await says(world, "ada", "send-link olga.b@example.com")


@pytest.mark.behaviour("C-8")
@pytest.mark.parametrize(
    ("words", "role"),
    [
        ("role raj administrator", Role.ADMINISTRATOR),
        ("role @U-raj admin", Role.ADMINISTRATOR),
        ("role Raj Patel to primary administrator", Role.PRIMARY_ADMINISTRATOR),
        ({"subcommand": "role", "person": "raj@example.com", "role": "owner"}, Role.OWNER),
        ('role "Raj Patel" owner', Role.OWNER),
    ],
)
async def test_a_role_is_given(world: World, words: str | dict[str, str], role: Role) -> None:
    assert "✅ *Raj Patel* is " in await says(world, "ada", words)
    assert (await person(world, "raj"))[0] is role


@pytest.mark.behaviour("C-8")
async def test_who_is_primary_administrator_only_a_primary_one_says_and_the_last_one_stays(world: World) -> None:
    await world.add_person("Max Holm", Role.ADMINISTRATOR)
    for words in ("role ada staff", "role raj primary", "leaves ada", "link ada", "unlink ada"):
        assert "Only a primary administrator can say" in await says(world, "max", words)
    copied = plain(await world.pressed("max", actions.copy_link_action(world.people["ada"].id)))
    assert "Only a primary administrator can say" in copied
    assert "✅" in await says(world, "ada", "role max primary administrator")
    assert "✅ *Ada King* is staff" in await says(world, "max", "role ada staff")
    assert (await person(world, "ada"))[0] is Role.STAFF


@pytest.mark.behaviour("C-8", "N-8")
@pytest.mark.parametrize(
    ("words", "limits"),
    [
        ("clients sam to Acme, Brio", {"Acme", "Brio"}),
        ("clients Sam Lee Acme, Brio", {"Acme", "Brio"}),
        ("clients @U-sam acme and CATO", {"Acme", "Cato"}),
        ("clients sam all", None),
        ({"subcommand": "clients", "person": "sam@example.com", "clients": "Cato"}, {"Cato"}),
    ],
)
async def test_staff_are_limited_to_clients(world: World, words: str | dict[str, str], limits: set[str] | None) -> None:
    assert "✅ *Sam Lee* is staff: sees " in await says(world, "ada", words)
    assert (await person(world, "sam"))[1] == (None if limits is None else frozenset(limits))


async def test_who_is_made_staff_again_sees_no_more_than_before(world: World) -> None:
    await says(world, "ada", "role sam administrator")
    await says(world, "ada", "role sam staff")
    assert (await person(world, "sam"))[1] == frozenset({"Acme"})


@pytest.mark.behaviour("C-8", "N-5")
async def test_an_administrator_can_be_left_out_of_copies(world: World) -> None:
    await says(world, "ada", "role raj administrator")
    assert "gets no copies" in await says(world, "ada", "copies raj off")
    assert (await person(world, "raj"))[2] is False


@pytest.mark.behaviour("C-8", "N-5")
async def test_a_primary_administrator_cannot_be_left_out_of_copies_and_is_told_why(world: World) -> None:
    said = await says(world, "ada", "copies ada off")
    assert said.startswith("Ada King is primary administrator. A primary administrator always gets the copies")
    assert (await person(world, "ada"))[2] is True
    async with world.storage.transaction() as uow:
        await uow.people.update(replace(world.people["ada"], immediate_notices=False))
    assert "• *Ada King*, primary administrator, copied on first notices" in await says(world, "ada", "settings")
    assert await says(world, "ada", "copies ada on") == "That is already so; nothing changed."


@pytest.mark.behaviour("C-8")
async def test_role_clients_and_copies_have_a_form_filled_with_what_is_so(world: World) -> None:
    offered = await world.typed("ada", "lapse-admin", "role sam")
    form = await world.form("ada", token(offered, "Change"))
    by_name = {field.name: field for field in form.fields}
    role, clients = by_name["role"], by_name["clients"]
    assert isinstance(role, ChoiceField)
    assert role.chosen == ("staff",)
    assert isinstance(clients, ChoiceField)
    assert [choice.label for choice in clients.choices if choice.value in clients.chosen] == ["Acme"]
    brio = next(choice.value for choice in clients.choices if choice.label == "Brio")
    wrong = await world.sent_off("ada", form.action, {"role": ("staff",), "clients": ("Nowhere",)})
    said = await world.sent_off("ada", form.action, {"role": ("staff",), "clients": (brio,), "copies": ("on",)})
    assert isinstance(said, Message)
    assert (await person(world, "sam"))[:2] == (Role.STAFF, frozenset({"Brio"}))
    assert wrong == FieldErrors((("clients", "I don't know a client called “Nowhere”."),))


@pytest.mark.behaviour("X-6")
async def test_a_deputy_is_named_beforehand_in_the_form_and_is_asked_when_somebody_leaves(world: World) -> None:
    form = await world.form("ada", actions.role_action(world.people["ana"].id))
    filled: dict[str, tuple[str, ...]] = {"role": ("owner",), "copies": ("on",), "deputy": ("raj",)}
    assert isinstance(await world.sent_off("ada", form.action, filled), Message)
    form = again = await world.form("ada", actions.role_action(world.people["ana"].id))
    assert next(field.value for field in again.fields if isinstance(field, TextField)) == "raj@example.com"
    for words, said in (("nobody", "Nobody else here is called"), ("ana", "Nobody else here is called")):
        refused = await world.sent_off("ada", form.action, {**filled, "deputy": (words,)})
        assert isinstance(refused, FieldErrors)
        assert refused.by_field[0][1].startswith(said)
    assert "Raj Patel is asked to take it over." in await says(world, "ada", "leaves ana")
    assert "It goes on working for now. Administrators are asked to take it over." in await says(
        world, "ada", "leaves raj"
    )


async def test_an_administrators_own_form_leaves_their_role_alone_but_sets_the_rest(world: World) -> None:
    action = (await world.form("ada", actions.role_action(world.people["ada"].id))).action
    own: dict[str, tuple[str, ...]] = {"role": ("primary_administrator",), "deputy": ("raj",)}
    assert isinstance(await world.sent_off("ada", action, own), Message)
    async with world.storage.reading() as uow:
        ada = await uow.people.get(world.organization.id, world.people["ada"].id)
    assert (ada.role, ada.deputy_id) == (Role.PRIMARY_ADMINISTRATOR, world.people["raj"].id)
    action = (await world.form("ada", action)).action
    copies = await world.sent_off("ada", action, {**own, "copies": ("off",)})
    assert isinstance(copies, FieldErrors)
    assert copies.by_field[0][1].startswith("A primary administrator always gets the copies")
    refused = await world.sent_off("ada", action, {"role": ("administrator",), "copies": ("off",)})
    assert isinstance(refused, Message)
    assert plain(refused) == "Only another administrator can change your own role."


@pytest.mark.behaviour("P-6")
async def test_a_one_time_link_is_made_for_a_person_and_their_chat_accounts_can_be_forgotten(world: World) -> None:
    said = await says(world, "ada", "link olga")
    assert "https://lapsebot.example/link/" in said
    assert "✅ Forgotten: 1 chat account of *Olga Berg*." in await says(world, "ada", "unlink olga")
    assert plain(await world.typed("olga", "lapsed")).startswith("I don't know who you are yet.")
    assert "has no chat account linked here; nothing changed." in await says(world, "ada", "unlink olga")


@pytest.mark.behaviour("C-8")
async def test_what_channels_hear_is_listed_with_a_button_that_ends_it(world: World) -> None:
    assert (await says(world, "ada", "channels")).startswith("No channel hears of lapses yet.")
    await world.typed("raj", "subscribe-lapses", "here tiktok client:Acme")
    listed = await world.typed("ada", "lapse-admin", "channels")
    assert "✅ `C1` · Agency · hears of TikTok lapses of client Acme" in plain(listed)
    ended = plain(await world.pressed("ada", token(listed, "End 1")))
    assert ended == "The channel `C1` no longer hears of *TikTok lapses of client Acme*."
    async with world.storage.reading() as uow:
        assert await uow.subscriptions.all(world.organization.id) == []
    again = plain(await world.pressed("ada", token(listed, "End 1")))
    assert again.startswith("This is gone")


@pytest.mark.behaviour("C-8")
async def test_a_persons_own_opt_in_is_not_ended_by_a_channels_button(world: World) -> None:
    now = world.clock.now()
    own = Subscription(
        id=SubscriptionId(new_id(now)),
        organization_id=world.organization.id,
        person_id=world.people["raj"].id,
        channel=None,
        network=None,
        client_id=None,
        created_at=now,
    )
    there = replace(
        own,
        id=SubscriptionId(new_id(now)),
        channel=Channel(platform=PLATFORM, tenant=TENANT, external_id=CHANNEL),
    )
    async with world.storage.transaction() as uow:
        assert await uow.subscriptions.add(own)
        assert await uow.subscriptions.add(there)
    await world.pressed("ada", actions.end_channel_action(own.id))
    await world.pressed("ada", actions.end_channel_action(there.id))
    async with world.storage.reading() as uow:
        assert await uow.subscriptions.all(world.organization.id) == [own]


@pytest.mark.behaviour("X-11")
async def test_a_workspace_is_narrowed_to_clients_and_widened_again(world: World) -> None:
    assert "only client Acme is spoken of" in await says(world, "ada", "workspace Acme")
    said = plain(await world.typed("ada", "lapsed", "all"))
    assert "Brio" not in said
    assert "Acme DE" in said
    assert "In this workspace only some clients are spoken of" in await says(world, "ada", "people")
    assert "all clients are spoken of" in await says(world, "ada", "workspace all")
    assert "already; nothing changed" in await says(world, "ada", "workspace all")
    assert "Brio" in plain(await world.typed("ada", "lapsed", "all"))


async def test_a_workspace_is_narrowed_in_itself_only(world: World) -> None:
    said = plain(await world.typed("ada", "lapse-admin", "workspace Acme", place=NOWHERE))
    assert said == "Type this in the workspace that it is for, not in a direct message."


async def test_no_form_of_an_administrators_takes_anything_from_somebody_else(world: World) -> None:
    filled: dict[str, tuple[str, ...]] = {"name": ("Mia",), "email": ("mia@example.com",)}
    said = await world.sent_off("raj", ActionRef(actions.ADD_OWNER), filled)
    assert isinstance(said, Message)
    assert plain(said) == "Only administrators can do this. Ask Ada King."
