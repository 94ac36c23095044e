"""The form for what one person may do: nothing of it happens that was not shown and said (C-8, P-5)."""

from collections.abc import Mapping

import pytest

from commands import actions
from commands.messages import ChoiceField, FieldErrors, Form, Message, TextField
from commands.model import Person, Role
from tests.commands.plain import plain
from tests.commands.world import World

MANY = tuple(f"Client number {number:03d} with a name that goes on" for number in range(30))


async def person(world: World, who: str) -> Person:
    async with world.storage.reading() as uow:
        return await uow.people.get(world.organization.id, world.people[who].id)


async def opened(world: World, who: str, whose: str) -> Form:
    return await world.form(who, actions.role_action(world.people[whose].id))


def as_it_is(form: Form, **changed: tuple[str, ...]) -> Mapping[str, tuple[str, ...]]:
    """What a form sends off when only these fields are touched."""
    values: dict[str, tuple[str, ...]] = {}
    for field in form.fields:
        if isinstance(field, ChoiceField):
            values[field.name] = field.chosen
        elif isinstance(field, TextField):
            values[field.name] = (field.value,) if field.value else ()
    return {**values, **changed}


async def limited(world: World, who: str, names: tuple[str, ...]) -> None:
    for name in names:
        if name not in world.clients:
            await world.add_client(name)
    await world.add_person(who, Role.STAFF, clients=names)


@pytest.mark.behaviour("A-5")
async def test_a_form_opened_before_somebody_left_does_not_bring_them_back(world: World) -> None:
    await world.add_person("Otto Pike", Role.ADMINISTRATOR)
    form = await opened(world, "otto", "sam")
    await world.typed("ada", "lapse-admin", "leaves Sam Lee")
    said = await world.sent_off("otto", form.action, as_it_is(form))
    assert isinstance(said, Message)
    assert "*Sam Lee* was changed since this form was opened" in plain(said)
    assert (await person(world, "sam")).left_at is not None


@pytest.mark.behaviour("C-8")
async def test_a_form_that_shows_what_is_not_so_any_more_changes_nothing(world: World) -> None:
    form = await opened(world, "ada", "sam")
    await world.typed("ada", "lapse-admin", "clients sam to Brio")
    said = await world.sent_off("ada", form.action, as_it_is(form))
    assert isinstance(said, Message)
    assert "Nothing of the form was saved." in plain(said)
    assert (await person(world, "sam")).client_ids == frozenset({world.clients["Brio"]})


@pytest.mark.behaviour("A-5")
async def test_who_left_is_taken_back_only_where_that_is_ticked(world: World) -> None:
    await world.typed("ada", "lapse-admin", "leaves Sam Lee")
    form = await opened(world, "ada", "sam")
    refused = await world.sent_off("ada", form.action, as_it_is(form))
    assert isinstance(refused, FieldErrors)
    assert refused.by_field[0][0] == "back"
    assert (await person(world, "sam")).left_at is not None
    said = await world.sent_off("ada", form.action, as_it_is(form, back=("yes",)))
    assert isinstance(said, Message)
    assert "✅ *Sam Lee* is back, and is staff" in plain(said)
    assert (await person(world, "sam")).left_at is None


@pytest.mark.behaviour("P-5")
async def test_with_every_client_unticked_nobody_sees_all_of_them(world: World) -> None:
    form = await opened(world, "ada", "sam")
    refused = await world.sent_off("ada", form.action, as_it_is(form, clients=()))
    assert refused == FieldErrors((("clients", "Say which clients, or choose all of them."),))
    assert (await person(world, "sam")).client_ids == frozenset({world.clients["Acme"]})
    both = await world.sent_off("ada", form.action, as_it_is(form, clients=("all", "Acme")))
    assert isinstance(both, FieldErrors)
    said = await world.sent_off("ada", form.action, as_it_is(form, clients=("all",)))
    assert isinstance(said, Message)
    assert "sees all clients" in plain(said)
    assert (await person(world, "sam")).client_ids is None
    assert as_it_is(await opened(world, "ada", "sam"))["clients"] == ("all",)


@pytest.mark.behaviour("P-5")
async def test_who_is_made_staff_in_the_form_gets_the_clients_that_are_chosen_there(world: World) -> None:
    form = await opened(world, "ada", "olga")
    refused = await world.sent_off("ada", form.action, as_it_is(form, role=("staff",)))
    assert refused == FieldErrors((("clients", "Say which clients, or choose all of them."),))
    said = await world.sent_off("ada", form.action, as_it_is(form, role=("staff",), clients=("acme",)))
    assert isinstance(said, Message)
    assert (await person(world, "olga")).client_ids == frozenset({world.clients["Acme"]})


@pytest.mark.behaviour("P-5")
async def test_a_primary_administrator_is_changed_and_taken_back_by_another_one_alone(world: World) -> None:
    await world.add_person("Pia Holm", Role.PRIMARY_ADMINISTRATOR)
    await world.add_person("Otto Pike", Role.ADMINISTRATOR)
    only = "Only a primary administrator can say who is primary administrator."
    form = await opened(world, "otto", "pia")
    said = await world.sent_off("otto", form.action, as_it_is(form, deputy=("raj",)))
    assert isinstance(said, Message)
    assert plain(said) == only
    await world.typed("ada", "lapse-admin", "leaves Pia Holm")
    assert plain(await world.typed("otto", "lapse-admin", "role pia primary administrator")) == only
    assert plain(await world.typed("otto", "lapse-admin", "role pia staff")) == only
    form = await opened(world, "otto", "pia")
    said = await world.sent_off("otto", form.action, as_it_is(form, back=("yes",)))
    assert isinstance(said, Message)
    assert plain(said) == only
    assert (await person(world, "pia")).left_at is not None
    assert "is back" in plain(await world.typed("ada", "lapse-admin", "role pia primary administrator"))


@pytest.mark.behaviour("C-8")
@pytest.mark.parametrize("names", [(*MANY, "Smith, Jones"), (*(f"{name} and on and on" * 4 for name in MANY), "Dot")])
async def test_the_limits_of_staff_with_many_clients_stay_when_they_are_not_touched(
    world: World, names: tuple[str, ...]
) -> None:
    """Also where the list is too long to be typed, and where a client's name has a comma."""
    await limited(world, "Lim Ited", names)
    form = await opened(world, "ada", "lim")
    said = await world.sent_off("ada", form.action, as_it_is(form, deputy=("raj",)))
    assert isinstance(said, Message), said
    lim = await person(world, "lim")
    assert lim.deputy_id == world.people["raj"].id
    assert lim.client_ids == frozenset(world.clients[name] for name in names)


@pytest.mark.behaviour("C-8")
async def test_clients_are_typed_by_their_whole_names_commas_included(world: World) -> None:
    await limited(world, "Lim Ited", (*MANY, "Smith, Jones"))
    form = await opened(world, "ada", "lim")
    said = await world.sent_off("ada", form.action, as_it_is(form, clients=("Acme, smith, jones, Brio",)))
    assert isinstance(said, Message), said
    chosen = frozenset(world.clients[name] for name in ("Acme", "Smith, Jones", "Brio"))
    assert (await person(world, "lim")).client_ids == chosen
    again = await opened(world, "ada", "lim")
    assert isinstance(await world.sent_off("ada", again.action, as_it_is(again, clients=())), FieldErrors)
    assert "✅" in plain(await world.typed("ada", "lapse-admin", "clients lim to Smith, Jones, Acme"))
    assert (await person(world, "lim")).client_ids == frozenset({world.clients["Acme"], world.clients["Smith, Jones"]})
