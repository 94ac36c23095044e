"""Transfers: what goes along, logins included, and the count of what works afterwards (C-8, R-10, A-6)."""

import pytest

from commands.aftermath import MOST_LOGINS, count_working
from commands.ids import PersonId
from commands.model import ConnectionState, Parent, Role
from commands.ports.checker import CheckResult
from tests.commands.plain import plain
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
    assert "The TikTok login of Ana Ruiz went along: nothing of its former owner's hangs on it any more." in said
    assert await profile_owner(world, "subject-ana") == world.people["olga"].id
    async with world.storage.reading() as uow:
        entries = await uow.audit.latest(world.organization.id, limit=20)
    (written,) = [entry for entry in entries if entry.action == "parent_profile.transferred"]
    assert (written.detail["was"], written.detail["to"]) == ("Ana Ruiz", "Olga Berg")


@pytest.mark.behaviour("R-10")
async def test_a_login_that_staff_connected_stays_the_organizations_own(world: World) -> None:
    await owns(world, "Brio Live", "raj")
    await owns(world, "Old Promo", "raj")
    said = plain(await world.typed("ada", "lapse-admin", "transfer client:Brio to olga"))
    assert "went along" not in said.replace("under the same one went along", "")
    assert await profile_owner(world, "subject-raj") is None


@pytest.mark.behaviour("C-8")
async def test_nothing_moves_where_the_new_owner_has_no_access(world: World) -> None:
    said = plain(await world.typed("ada", "lapse-admin", "transfer Brio Shop to sam"))
    assert "has no access to client Brio, so nothing was transferred." in said
    assert await owner_of(world, "Brio Shop") is None


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
