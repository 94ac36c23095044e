"""How often a person hears, in words and by forms; and the form that opts in."""

import pytest

from commands.actions import rhythm_form_action, subscribe_form_action
from commands.ids import to_wire
from commands.messages import ChoiceField, FieldErrors, Form, Message, TextField
from commands.model import Channel, Preference, Rhythm, Role, Topic
from commands.ports.chat import Acknowledgement, CommandRequest, Options, Words
from tests.commands.plain import buttons, plain, token
from tests.commands.test_subscriptions import SUBSCRIBE, UNSUBSCRIBE, audited, subscriptions
from tests.commands.world import CHANNEL, DIRECT, HERE, PLATFORM, SHARED, TENANT, World

FIRST = "The first notice of a lapse of what you connected or own always comes at once."


async def chosen(world: World, name: str = "raj") -> list[Preference]:
    async with world.storage.reading() as uow:
        return list(await uow.preferences.of(world.organization.id, [world.people[name].id]))


def preference(world: World, topic: Topic, rhythm: Rhythm, network: str | None = None) -> Preference:
    return Preference(person_id=world.people["raj"].id, topic=topic, network=network, client_id=None, rhythm=rhythm)


@pytest.mark.behaviour("N-16")
async def test_a_rhythm_alone_changes_how_often_and_opts_in_to_nothing(world: World) -> None:
    message = await world.typed("raj", SUBSCRIBE, "daily")
    assert plain(message).splitlines() == [
        "✅ From now on you hear of *every lapse and every warning* once a day, gathered.",
        FIRST,
    ]
    assert set(await chosen(world)) == {preference(world, topic, Rhythm.DAILY) for topic in Topic}
    assert await subscriptions(world) == []
    assert await audited(world) == ["rhythm.changed"]


@pytest.mark.behaviour("N-16")
async def test_lapses_and_warnings_have_rhythms_of_their_own(world: World) -> None:
    await world.typed("raj", SUBSCRIBE, "weekly for warnings")
    said = plain(await world.typed("raj", SUBSCRIBE, "for lapses daily tiktok"))
    assert said == f"✅ From now on you hear of *TikTok lapses* once a day, gathered.\n{FIRST}"
    assert set(await chosen(world)) == {
        preference(world, Topic.WARNINGS, Rhythm.WEEKLY),
        preference(world, Topic.LAPSES, Rhythm.DAILY, "tiktok"),
    }
    assert await subscriptions(world) == []


@pytest.mark.behaviour("N-16", "C-5")
async def test_a_rhythm_with_something_to_hear_of_opts_in_to_just_that(world: World) -> None:
    said = plain(await world.typed("raj", SUBSCRIBE, "weekly tiktok client:Acme"))
    assert "you hear of *TikTok lapses of client Acme*, by direct message." in said
    assert "*TikTok lapses of client Acme and TikTok warnings of client Acme* once a week, gathered." in said
    [made] = await subscriptions(world)
    assert (made.network, made.client_id) == ("tiktok", world.clients["Acme"])


@pytest.mark.behaviour("N-16", "C-5")
async def test_asking_twice_changes_nothing_and_says_so(world: World) -> None:
    await world.typed("raj", SUBSCRIBE, "daily for warnings")
    said = plain(await world.typed("raj", SUBSCRIBE, {"rhythm": "daily", "for": "warnings"}))
    assert said == "You hear of *every warning* once a day, gathered already; nothing changed."
    assert await audited(world) == ["rhythm.changed"]


@pytest.mark.behaviour("N-16")
async def test_immediate_takes_a_rhythm_back(world: World) -> None:
    await world.typed("raj", SUBSCRIBE, "daily")
    said = plain(await world.typed("raj", SUBSCRIBE, "immediate"))
    assert said == "✅ From now on you hear of *every lapse and every warning* at once."
    assert {each.rhythm for each in await chosen(world)} == {Rhythm.IMMEDIATE}


