"""Organizations, people, clients, chat accounts and claim codes, over both databases."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from commands.ids import ClientId, IdentityId, OrganizationId, PersonId, WorkspaceId, new_id
from commands.model import Client, Identity, Role
from commands.ports.storage import AlreadyThere, NotThere
from storage import SqlStorage, secret_hash
from tests.support.clock import FakeClock
from tests.support.seed import fresh_storage, seed


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def storage(database_url: str, clock: FakeClock) -> AsyncIterator[SqlStorage]:
    async with fresh_storage(database_url, clock) as opened:
        yield opened


async def test_what_was_written_comes_back(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    organization_id = seeded.organization_id
    async with storage.reading() as uow:
        assert await uow.organizations.get(organization_id) == seeded.organization
        assert set(await uow.organizations.workspaces(organization_id)) == {seeded.slack, seeded.discord}
        assert await uow.people.get(organization_id, seeded.sam.id) == seeded.sam
        assert await uow.people.many(organization_id, [seeded.mei.id, seeded.bo.id]) == {
            seeded.mei.id: seeded.mei,
            seeded.bo.id: seeded.bo,
        }
        assert await uow.people.by_email(organization_id, "ANA@acme.example") == seeded.ana
        assert await uow.clients.all(organization_id) == [seeded.acme, seeded.brio]
    assert await storage.directory.organizations() == [seeded.organization]
    assert await storage.directory.workspace("slack", "T1") == seeded.slack
    assert await storage.directory.workspace_by_id(seeded.discord.id) == seeded.discord
    assert await storage.directory.workspace("slack", "T2") is None


async def test_what_is_not_there_is_said_so(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    async with storage.reading() as uow:
        with pytest.raises(NotThere):
            await uow.people.get(seeded.organization_id, PersonId(new_id(clock.now())))
        with pytest.raises(NotThere):
            await uow.organizations.get(OrganizationId(new_id(clock.now())))


async def test_an_email_address_is_one_persons_and_the_transaction_goes_on(
    storage: SqlStorage, clock: FakeClock
) -> None:
    seeded = await seed(storage, clock.now())
    twin = replace(seeded.ana, id=PersonId(new_id(clock.now())), name="Other Ana", email="Ana@Acme.example")
    async with storage.transaction() as uow:
        with pytest.raises(AlreadyThere):
            await uow.people.add(twin)
        await uow.people.add(replace(twin, email=None))
    async with storage.reading() as uow:
        assert (await uow.people.get(seeded.organization_id, twin.id)).email is None


async def test_people_are_found_by_the_beginning_of_their_name_or_address(
    storage: SqlStorage, clock: FakeClock
) -> None:
    seeded = await seed(storage, clock.now())
    async with storage.transaction() as uow:
        odd = replace(seeded.pat, id=PersonId(new_id(clock.now())), name="ÅSA 100%_sure", email=None)
        await uow.people.add(odd)
    async with storage.reading() as uow:
        organization_id = seeded.organization_id
        assert await uow.people.named(organization_id, "AN") == [seeded.ana]
        assert await uow.people.named(organization_id, "raj@") == [seeded.raj]
        assert await uow.people.named(organization_id, "åsa 100%_") == [odd]
        assert await uow.people.named(organization_id, "%") == []
        assert await uow.people.named(organization_id, "") == []


async def test_administrators_come_primary_first_and_leave_out_those_who_left(
    storage: SqlStorage, clock: FakeClock
) -> None:
    seeded = await seed(storage, clock.now())
    async with storage.transaction() as uow:
        gone = replace(
            seeded.raj, id=PersonId(new_id(clock.now())), email=None, left_at=clock.now(), role=Role.ADMINISTRATOR
        )
        await uow.people.add(gone)
    async with storage.reading() as uow:
        assert await uow.people.administrators(seeded.organization_id) == [seeded.mei, seeded.raj]


async def test_a_client_is_the_same_whatever_its_case(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    async with storage.transaction() as uow:
        again = Client(id=ClientId(new_id(clock.now())), organization_id=seeded.organization_id, name=" ACME ")
        assert await uow.clients.ensure(again) == seeded.acme.id


async def test_a_chat_account_and_a_workspace_are_given_once(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    async with storage.transaction() as uow:
        known = await uow.people.identities(seeded.organization_id, [seeded.ana.id, seeded.pat.id])
        assert {identity.platform for identity in known[seeded.ana.id]} == {"slack", "discord"}
        assert seeded.pat.id not in known
        stolen = replace(known[seeded.ana.id][0], id=IdentityId(new_id(clock.now())), person_id=seeded.pat.id)
        assert not await uow.people.link(stolen)
        later = Identity(
            id=IdentityId(new_id(clock.now())),
            organization_id=seeded.organization_id,
            person_id=seeded.ana.id,
            platform="slack",
            tenant="T9",
            user="U-ANA",
            linked_at=clock.now() + timedelta(days=1),
        )
        assert await uow.people.link(later)
        assert (await uow.people.identities(seeded.organization_id, [seeded.ana.id]))[seeded.ana.id][0] == later
        assert not await uow.organizations.add_workspace(replace(seeded.slack, id=WorkspaceId(new_id(clock.now()))))


@pytest.mark.behaviour("A-1")
async def test_standing_is_of_the_workspaces_organization_only(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    other = await seed(storage, clock.now(), name="Other House", slack_team="T2", discord_server="D2")
    async with storage.transaction() as uow:
        guest = Identity(
            id=IdentityId(new_id(clock.now())),
            organization_id=other.organization_id,
            person_id=other.pat.id,
            platform="slack",
            tenant="T1",
            user="U-ANA",
            linked_at=clock.now(),
        )
        assert await uow.people.link(guest)
    ask = storage.directory.standing
    here = await ask(platform="slack", workspace="T1", tenant="T1", user="U-ANA")
    assert (here.workspace, here.organization) == (seeded.slack, seeded.organization)
    assert [member.person for member in here.members] == [seeded.ana]
    there = await ask(platform="slack", workspace="T2", tenant="T1", user="U-ANA")
    assert [member.person for member in there.members] == [other.pat]
    stranger = await ask(platform="slack", workspace="T1", tenant="T1", user="U-NOBODY")
    assert (stranger.workspace, stranger.members) == (seeded.slack, ())
    unclaimed = await ask(platform="slack", workspace="T3", tenant="T1", user="U-ANA")
    assert (unclaimed.workspace, unclaimed.organization, unclaimed.members) == (None, None, ())
    direct = await ask(platform="slack", workspace=None, tenant="T1", user="U-ANA")
    assert direct.workspace is None
    assert {member.organization.id for member in direct.members} == {seeded.organization_id, other.organization_id}


async def test_a_claim_code_is_used_once_and_in_time(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())

    async def use(code_hash: bytes, now: datetime) -> OrganizationId | None:
        async with storage.transaction() as uow:
            return await uow.organizations.use_claim_code(code_hash, now)

    for code in ("first", "late"):
        await storage.directory.issue_claim_code(
            seeded.organization_id, code_hash=secret_hash(code), expires_at=clock.now() + timedelta(minutes=15)
        )
    assert await use(secret_hash("guess"), clock.now()) is None

    async def use_for_what_is_refused() -> None:
        async with storage.transaction() as uow:
            assert await uow.organizations.use_claim_code(secret_hash("first"), clock.now()) is not None
            raise PermissionError

    with pytest.raises(PermissionError):
        await use_for_what_is_refused()
    assert await use(secret_hash("first"), clock.now()) == seeded.organization_id
    assert await use(secret_hash("first"), clock.now()) is None
    assert await use(secret_hash("late"), clock.advance(timedelta(minutes=15))) is None


async def test_names_with_nul_or_half_a_character_are_kept_inert(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    async with storage.transaction() as uow:
        nasty = replace(seeded.pat, id=PersonId(new_id(clock.now())), email=None, name="a\0b\ud800c\u202e@everyone")
        await uow.people.add(nasty)
    async with storage.reading() as uow:
        name = (await uow.people.get(seeded.organization_id, nasty.id)).name
        assert name == "a\ufffdb\ufffdc\u202e@everyone"
