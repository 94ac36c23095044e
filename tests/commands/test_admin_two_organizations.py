"""Administrators reach nothing of another organization; somebody in two acts in the one that a row is of (A-1)."""

from collections.abc import Callable

import pytest

from commands import actions
from commands.ids import IdentityId, OrganizationId, PersonId, WorkspaceId, new_id
from commands.messages import ActionRef, Message
from commands.model import Identity, Organization, Person, Role, Workspace
from commands.ports.chat import Place
from tests.commands.plain import plain
from tests.commands.world import NOWHERE, PLATFORM, TENANT, World

pytestmark = pytest.mark.behaviour("A-1")
ELSEWHERE = Place(workspace="T9", workspace_name="Other", channel="C9", is_direct=False)


async def other_organization(world: World, administrator: str) -> OrganizationId:
    """Another organization with a workspace of its own, of which this chat user is the administrator."""
    now = world.clock.now()
    organization = Organization(id=OrganizationId(new_id(now)), name="Other")
    person = Person(
        id=PersonId(new_id(now)),
        organization_id=organization.id,
        name=administrator.capitalize(),
        email=f"{administrator}@other.example",
        role=Role.PRIMARY_ADMINISTRATOR,
    )
    workspace = Workspace(
        id=WorkspaceId(new_id(now)),
        organization_id=organization.id,
        platform=PLATFORM,
        external_id="T9",
        name="Other",
    )
    identity = Identity(
        id=IdentityId(new_id(now)),
        organization_id=organization.id,
        person_id=person.id,
        platform=PLATFORM,
        tenant=TENANT,
        user=f"U-{administrator}",
        linked_at=now,
    )
    async with world.storage.transaction() as uow:
        await uow.organizations.add(organization)
        assert await uow.organizations.add_workspace(workspace)
        await uow.people.add(person)
        assert await uow.people.link(identity)
    return organization.id


PRESSES: dict[str, Callable[[World], ActionRef]] = {
    "snooze": lambda world: actions.snooze_action(world.lapses["Acme DE"], 1),
    "snooze asks": lambda world: actions.snooze_choice_action(world.lapses["Acme DE"]),
    "not mine": lambda world: actions.not_mine_action(world.lapses["Acme DE"]),
    "claim": lambda world: actions.claim_action(world.lapses["Acme DE"]),
    "retire": lambda world: actions.retire_confirmed_action(world.connections["Acme DE"]),
    "copy link": lambda world: actions.copy_link_action(world.people["olga"].id),
    "send link": lambda world: actions.send_link_action(world.people["olga"].id),
}


@pytest.mark.parametrize("name", PRESSES)
async def test_an_administrator_of_another_organization_reaches_nothing_by_its_ids(world: World, name: str) -> None:
    await other_organization(world, "eve")
    said = plain(await world.pressed("eve", PRESSES[name](world), place=ELSEWHERE))
    assert said.startswith("This is gone, or not yours to see.")
    async with world.storage.reading() as uow:
        assert await uow.audit.latest(world.organization.id, limit=5) == []


@pytest.mark.parametrize(
    "words",
    [
        "transfer Acme DE to eve",
        "send-link olga",
        "role olga staff",
        "people olga",
        "assign Acme DE to eve",
        "drill Acme",
    ],
)
async def test_nor_by_its_names(world: World, words: str) -> None:
    await other_organization(world, "eve")
    said = plain(await world.typed("eve", "lapse-admin", words, place=ELSEWHERE))
    assert said.startswith("I don't know ")
    async with world.storage.reading() as uow:
        assert await uow.audit.latest(world.organization.id, limit=5) == []


async def test_a_form_of_another_organizations_person_changes_nothing(world: World) -> None:
    await other_organization(world, "eve")
    action = actions.role_action(world.people["olga"].id)
    said = await world.sent_off("eve", action, {"role": ("administrator",), "copies": ("on",)}, place=ELSEWHERE)
    assert isinstance(said, Message)
    assert plain(said).startswith("This is gone, or not yours to see.")


async def test_in_a_direct_message_somebody_in_two_acts_in_the_one_that_the_row_is_of(world: World) -> None:
    other = await other_organization(world, "ada")
    sent = plain(await world.pressed("ada", actions.send_link_action(world.people["olga"].id), place=NOWHERE))
    assert sent.startswith("✅ *Olga Berg* gets a message")
    async with world.storage.reading() as uow:
        assert len(await uow.audit.latest(world.organization.id, limit=5)) == 1
        assert await uow.audit.latest(other, limit=5) == []
    typed = plain(await world.typed("ada", "lapse-admin", "owners", place=NOWHERE))
    assert typed.startswith("You belong to several organizations here:")
