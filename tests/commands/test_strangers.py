"""Who may ask from where: unknown askers learn nothing but how to be linked, known ones are answered wherever they are.

Rows 23, 24 and 26 of the bad inputs.
"""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commands.actions import ListView, list_action, reconnect_action, subscribe_form_action
from commands.catalogue import COMMANDS
from commands.ids import IdentityId, new_id
from commands.messages import FieldErrors, Form, Message
from commands.model import Identity
from commands.ports.chat import (
    ActionRequest,
    ChatUser,
    ChoicesRequest,
    CommandRequest,
    HomeRequest,
    Place,
    Submission,
    Words,
)
from tests.commands.plain import plain
from tests.commands.world import DIRECT, HERE, NOWHERE, PLATFORM, SHARED, TENANT, UNCLAIMED, World

THREAD = replace(HERE, channel="C1")
GROUP = Place(workspace=TENANT, workspace_name="Agency", channel="G1", is_direct=True)
UNKNOWN_READERS = replace(HERE, channel="C3", is_shared=None)
PLACES = {
    "channel": HERE,
    "thread": THREAD,
    "direct message": DIRECT,
    "direct message of several": GROUP,
    "shared channel": SHARED,
    "channel of unknown readers": UNKNOWN_READERS,
}
SECRETS = ("Acme", "Brio", "Cato", "Ana", "Olga", "Raj", "TikTok", "LinkedIn", "lapsed since")


def user(tenant: str, name: str) -> ChatUser:
    return ChatUser(platform=PLATFORM, tenant=tenant, external_id=name, name="Somebody")


async def everything(world: World, who: ChatUser, place: Place) -> list[object]:
    """All that somebody can try: each command bare and with words, a press, forms, suggestions, the home."""
    ask = world.dispatcher
    tried: list[object] = []
    for command in COMMANDS:
        for words in ("", "who Acme DE", "tiktok"):
            request = CommandRequest(name=command.name, arguments=Words(text=words), user=who, place=place)
            tried += [await ask.command(request), await ask.form(request)]
    for action in (reconnect_action(world.connections["Acme DE"]), list_action(ListView()), subscribe_form_action()):
        assert action is not None
        pressed = ActionRequest(token=action.encode(), user=who, place=place)
        tried += [await ask.action(pressed), await ask.form(pressed)]
        tried.append(await ask.submission(Submission(token=action.encode(), values={}, user=who, place=place)))
    tried.append(await ask.home(HomeRequest(user=who, place=place)))
    for option in ("account", "client"):
        typing = ChoicesRequest(command="lapsed", subcommand="", option=option, typed="A", user=who, place=place)
        tried += list(await ask.choices(typing))
    return tried


async def gone(world: World) -> ChatUser:
    """Somebody who left."""
    left = replace(world.people["ana"], left_at=world.clock.now())
    async with world.storage.transaction() as uow:
        await uow.people.update(left)
    return user(TENANT, "U-ana")


async def outsider(world: World) -> ChatUser:
    """A user of another company's workspace, whose id is like one of ours."""
    return user("T9", "U-ada")


async def stranger(world: World) -> ChatUser:
    return user(TENANT, "U-nobody")


async def bot(world: World) -> ChatUser:
    return user(TENANT, "USLACKBOT")


@pytest.mark.behaviour("P-6")
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("who", [stranger, outsider, bot, gone], ids=lambda who: who.__name__)
async def test_an_unknown_asker_learns_nothing_but_how_to_be_linked(world: World, who: object, place: Place) -> None:
    assert callable(who)
    asker = await who(world)
    tried = await everything(world, asker, place)
    assert {plain(said) for said in tried if isinstance(said, Message)} == {
        "I don't know who you are yet. Sign in once with this account, then ask again.\n[Sign in]"
    }
    assert all(isinstance(said, Message) for said in tried), "no form, no suggestion"


@pytest.mark.behaviour("P-6", "A-1")
@pytest.mark.parametrize("place", [UNCLAIMED, replace(UNCLAIMED, is_direct=True)], ids=["channel", "direct message"])
async def test_the_wrong_workspace_tells_even_somebody_known_nothing_but_how_to_claim_it(
    world: World, place: Place
) -> None:
    for who in (user(TENANT, "U-ada"), user("T2", "U-ada")):
        for said in await everything(world, who, place):
            if isinstance(said, Message):
                told = plain(said)
                assert "workspace is not set up yet" in told or "All that can be done here is to claim" in told
                assert not any(secret in told for secret in SECRETS)
            else:
                assert not isinstance(said, Form | FieldErrors)


@pytest.mark.behaviour("P-6")
async def test_in_a_direct_message_of_no_workspace_a_stranger_is_sent_to_one(world: World) -> None:
    tried = await everything(world, user(TENANT, "U-nobody"), NOWHERE)
    assert {plain(said) for said in tried if isinstance(said, Message)} == {
        "I don't know who you are yet. Type `/lapsed` in a workspace where lapsebot is set up, and sign in from there."
    }


@pytest.mark.behaviour("P-6")
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
async def test_somebody_known_is_answered_privately_wherever_they_ask(world: World, place: Place) -> None:
    """A guest who is linked as well: they have what their role gives, and no more."""
    guest = world.people["olga"]
    identity = Identity(
        id=IdentityId(new_id(world.clock.now())),
        organization_id=world.organization.id,
        person_id=guest.id,
        platform=PLATFORM,
        tenant=TENANT,
        user="W-GUEST",
        linked_at=world.clock.now(),
    )
    async with world.storage.transaction() as uow:
        await uow.people.link(identity)
    request = CommandRequest(name="lapsed", arguments=Words(text=""), user=user(TENANT, "W-GUEST"), place=place)
    said = plain(await world.dispatcher.command(request))
    assert said.startswith("*❗ Needs connecting: 2*")
    assert "Brio" not in said
    assert "Acme DE" in plain(await world.typed("ada", "lapsed", place=place))


HOSTILE = [
    "x" * 3000,
    "\u202egnp.exe\u202d",
    "\u200b\u200d\u2066",
    "<!channel> <@U123|ada> <https://evil.example|Reconnect>",
    "@everyone @here",
    "'; DROP TABLE people; --",
    "$(rm -rf /) `id` && echo",
    "--flag --network=tiktok -v",
    "   \t\n  ",
    "client: network: person:",
    "who who who",
    'account:"',
    "\ud800",
]


@pytest.mark.behaviour("C-10")
@pytest.mark.parametrize("command", ["lapsed", "reconnect", "connect", "subscribe-lapses", "unsubscribe-lapses"])
async def test_odd_words_are_answered_with_what_can_be_typed_and_echoed_inert(world: World, command: str) -> None:
    for typed in HOSTILE:
        said = plain(await world.typed("ada", command, typed))
        assert "Something went wrong" not in said, typed
        assert not {"\u202e", "\u200b", "\u2066"} & set(said), typed
        assert len(said) < 1600, typed
        assert said.encode()


ODD = st.text(
    st.one_of(st.characters(), st.sampled_from('\x00\u200b\u200d\u202e\u2066\ud800"“:@#|<>`*_ \n\t$&;-')), max_size=200
)


@pytest.mark.behaviour("C-10")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(typed=ODD, command=st.sampled_from([command.name for command in COMMANDS]))
async def test_whatever_is_typed_is_answered_with_a_sentence(world: World, typed: str, command: str) -> None:
    said = plain(await world.typed("ada", command, typed))
    assert said
    assert "Something went wrong" not in said
    assert "\u202e" not in said
