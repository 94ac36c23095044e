"""Every owner gets the link to their accounts when first added, however that was (R-13)."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.importing import Importer
from bot.importing_people import PeopleImporter
from commands.auditing import Actor
from commands.ports.events import EventKind
from tests.notices.world import PUBLIC_URL, World
from tests.support.network import spec

HEAD = "network,account_id,account_name,client,connector_email,owner_email,parent_id,parent_name\n"


async def written_to(world: World) -> list[str]:
    """To whom a message with a personal link went, in the order in which it went."""
    mail = world.chats["mail"]
    assert all(f"{PUBLIC_URL}/p/" in str(post.message) for post in mail.posts)
    return [post.address.external_id for post in mail.posts]


@pytest.mark.behaviour("R-13", "A-3")
async def test_owners_that_an_import_of_accounts_brings_are_welcomed_once(world: World, tmp_path: Path) -> None:
    world.with_email()
    file = tmp_path / "accounts.csv"
    rows = [f"examplenet,{number},Account {number},Acme,,olga@new.example,," for number in range(3)]
    file.write_text(HEAD + "\n".join([*rows, "examplenet,9,Account 9,Acme,,ana@acme.example,,"]) + "\n")
    for _ in range(2):
        importer = Importer(
            storage=world.storage,
            clock=world.clock,
            by=Actor(organization_id=world.organization.id, origin="test"),
            specs=[spec("examplenet")],
        )
        report = await importer.take(file, lambda _done, _all: None)
        assert report.bad == []
        await world.tell()
    assert await written_to(world) == ["olga@new.example"], "who was known is not welcomed, nor anybody twice"


@pytest.mark.behaviour("R-13", "A-3")
async def test_owners_of_an_import_of_people_are_welcomed_and_staff_is_not(world: World, tmp_path: Path) -> None:
    world.with_email()
    file = tmp_path / "people.csv"
    file.write_text("email,role\nolga@new.example,owner\nsam@new.example,staff\n")
    importer = PeopleImporter(
        storage=world.storage, clock=world.clock, by=Actor(organization_id=world.organization.id, origin="test")
    )
    report = await importer.take(file)
    assert report.added == 2
    await world.tell()
    assert await written_to(world) == ["olga@new.example"]


@pytest.mark.behaviour("R-13")
async def test_a_welcome_that_reaches_nobody_troubles_nobody(world: World) -> None:
    vic = await world.person("Vic", chat=None)
    await world.event(EventKind.LINK_SENT, person_id=vic.id, data={"welcome": "yes"})
    await world.tell()
    assert world.chat.posts == []
    async with world.storage.reading() as uow:
        since = world.clock.now() - timedelta(days=1)
        assert await uow.notices.undelivered(world.organization.id, since=since) == {}, "it was never begun"
