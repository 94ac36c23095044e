"""Transfers: what goes along, logins included, and the count of what works afterwards (C-8, R-10, A-6)."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.importing_people import PeopleImporter
from commands.aftermath import MOST_LOGINS, count_working
from commands.auditing import Actor
from commands.ids import PersonId
from commands.model import ConnectionState, Parent, Role, Tokens
from commands.ports.checker import CheckResult
from commands.secret import Secret
from tests.commands.plain import plain
from tests.commands.test_lapsed import counted
from tests.commands.world import World


async def profile_owner(world: World, subject: str) -> PersonId | None:
    async with world.storage.reading() as uow:
        return (await uow.parents.owners(world.organization.id, "tiktok", [subject])).get(subject)


async def owner_of(world: World, name: str) -> PersonId | None:
    async with world.storage.reading() as uow:
        return (await uow.connections.get(world.organization.id, world.connections[name])).owner_id


async def owns(world: World, name: str, who: str) -> None:
    async with world.storage.transaction() as uow:
        await uow.connections.set_owner(world.organization.id, [world.connections[name]], world.people[who].id)


@pytest.mark.behaviour("R-10", "C-8")
async def test_an_owners_login_goes_along_with_the_last_account_that_hangs_on_it(world: World) -> None:
    await owns(world, "Acme DE", "ana")
    await owns(world, "Brio Shop", "ana")
    async with world.storage.transaction() as uow:
        shop = world.connections["Brio Shop"]
        await uow.connections.set_parent(world.organization.id, [shop], Parent(id="5", name="Another Business"))
    said = plain(await world.typed("ada", "lapse-admin", "transfer Acme DE to olga"))
    assert "went along" not in said
    assert await profile_owner(world, "subject-ana") is None
    said = plain(await world.typed("ada", "lapse-admin", "transfer Brio Shop to olga"))
    assert "The TikTok login of Ana Ruiz went along: nothing of its former owner's depends on it any more." in said
    assert await profile_owner(world, "subject-ana") == world.people["olga"].id
    async with world.storage.reading() as uow:
        entries = await uow.audit.latest(world.organization.id, limit=20)
    (written,) = [entry for entry in entries if entry.action == "parent_profile.transferred"]
    assert (written.detail["was"], written.detail["to"]) == ("Ana Ruiz", "Olga Berg")


@pytest.mark.behaviour("A-4")
async def test_a_transfer_of_many_accounts_is_audited_account_by_account_in_one_statement(world: World) -> None:
    heard = await counted(lambda: world.typed("ada", "lapse-admin", "transfer client:Brio to olga"))
    assert len([each for each in heard if "INSERT INTO audit_entries" in each]) == 1
    async with world.storage.reading() as uow:
        entries = await uow.audit.latest(world.organization.id, limit=20)
    moved = [entry.detail["account"] for entry in entries if entry.action == "connection.transferred"]
    assert sorted(moved) == ["Brio Live", "Brio Shop", "Old Promo"]


@pytest.mark.behaviour("R-10")
async def test_a_login_that_staff_connected_stays_the_organizations_own(world: World) -> None:
    await owns(world, "Brio Live", "raj")
    await owns(world, "Old Promo", "raj")
    said = plain(await world.typed("ada", "lapse-admin", "transfer client:Brio to olga"))
    assert "went along" not in said.replace("under the same one went along", "")
    assert await profile_owner(world, "subject-raj") is None


@pytest.mark.behaviour("C-8", "R-10")
async def test_what_the_former_owner_merely_connected_for_another_stays_that_owners(world: World) -> None:
    business = Parent(id="77", name="One Business")
    await world.add_authorization("tiktok", "olga")
    await world.add_connection("Olgas Own", "tiktok", "Cato", connector="olga", owner="olga")
    await world.add_connection("Anas Own", "tiktok", "Cato", connector="olga", owner="ana")
    async with world.storage.transaction() as uow:
        both = [world.connections[name] for name in ("Olgas Own", "Anas Own")]
        await uow.connections.set_parent(world.organization.id, both, business)
    said = plain(await world.typed("ada", "lapse-admin", "transfer Olgas Own to raj"))
    assert "1 account." in said
    assert await owner_of(world, "Olgas Own") == world.people["raj"].id
    assert await owner_of(world, "Anas Own") == world.people["ana"].id


@pytest.mark.behaviour("C-8")
async def test_nothing_moves_where_the_new_owner_has_no_access(world: World) -> None:
    said = plain(await world.typed("ada", "lapse-admin", "transfer Brio Shop to sam"))
    assert "has no access to client Brio, so nothing was transferred." in said
    assert await owner_of(world, "Brio Shop") is None


@pytest.mark.behaviour("C-8", "R-16")
async def test_what_an_account_went_through_goes_with_it_to_its_new_owner(world: World) -> None:
    await world.restore("Brio Shop", by="raj")
    assert "I don't know an account" in plain(await world.typed("olga", "lapsed", "history Brio Shop"))
    before = world.connections["Brio Shop"]
    await world.typed("ada", "lapse-admin", "transfer Brio Shop to olga")
    said = plain(await world.typed("olga", "lapsed", "history Brio Shop"))
    assert "*1 lapse*" in said
    assert "access removed, reconnected by @Raj Patel" in said
    async with world.storage.reading() as uow:
        (view,) = await uow.connections.of_accounts(
            world.organization.id, "tiktok", [(await uow.connections.get(world.organization.id, before)).account_id]
        )
    assert (view.connection.id, view.connection.owner_id) == (before, world.people["olga"].id)


@pytest.mark.behaviour("A-6")
async def test_after_a_role_change_the_accounts_that_hang_on_somebody_are_checked_and_counted(world: World) -> None:
    said = plain(await world.typed("ada", "lapse-admin", "role raj owner"))
    assert "Checked just now: 2 of 3 accounts work." in said
    assert set(world.checker.asked) == {world.authorizations["tiktok raj"], world.authorizations["linkedin raj"]}
    world.checker.asked.clear()
    said = plain(await world.typed("ada", "lapse-admin", "copies ada on"))
    assert "Checked" not in said
    assert world.checker.asked == []


@pytest.mark.behaviour("A-6")
async def test_after_new_client_limits_too(world: World) -> None:
    await owns(world, "Acme DE", "sam")
    said = plain(await world.typed("ada", "lapse-admin", "clients sam to Brio"))
    assert "Checked just now: it does not work." in said


@pytest.mark.behaviour("A-6")
async def test_after_a_change_from_a_file_the_logins_concerned_are_checked_next_and_counted(
    world: World, tmp_path: Path
) -> None:
    importer = PeopleImporter(
        storage=world.storage, clock=world.clock, by=Actor(organization_id=world.organization.id, origin="test")
    )
    file = tmp_path / "people.csv"
    file.write_text("email,role\nraj@example.com,owner\nana@example.com,owner\n")
    later, organization_id = world.clock.now() + timedelta(hours=1), world.organization.id
    theirs = [world.authorizations[each] for each in ("tiktok raj", "linkedin raj", "tiktok ana")]
    async with world.storage.transaction() as uow:
        for each in await uow.authorizations.many(organization_id, theirs):
            await uow.authorizations.replace_grant(replace(each, next_check_at=later), Tokens(access=Secret("t")))
    report = await importer.take(file)
    assert (report.changed, report.known, report.logins) == (1, 1, 2)
    async with world.storage.reading() as uow:
        due = await uow.authorizations.many(organization_id, theirs)
    assert [one.next_check_at for one in due] == [world.clock.now(), world.clock.now(), later]
    assert (await importer.take(file)).logins == 0


@pytest.mark.behaviour("A-6")
async def test_a_great_many_logins_are_checked_as_far_as_somebody_can_wait_and_the_others_next(world: World) -> None:
    for number in range(MOST_LOGINS + 3):
        who = f"p{number}"
        await world.add_person(f"P{number} Many", Role.STAFF)
        await world.add_authorization("tiktok", who)
        await world.add_connection(f"Many {number}", "tiktok", "Cato", connector=who)
    async with world.storage.reading() as uow:
        views = await uow.connections.views(
            world.organization.id, [world.connections[f"Many {number}"] for number in range(MOST_LOGINS + 3)]
        )
    count = await count_working(world.services, world.organization.id, views)
    assert (count.accounts, count.working, count.later) == (MOST_LOGINS, MOST_LOGINS, 3)
    assert count.words.endswith("25 of 25 accounts work; 3 more logins are being checked.")
    assert len(world.checker.asked) == MOST_LOGINS


@pytest.mark.behaviour("A-6")
@pytest.mark.parametrize(
    ("result", "said"),
    [
        (CheckResult.BUSY, "1 more login is being checked: /lapsed shows what came of it."),
        (CheckResult.NOT_POSSIBLE, ""),
    ],
)
async def test_what_could_not_be_checked_is_not_counted(world: World, result: CheckResult, said: str) -> None:
    world.checker.result = result
    async with world.storage.reading() as uow:
        views = await uow.connections.views(world.organization.id, [world.connections["Acme DE"]])
    count = await count_working(world.services, world.organization.id, views)
    assert (count.accounts, count.words) == (0, said)
    assert views[0].connection.state is ConnectionState.LAPSED
