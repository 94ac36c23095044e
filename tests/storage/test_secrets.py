"""Keys: what they protect, where they live, and how they are changed while everything runs."""

import asyncio
import stat
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select, update

from commands.ids import AttemptId, ConnectionId, LinkId, OrganizationId, PersonId, SessionId, new_id
from commands.ports.installations import Installation
from commands.ports.reconnecting import Attempt, Link
from commands.ports.storage import StorageError, Unreadable
from commands.secret import Secret
from storage import Keyring, SqlStorage, open_storage, rekey
from storage.secrets import Cell
from storage.tables import authorizations
from tests.support.clock import FakeClock
from tests.support.seed import fresh_storage, seed

CELL = Cell(organization_id=UUID(int=1), table="authorizations", row=UUID(int=2), column="access_token")


def keys(*ids: str) -> dict[str, Secret]:
    return {key_id: Secret(Keyring.new_key(key_id).reveal().partition(":")[2]) for key_id in ids}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def storage(database_url: str, clock: FakeClock) -> AsyncIterator[SqlStorage]:
    async with fresh_storage(database_url, clock) as opened:
        yield opened


def test_what_was_encrypted_is_read_in_its_own_place_only() -> None:
    keyring = Keyring(keys("k1"))
    value = keyring.encrypt(Secret("tök\0en"), CELL)
    assert value.startswith("v1.k1.")
    assert "tök" not in value
    assert keyring.decrypt(value, CELL) == Secret("tök\0en")
    assert keyring.encrypt(Secret("tök\0en"), CELL) != value
    for elsewhere in (
        Cell(organization_id=UUID(int=9), table="authorizations", row=UUID(int=2), column="access_token"),
        Cell(organization_id=UUID(int=1), table="attempts", row=UUID(int=2), column="access_token"),
        Cell(organization_id=UUID(int=1), table="authorizations", row=UUID(int=9), column="access_token"),
        Cell(organization_id=UUID(int=1), table="authorizations", row=UUID(int=2), column="refresh_token"),
    ):
        with pytest.raises(Unreadable):
            keyring.decrypt(value, elsewhere)


@pytest.mark.parametrize("damage", ["", "v1", "v1.k1..", "v2.k1.AAAA.AAAA", "v1.k1.AAAA.AAAA", "v1.k1.é.é", "plain"])
def test_a_damaged_value_is_refused(damage: str) -> None:
    with pytest.raises(Unreadable):
        Keyring(keys("k1")).decrypt(damage, CELL)


def test_an_unknown_key_is_named_and_a_keyring_shows_no_key() -> None:
    given = keys("k1")
    value = Keyring(given).encrypt(Secret("token"), CELL)
    with pytest.raises(Unreadable, match="'k1'"):
        Keyring(keys("k2")).decrypt(value, CELL)
    assert given["k1"].reveal() not in repr(Keyring(given))


@pytest.mark.parametrize(
    "text", ["", "key", "k1:", "k1:short", "K 1:" + "A" * 43 + "=", "k1:" + "A" * 43 + "=", "k1:é"]
)
def test_keys_that_are_none_are_refused_without_being_shown(text: str) -> None:
    with pytest.raises(StorageError) as refused:
        Keyring.from_settings(Secret(text))
    assert "AAAA" not in str(refused.value)


def test_a_key_given_twice_is_refused() -> None:
    with pytest.raises(StorageError, match="twice"):
        Keyring.from_settings(Secret(f"{Keyring.new_key('k').reveal()},{Keyring.new_key('k').reveal()}"))


async def test_the_key_file_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "state" / "lapsebot.key"
    made = await asyncio.gather(*(asyncio.to_thread(Keyring.load_or_create, path) for _ in range(8)))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["lapsebot.key"]
    value = made[0].encrypt(Secret("token"), CELL)
    assert all(keyring.decrypt(value, CELL) == Secret("token") for keyring in made)
    path.chmod(0o640)
    with pytest.raises(StorageError, match="chmod 600"):
        Keyring.load_or_create(path)