@pytest.mark.behaviour("N-16", "N-8")
async def test_the_list_shows_how_often_as_far_as_the_asker_may_see(world: World) -> None:
    await world.typed("raj", SUBSCRIBE, "daily client:Brio")
    await world.typed("raj", SUBSCRIBE, "weekly for warnings")
    listed = await world.typed("raj", SUBSCRIBE, "list")
    assert "How often: *every warning* once a week, gathered" in plain(listed)
    assert "How often: *lapses of client Brio* once a day, gathered" in plain(listed)
    assert {"Hear of more", "How often"} <= set(buttons(listed))


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("here daily", "A channel is told at once. You can choose how often only for what you hear yourself."),
        ("for warnings", "Say how often: daily, weekly or immediate."),
        ("daily weekly", "Say immediate, daily or weekly."),
        ({"rhythm": "hourly"}, "I don't know “hourly”."),
        ("dayly", "I don't know “dayly”. Did you mean *daily*?"),
    ],
)
@pytest.mark.behaviour("N-16", "C-10")
async def test_a_rhythm_that_cannot_be_is_said_and_changes_nothing(
    world: World, typed: str | dict[str, str], said: str
) -> None:
    assert plain(await world.typed("raj", SUBSCRIBE, typed)).startswith(said)
    assert await chosen(world) == []
    assert await subscriptions(world) == []


@pytest.mark.behaviour("N-16")
async def test_opting_out_has_no_rhythm(world: World) -> None:
    said = plain(await world.typed("raj", UNSUBSCRIBE, "daily"))
    assert said.startswith("How often you hear is set where you opt in")


def field(form: Form, name: str) -> ChoiceField | TextField:
    found = next(each for each in form.fields if each.name == name)
    assert isinstance(found, ChoiceField | TextField)
    return found


@pytest.mark.behaviour("C-5")
async def test_a_bare_command_opens_a_form_of_networks_clients_place_and_rhythm(world: World) -> None:
    for bare in (Words(text=" "), Options(values={})):
        assert world.dispatcher.command_acknowledgement(SUBSCRIBE, bare) is Acknowledgement.FORM
    request = CommandRequest(name=SUBSCRIBE, arguments=Words(text=""), user=world.user("raj"), place=HERE)
    form = await world.dispatcher.form(request)
    assert isinstance(form, Form)
    assert [each.name for each in form.fields] == ["network", "client", "where", "rhythm"]
    networks, clients = field(form, "network"), field(form, "client")
    assert isinstance(networks, ChoiceField)
    assert isinstance(clients, ChoiceField)
    assert [choice.label for choice in networks.choices] == ["All networks", "LinkedIn", "TikTok"]
    assert [choice.label for choice in clients.choices] == ["All clients", "Acme", "Brio", "Cato"]
    assert world.dispatcher.command_acknowledgement(SUBSCRIBE, Words(text="list")) is Acknowledgement.PRIVATE


@pytest.mark.behaviour("C-5", "N-8")
async def test_the_form_offers_only_what_the_asker_may_see_and_may_let_hear(world: World) -> None:
    sam = await world.form("sam", subscribe_form_action())
    clients = field(sam, "client")
    assert isinstance(clients, ChoiceField)
    assert [choice.label for choice in clients.choices] == ["All clients", "Acme"]
    assert [each.name for each in (await world.form("ana", subscribe_form_action())).fields] == [
        "network",
        "client",
        "rhythm",
    ], "what a channel hears is set by staff and administrators"
    direct = await world.form("raj", subscribe_form_action(), place=DIRECT)
    assert "where" not in [each.name for each in direct.fields]


@pytest.mark.behaviour("C-5", "N-16")
async def test_the_form_opts_in_and_keeps_the_rhythm(world: World) -> None:
    form = await world.form("raj", subscribe_form_action())
    clients = field(form, "client")
    assert isinstance(clients, ChoiceField)
    acme = next(choice.value for choice in clients.choices if choice.label == "Acme")
    values = {"network": ("tiktok",), "client": (acme,), "where": ("me",), "rhythm": ("daily",)}
    said = await world.sent_off("raj", form.action, values)
    assert isinstance(said, Message)
    assert "you hear of *TikTok lapses of client Acme*, by direct message." in plain(said)
    assert {each.rhythm for each in await chosen(world)} == {Rhythm.DAILY}
    again = await world.sent_off("raj", form.action, values)
    assert isinstance(again, Message)
    assert plain(again).count("already; nothing changed.") == 2
    assert len(await subscriptions(world)) == 1
    back = await world.sent_off("raj", form.action, {**values, "rhythm": ("immediate",)})
    assert isinstance(back, Message)
    assert {each.rhythm for each in await chosen(world)} == {Rhythm.IMMEDIATE}, "a choice is taken back by the form too"


