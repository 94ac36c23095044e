"""Bearer links, links for new accounts and what a login found, over both databases."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from commands.ids import AttemptId, LinkId, PassId, SessionId, new_id
from commands.ports.reconnecting import Attempt, Link, Pass, PassPurpose
from commands.ports.storage import NotThere, StorageError, Unreadable
from commands.secret import Secret
from storage import SqlStorage, secret_hash
from storage.tables import attempts
from tests.support.clock import FakeClock
from tests.support.seed import Seeded, fresh_storage, seed

HOUR = timedelta(hours=1)
WEEK = timedelta(weeks=1)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def storage(database_url: str, clock: FakeClock) -> AsyncIterator[SqlStorage]:
    async with fresh_storage(database_url, clock) as opened:
        yield opened


def pass_for(seeded: Seeded, clock: FakeClock, purpose: PassPurpose = PassPurpose.ACCOUNTS) -> Pass:
    return Pass(
        id=PassId(new_id(clock.now())),
        organization_id=seeded.organization_id,
        person_id=seeded.bo.id,
        purpose=purpose,
        made_by=seeded.mei.id,
        created_at=clock.now(),
        expires_at=clock.now() + WEEK,
        data={"platform": "email"},
    )


async def found(storage: SqlStorage, secret: str) -> Pass:
    one = await storage.directory.pass_of(secret_hash(secret))
    assert one is not None
    return one


@pytest.mark.behaviour("R-13")
async def test_a_pass_is_found_by_its_secret_and_bound_to_the_first_browser(
    storage: SqlStorage, clock: FakeClock
) -> None:
    seeded = await seed(storage, clock.now())
    one, organization_id = pass_for(seeded, clock), seeded.organization_id
    async with storage.transaction() as uow:
        await uow.passes.add(one, secret_hash=secret_hash("secret"))
    assert await found(storage, "secret") == one
    assert await storage.directory.pass_of(secret_hash("guess")) is None
    async with storage.transaction() as uow:
        assert await uow.passes.bind(organization_id, one.id, browser_hash=b"first")
        assert await uow.passes.bind(organization_id, one.id, browser_hash=b"first")
        assert not await uow.passes.bind(organization_id, one.id, browser_hash=b"second")
        opened_at = clock.advance(HOUR)
        await uow.passes.opened(organization_id, one.id, opened_at)
        await uow.passes.opened(organization_id, one.id, clock.advance(HOUR))
    assert await found(storage, "secret") == replace(one, opened_at=opened_at)


async def test_a_pass_is_used_once_and_not_when_it_is_over(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    organization_id = seeded.organization_id
    used, withdrawn, late = (pass_for(seeded, clock, PassPurpose.IDENTITY) for _ in range(3))
    async with storage.transaction() as uow:
        await uow.passes.add(used, secret_hash=b"used")
        assert await uow.passes.use(organization_id, used.id, clock.now())
        assert not await uow.passes.use(organization_id, used.id, clock.now())
        for one in (withdrawn, late):
            await uow.passes.add(one, secret_hash=one.id.bytes)
        assert await uow.passes.withdraw(organization_id, seeded.bo.id, PassPurpose.IDENTITY, clock.now()) == 2
        assert not await uow.passes.use(organization_id, withdrawn.id, clock.now())
        fresh = replace(late, id=PassId(new_id(clock.now())))
        await uow.passes.add(fresh, secret_hash=b"late")
        assert not await uow.passes.use(organization_id, fresh.id, clock.now() + WEEK)
    kept = await storage.directory.pass_of(withdrawn.id.bytes)
    assert kept == replace(withdrawn, withdrawn_at=clock.now()), "it is still known, to say what became of it"


async def test_a_persons_passes_come_latest_first_and_are_withdrawn_by_purpose(
    storage: SqlStorage, clock: FakeClock
) -> None:
    seeded = await seed(storage, clock.now())
    organization_id, bo = seeded.organization_id, seeded.bo.id
    old = pass_for(seeded, clock)
    clock.advance(HOUR)
    new, other = pass_for(seeded, clock), pass_for(seeded, clock, PassPurpose.UNSUBSCRIBE)
    async with storage.transaction() as uow:
        for one in (old, new, other):
            await uow.passes.add(one, secret_hash=one.id.bytes)
        assert await uow.passes.of(organization_id, bo, PassPurpose.ACCOUNTS) == [new, old]
        assert await uow.passes.of(organization_id, seeded.ana.id, PassPurpose.ACCOUNTS) == []
        clock.advance(WEEK - HOUR)
        assert await uow.passes.of(organization_id, bo, PassPurpose.ACCOUNTS) == [new], "the old one is over"
        assert await uow.passes.withdraw(organization_id, bo, PassPurpose.ACCOUNTS, clock.now()) == 1
        assert await uow.passes.withdraw(organization_id, bo, PassPurpose.ACCOUNTS, clock.now()) == 0
        assert await uow.passes.withdraw(organization_id, bo, None, clock.now()) == 1
        [listed] = await uow.passes.of(organization_id, bo, PassPurpose.ACCOUNTS)
        assert listed.withdrawn_at == clock.now()


def link_for(seeded: Seeded, clock: FakeClock, network: str = "examplenet") -> Link:
    return Link(
        id=LinkId(new_id(clock.now())),
        organization_id=seeded.organization_id,
        person_id=seeded.bo.id,
        connection_id=None,
        created_at=clock.now(),
        network=network,
    )


@pytest.mark.behaviour("C-7")
async def test_a_link_for_new_accounts_is_one_for_each_person_and_network(
    storage: SqlStorage, clock: FakeClock
) -> None:
    seeded = await seed(storage, clock.now())
    first, organization_id = link_for(seeded, clock), seeded.organization_id
    async with storage.transaction() as uow:
        locator = await uow.links.ensure(first)
        assert await uow.links.ensure(link_for(seeded, clock)) == locator
        assert await uow.links.ensure(link_for(seeded, clock, "othernet")) != locator
        assert await uow.links.ensure(replace(link_for(seeded, clock), person_id=seeded.ana.id)) != locator
        with pytest.raises(StorageError):
            await uow.links.ensure_many((link_for(seeded, clock),))
    assert await storage.directory.link(locator) == first
    async with storage.reading() as uow:
        assert await uow.links.get(organization_id, first.id) == first
        assert await uow.links.locator(organization_id, first.id) == locator
        assert await uow.links.locator(organization_id, LinkId(new_id(clock.now()))) is None


async def attempt_of(storage: SqlStorage, seeded: Seeded, clock: FakeClock) -> Attempt:
    async with storage.transaction() as uow:
        locator = await uow.links.ensure(link_for(seeded, clock))
    link = await storage.directory.link(locator)
    assert link is not None
    attempt = Attempt(
        id=AttemptId(new_id(clock.now())),
        organization_id=seeded.organization_id,
        link_id=link.id,
        person_id=seeded.bo.id,
        connection_id=None,
        authorization_id=None,
        network="examplenet",
        session_id=SessionId(new_id(clock.now())),
        redirect_uri="http://127.0.0.1/callback",
        code_verifier=Secret("verifier"),
        opened_at=clock.now(),
        expires_at=clock.now() + HOUR,
    )
    async with storage.transaction() as uow:
        opened = await uow.attempts.open(
            attempt, state_hash=attempt.id.bytes, browser_hash=secret_hash("browser"), take_over=False
        )
        assert opened is None
    return attempt


@pytest.mark.behaviour("R-14")
async def test_what_a_login_found_is_kept_encrypted_and_taken_once(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    attempt, organization_id = await attempt_of(storage, seeded, clock), seeded.organization_id
    async with storage.transaction() as uow:
        assert await uow.attempts.get(organization_id, attempt.id) == attempt
        assert await uow.attempts.kept(organization_id, attempt.id, clock.now()) is None
        assert await uow.attempts.take(organization_id, attempt.id, clock.now()) is None
        until = clock.now() + HOUR
        await uow.attempts.keep(organization_id, attempt.id, found=Secret("accounts"), until=until)
        with pytest.raises(NotThere):
            await uow.attempts.keep(
                organization_id, AttemptId(new_id(clock.now())), found=Secret("accounts"), until=until
            )
        assert await uow.attempts.finish(organization_id, attempt.id, outcome="{}", at=clock.now())
    async with storage.reading() as uow:
        assert await uow.attempts.kept(organization_id, attempt.id, clock.now()) == Secret("accounts")
        assert await uow.attempts.kept(organization_id, attempt.id, until) is None

    async def take_for_what_fails() -> None:
        async with storage.transaction() as uow:
            assert await uow.attempts.take(organization_id, attempt.id, clock.now()) == Secret("accounts")
            raise PermissionError

    with pytest.raises(PermissionError):
        await take_for_what_fails()
    async with storage.transaction() as uow:
        assert await uow.attempts.take(organization_id, attempt.id, until) is None
        assert await uow.attempts.take(organization_id, attempt.id, clock.now()) == Secret("accounts")
        assert await uow.attempts.take(organization_id, attempt.id, clock.now()) is None
        assert await uow.attempts.kept(organization_id, attempt.id, clock.now()) is None


async def test_what_was_kept_is_bound_to_its_attempt(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    mine, other = [await attempt_of(storage, seeded, clock) for _ in range(2)]
    async with storage.transaction() as uow:
        await uow.attempts.keep(seeded.organization_id, mine.id, found=Secret("a"), until=clock.now() + HOUR)
    async with storage.writing_work() as work:
        stolen = await work.row(select(attempts.c.found).where(attempts.c.id == mine.id))
        assert stolen is not None
        assert stolen[0] != "a"
        await work.run(
            update(attempts).where(attempts.c.id == other.id).values(found=stolen[0], found_until=clock.now() + HOUR)
        )
    async with storage.reading() as uow:
        with pytest.raises(Unreadable):
            await uow.attempts.kept(seeded.organization_id, other.id, clock.now())


@pytest.mark.behaviour("A-1", "P-6")
async def test_links_handed_out_by_somebody_or_for_somebody_end_and_those_of_notices_stay(
    storage: SqlStorage, clock: FakeClock
) -> None:
    seeded = await seed(storage, clock.now())
    organization_id, one = seeded.organization_id, pass_for(seeded, clock)
    made = {
        "by mei for bo": one,
        "by bo for mei": replace(one, id=PassId(new_id(clock.now())), person_id=seeded.mei.id, made_by=seeded.bo.id),
        "in a notice to bo": replace(one, id=PassId(new_id(clock.now())), made_by=None),
    }
    async with storage.transaction() as uow:
        for secret, each in made.items():
            await uow.passes.add(each, secret_hash=secret_hash(secret))

    async def over() -> list[str]:
        return [secret for secret in made if (await found(storage, secret)).withdrawn_at is not None]

    async with storage.transaction() as uow:
        assert await uow.passes.withdraw_handed_out(organization_id, made_by=seeded.bo.id) == 1
    assert await over() == ["by bo for mei"]
    async with storage.transaction() as uow:
        assert await uow.passes.withdraw_handed_out(organization_id, person_id=seeded.bo.id) == 1
        assert await uow.passes.withdraw_handed_out(organization_id, person_id=seeded.bo.id) == 0
    assert await over() == ["by mei for bo", "by bo for mei"]