async def test_a_token_moved_to_another_row_cannot_be_read(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    other = await seed(storage, clock.now(), name="Other House", slack_team="T2", discord_server="D2")
    async with storage.writing_work() as work:
        stolen = await work.row(
            select(authorizations.c.access_token).where(authorizations.c.id == seeded.authorization.id)
        )
        assert stolen is not None
        await work.run(
            update(authorizations)
            .where(authorizations.c.id == other.authorization.id)
            .values(access_token=stolen[0], refresh_token=stolen[0])
        )
    async with storage.reading() as uow:
        assert await uow.authorizations.tokens(seeded.organization_id, seeded.authorization.id) == seeded.tokens
        with pytest.raises(Unreadable, match="moved"):
            await uow.authorizations.tokens(other.organization_id, other.authorization.id)


async def test_no_secret_is_in_the_database_in_clear(sqlite_database_url: str, clock: FakeClock) -> None:
    async with fresh_storage(sqlite_database_url, clock) as storage:
        seeded = await seed(storage, clock.now())
        async with storage.transaction() as uow:
            locator = await uow.links.ensure(
                link_of(seeded.organization_id, seeded.ana.id, seeded.connections[0].id, clock)
            )
    folder = Path(sqlite_database_url.partition(":///")[2]).parent
    stored = b"".join(file.read_bytes() for file in folder.iterdir())
    for secret in (seeded.tokens.access.reveal(), "seed-refresh-token", locator):
        assert secret.encode() not in stored


async def test_a_database_of_other_keys_is_not_opened(database_url: str, clock: FakeClock) -> None:
    async with fresh_storage(database_url, clock):
        pass
    with pytest.raises(Unreadable, match="do not fit this database"):
        async with open_storage(database_url, Keyring(keys("other")), clock):
            pass


async def test_keys_rotate_while_running_and_an_interrupted_rotation_goes_on(
    database_url: str, clock: FakeClock
) -> None:
    given = keys("k1", "k2")
    old = Keyring({"k1": given["k1"]})
    both = Keyring({"k2": given["k2"], "k1": given["k1"]})
    new = Keyring({"k2": given["k2"]})
    async with fresh_storage(database_url, clock, old) as storage:
        seeded = await seed(storage, clock.now())
        link = link_of(seeded.organization_id, seeded.ana.id, seeded.connections[0].id, clock)
        async with storage.transaction() as uow:
            locator = await uow.links.ensure(link)
    # Half-way: one of two tokens is under the new key, as if the process had been killed between two rows.
    async with open_storage(database_url, both, clock) as storage:
        async with storage.writing_work() as work:
            cell = Cell(
                organization_id=seeded.organization_id,
                table="authorizations",
                row=seeded.authorization.id,
                column="access_token",
            )
            await work.run(update(authorizations).values(access_token=both.encrypt(seeded.tokens.access, cell)))
        async with storage.reading() as uow:
            assert await uow.authorizations.tokens(seeded.organization_id, seeded.authorization.id) == seeded.tokens
        done = await rekey(database_url, both)
        assert (done.changed, done.unreadable) == (2, 0), "the refresh token and the canary"
        again = await rekey(database_url, both)
        assert (again.changed, again.unreadable) == (0, 0)
        async with storage.transaction() as uow:
            assert await uow.links.ensure(link) == locator, "posted links outlive a rotation"
    async with open_storage(database_url, new, clock) as storage, storage.transaction() as uow:
        assert await uow.authorizations.tokens(seeded.organization_id, seeded.authorization.id) == seeded.tokens
        fresh = await uow.links.ensure(link)
        assert fresh != locator, "once its key is gone, a link gets another address"
        assert await uow.links.ensure(link) == fresh


async def test_an_access_and_what_was_found_move_to_the_new_key_too(database_url: str, clock: FakeClock) -> None:
    given = keys("k1", "k2")
    both = Keyring({"k2": given["k2"], "k1": given["k1"]})
    async with fresh_storage(database_url, clock, Keyring({"k1": given["k1"]})) as storage:
        seeded = await seed(storage, clock.now())
        access = Installation(
            platform="slack",
            tenant="T1",
            name="Acme",
            is_org_wide=False,
            bot_token=Secret("xoxb-1"),
            bot_user="U1",
            scopes=frozenset(),
            installed_at=clock.now(),
        )
        await storage.installations.save(access)
        link = link_of(seeded.organization_id, seeded.ana.id, seeded.connections[0].id, clock)
        attempt = Attempt(
            id=AttemptId(new_id(clock.now())),
            organization_id=seeded.organization_id,
            link_id=link.id,
            person_id=seeded.ana.id,
            connection_id=link.connection_id,
            authorization_id=None,
            network="examplenet",
            session_id=SessionId(new_id(clock.now())),
            redirect_uri="r",
            code_verifier=Secret("verifier"),
            opened_at=clock.now(),
            expires_at=clock.now() + timedelta(hours=1),
        )
        async with storage.transaction() as uow:
            await uow.links.ensure(link)
            await uow.attempts.open(attempt, state_hash=b"s", browser_hash=b"b", take_over=False)
            await uow.attempts.keep(
                seeded.organization_id, attempt.id, found=Secret("accounts"), until=attempt.expires_at
            )
        done = await rekey(database_url, both)
        assert (done.changed, done.unreadable) == (6, 0), "two tokens, verifier, accounts, access and canary"
    async with open_storage(database_url, Keyring({"k2": given["k2"]}), clock) as storage:
        assert await storage.installations.find("slack", "T1") == access
        async with storage.reading() as uow:
            kept = await uow.attempts.kept(seeded.organization_id, attempt.id, clock.now())
            assert kept == Secret("accounts")


async def test_what_cannot_be_read_is_counted_and_left_as_it_is(database_url: str, clock: FakeClock) -> None:
    given = keys("k1", "k2")
    both = Keyring({"k2": given["k2"], "k1": given["k1"]})
    async with fresh_storage(database_url, clock, Keyring({"k1": given["k1"]})) as storage:
        await seed(storage, clock.now())
        async with storage.writing_work() as work:
            await work.run(update(authorizations).values(refresh_token="v1.gone.AAAA.AAAA"))
        assert (await rekey(database_url, both)).unreadable == 1
        async with storage.reading_work() as work:
            row = await work.row(select(authorizations.c.refresh_token))
            assert row is not None
            assert row[0] == "v1.gone.AAAA.AAAA"


def link_of(
    organization_id: OrganizationId, person_id: PersonId, connection_id: ConnectionId, clock: FakeClock
) -> Link:
    return Link(
        id=LinkId(new_id(clock.now())),
        organization_id=organization_id,
        person_id=person_id,
        connection_id=connection_id,
        created_at=clock.now(),
    )