@pytest.mark.behaviour("C-5", "N-9")
async def test_the_form_subscribes_the_channel(world: World) -> None:
    said = await world.sent_off("raj", subscribe_form_action(), {"network": ("all",), "where": ("here",)})
    assert isinstance(said, Message)
    assert plain(said) == "✅ From now on this channel hears of *every lapse*. Set up by Raj Patel."
    [made] = await subscriptions(world)
    assert made.channel == Channel(platform=PLATFORM, tenant=TENANT, external_id=CHANNEL)


@pytest.mark.behaviour("C-5", "P-5")
@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("raj", {"where": ("here",), "rhythm": ("daily",)}, "A channel is told at once."),
        ("raj", {"network": ("tictok",)}, "This network is not set up here any more."),
        ("raj", {"client": ("Acne",)}, "I don't know a client called “Acne”. Did you mean Acme?"),
        ("sam", {"client": ("Brio",)}, "I don't know a client called “Brio”."),
        ("raj", {"rhythm": ("hourly",)}, "Choose one of these."),
    ],
)
async def test_what_cannot_be_taken_is_said_at_its_field_and_nothing_is_written(
    world: World, name: str, values: dict[str, tuple[str, ...]], said: str
) -> None:
    errors = await world.sent_off(name, subscribe_form_action(), values)
    assert isinstance(errors, FieldErrors)
    assert errors.by_field[0][1].startswith(said)
    assert await subscriptions(world) == []


@pytest.mark.behaviour("N-8", "P-5")
async def test_a_client_that_the_sender_may_not_see_cannot_be_slipped_into_a_form(world: World) -> None:
    brio = {"client": (to_wire(world.clients["Brio"]),)}
    for action in (subscribe_form_action(), rhythm_form_action()):
        errors = await world.sent_off("sam", action, brio)
        assert errors == FieldErrors((("client", "This client is gone, or not yours to see."),))
    assert await subscriptions(world) == []
    assert await chosen(world, "sam") == []


@pytest.mark.behaviour("C-5", "P-5")
async def test_a_form_that_offered_a_channel_is_asked_again_when_it_is_sent_off(world: World) -> None:
    for name, place, sentence in (
        ("ana", HERE, "What a channel hears is set by staff and administrators."),
        ("raj", SHARED, "People from outside read this channel, so an administrator has to set it up."),
    ):
        said = await world.sent_off(name, subscribe_form_action(), {"where": ("here",)}, place=place)
        assert isinstance(said, Message)
        assert plain(said).startswith(sentence)
    assert await subscriptions(world) == []


@pytest.mark.behaviour("C-5")
async def test_many_clients_are_typed_instead_of_chosen(world: World) -> None:
    for number in range(30):
        await world.add_client(f"Client {number}")
    form = await world.form("raj", subscribe_form_action())
    assert isinstance(field(form, "client"), TextField)
    said = await world.sent_off("raj", form.action, {"client": ("client 7",)})
    assert isinstance(said, Message)
    assert "*lapses of client Client 7*" in plain(said)


@pytest.mark.behaviour("N-16")
async def test_the_rhythm_form_is_apart_for_lapses_and_warnings(world: World) -> None:
    listed = await world.typed("raj", SUBSCRIBE, "list")
    form = await world.form("raj", token(listed, "How often"))
    assert [each.name for each in form.fields] == ["topic", "network", "client", "rhythm"]
    values = {"topic": ("warnings",), "network": ("tiktok",), "client": ("all",), "rhythm": ("weekly",)}
    said = await world.sent_off("raj", rhythm_form_action(), values)
    assert isinstance(said, Message)
    assert plain(said) == "✅ From now on you hear of *TikTok warnings* once a week, gathered."
    assert await chosen(world) == [preference(world, Topic.WARNINGS, Rhythm.WEEKLY, "tiktok")]
    wrong = await world.sent_off("raj", rhythm_form_action(), {**values, "topic": ("gossip",)})
    assert wrong == FieldErrors((("topic", "Choose one of these."),))


@pytest.mark.behaviour("N-16", "A-1")
async def test_a_rhythm_is_a_persons_own(world: World) -> None:
    await world.add_person("Zoe Zett", Role.STAFF)
    await world.typed("raj", SUBSCRIBE, "weekly")
    assert await chosen(world, "zoe") == []
