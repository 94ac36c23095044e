"""Buttons that were drawn before a right was taken away do no more than a command would now (P-5)."""

from dataclasses import replace

import pytest

from commands.catalogue import ACTIONS_BY_NAME
from commands.messages import ActionRef, AnyButton, Button, Buttons, FieldErrors, Message, Paging, Rows
from commands.model import Person, Role
from commands.ports.chat import Acknowledgement
from tests.commands.parity_cases import FILLED_IN, PRESSES
from tests.commands.plain import plain
from tests.commands.world import World

HIDDEN = ("Brio", "Cato", "Ana Ruiz", "Olga Berg", "17012", "Promo")
"""What somebody who sees nothing of Acme's any more must read nowhere."""


def drawn(message: Message) -> list[ActionRef]:
    """Everything that can be pressed in a message."""
    found: list[AnyButton | ActionRef | None] = []
    for part in message.parts:
        match part:
            case Buttons():
                found += [*part.primary, *part.menu]
            case Rows():
                found += [button for row in part.rows for button in (row.button, row.details)]
            case Paging():
                found += [part.previous, part.following]
            case _:
                pass
    pressed = [each.action if isinstance(each, Button) else each for each in found]
    return [each for each in pressed if isinstance(each, ActionRef)]


TYPED = [
    ("lapsed", ""),
    ("lapsed", "all"),
    ("lapsed", "active"),
    ("lapsed", "person:olga"),
    ("lapsed", "who Acme DE"),
    ("lapsed", "history Brio Shop"),
    ("lapsed", "who-can Old Promo"),
    ("lapsed", "check Brio Live"),
    ("reconnect", "all"),
    ("subscribe-lapses", "list"),
    ("lapse-admin", "owners"),
    ("lapse-admin", "people"),
    ("lapse-admin", "channels"),
]
_OF_OTHER_ROWS = ("end-channel", "drill-answer")
"""Their rows are not in this world."""


async def everything_drawn(world: World, name: str) -> list[ActionRef]:
    """Every button of what somebody can type, and one of each kind that there is."""
    found = [action for command, words in TYPED for action in drawn(await world.typed_whole(name, command, words))]
    found += [press(world) for kind, press in PRESSES.items() if kind not in _OF_OTHER_ROWS]
    return list(dict.fromkeys(found))


async def press(world: World, name: str, action: ActionRef) -> str:
    """What comes of a press, and of sending its form off, as text."""
    entry = ACTIONS_BY_NAME[action.name]
    if entry.acknowledgement is not Acknowledgement.FORM:
        return plain(await world.pressed_whole(name, action))
    opened = await world.opened(name, action)
    said = [plain(opened) if isinstance(opened, Message) else repr(opened)]
    for values in FILLED_IN[action.name]:
        sent = await world.sent_off(name, action, values)
        said.append(plain(sent) if isinstance(sent, Message) else _errors(sent))
    return "\n".join(said)


def _errors(errors: FieldErrors) -> str:
    return "\n".join(sentence for _, sentence in errors.by_field)


async def take_away(world: World, person: Person) -> None:
    async with world.storage.transaction() as uow:
        await uow.people.update(person)


async def counts(world: World) -> dict[str, int]:
    """How much of everything there is, for seeing that nothing changed."""
    async with world.storage.reading() as uow:
        subscriptions = await uow.subscriptions.all(world.organization.id)
        views = await uow.lapses.views(world.organization.id, list(world.lapses.values()))
        people = await uow.people.page(world.organization.id, offset=0, limit=50)
        return {
            "subscriptions": len(subscriptions),
            "claimed": sum(view.lapse is not None and view.lapse.claim is not None for view in views),
            "retired": sum(view.connection.state == "retired" for view in views),
            "people": len(people),
            "roles": sum(person.role is Role.OWNER for person in people),
            "owned": sum(view.connection.owner_id is not None for view in views),
        }


@pytest.mark.behaviour("P-5")
async def test_a_walk_over_buttons_drawn_for_an_administrator_gives_a_stranger_to_all_of_it_nothing(
    world: World,
) -> None:
    """Ada was administrator; now she owns nothing and sees nothing."""
    actions = await everything_drawn(world, "ada")
    assert {action.name for action in actions} >= {"reconnect", "details", "history", "who-can", "copy-link", "list"}
    before = await counts(world)
    await take_away(world, replace(world.people["ada"], role=Role.OWNER))
    for action in actions:
        said = await press(world, "ada", action)
        assert "Something went wrong" not in said, action
        assert not [hidden for hidden in HIDDEN if hidden in said], (action, said)
    after = await counts(world)
    own = {"subscriptions": before["subscriptions"], "roles": before["roles"] + 1}
    assert {**after, "subscriptions": own["subscriptions"]} == {**before, **own}


@pytest.mark.behaviour("P-5", "N-8")
async def test_a_walk_over_buttons_drawn_before_staff_were_limited_shows_only_what_is_left(world: World) -> None:
    actions = await everything_drawn(world, "raj")
    await world.add_person("Limited Lee", Role.STAFF)
    limited = replace(world.people["limited"], client_ids=frozenset({world.clients["Acme"]}))
    await take_away(world, limited)
    for action in actions:
        said = await press(world, "limited", action)
        assert "Something went wrong" not in said, action
        assert not [hidden for hidden in ("Brio", "Cato", "Promo") if hidden in said], (action, said)


@pytest.mark.behaviour("P-5")
async def test_a_walk_over_buttons_of_somebody_who_left_ends_at_the_sign_in(world: World) -> None:
    actions = await everything_drawn(world, "ada")
    await take_away(world, replace(world.people["ada"], left_at=world.clock.now()))
    before = await counts(world)
    for action in actions:
        assert "I don't know who you are yet." in await press(world, "ada", action), action
    assert await counts(world) == before
