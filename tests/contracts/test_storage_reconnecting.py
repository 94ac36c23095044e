"""Links, attempts, sessions and sign-ins, over both databases."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from commands.ids import AttemptId, LinkId, SessionId, new_id
from commands.model import Person
from commands.ports.reconnecting import Attempt, Link, OpenAttempt, PendingSignIn, Session, Stand
from commands.secret import Secret
from storage import SqlStorage, secret_hash
from tests.support.clock import FakeClock
from tests.support.seed import Seeded, fresh_storage, seed

BROWSER = secret_hash("browser")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def storage(database_url: str, clock: FakeClock) -> AsyncIterator[SqlStorage]:
    async with fresh_storage(database_url, clock) as opened:
        yield opened


def link_of(seeded: Seeded, person: Person, clock: FakeClock, place: int = 0) -> Link:
    return Link(
        id=LinkId(new_id(clock.now())),
        organization_id=seeded.organization_id,
        person_id=person.id,
        connection_id=seeded.connections[place].id,
        created_at=clock.now(),
    )


async def attempt_of(storage: SqlStorage, seeded: Seeded, person: Person, clock: FakeClock) -> Attempt:
    async with storage.transaction() as uow:
        locator = await uow.links.ensure(link_of(seeded, person, clock))
    link = await storage.directory.link(locator)
    assert link is not None
    return Attempt(
        id=AttemptId(new_id(clock.now())),
        organization_id=seeded.organization_id,
        link_id=link.id,
        person_id=person.id,
        connection_id=link.connection_id,
        authorization_id=seeded.authorization.id,
        network="examplenet",
        session_id=SessionId(new_id(clock.now())),
        redirect_uri="http://127.0.0.1/callback",
        code_verifier=Secret("verifier"),
        opened_at=clock.now(),
        expires_at=clock.now() + timedelta(minutes=10),
    )


async def open_attempt(
    storage: SqlStorage, attempt: Attempt, state: str, *, take_over: bool = False
) -> OpenAttempt | None:
    async with storage.transaction() as uow:
        return await uow.attempts.open(
            attempt, state_hash=secret_hash(state), browser_hash=BROWSER, take_over=take_over
        )


async def test_a_link_has_one_locator_for_ever(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    first = link_of(seeded, seeded.ana, clock)
    async with storage.transaction() as uow:
        locator = await uow.links.ensure(first)
        assert len(locator) == 22
        assert await uow.links.ensure(link_of(seeded, seeded.ana, clock)) == locator
        others = (link_of(seeded, seeded.bo, clock), link_of(seeded, seeded.ana, clock, 1), first)
        many = await uow.links.ensure_many(others)
        assert many[first.person_id, seeded.connections[0].id] == locator
        assert len(set(many.values())) == 3
        assert await uow.links.get(seeded.organization_id, first.id) == first
    assert await storage.directory.link(locator) == first
    assert await storage.directory.link("0" * 22) is None


@pytest.mark.behaviour("R-17")
async def test_an_authorization_has_one_open_attempt(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    mine = await attempt_of(storage, seeded, seeded.ana, clock)
    assert await open_attempt(storage, mine, "first") is None
    theirs = await attempt_of(storage, seeded, seeded.bo, clock)
    assert await open_attempt(storage, theirs, "second") == OpenAttempt(
        person_id=seeded.ana.id, opened_at=mine.opened_at
    )
    async with storage.reading() as uow:
        view = await uow.connections.view(seeded.organization_id, seeded.connections[0].id)
        assert view is not None
        assert view.reconnecting_by == "Ana Ruiz"
    again = replace(mine, id=AttemptId(new_id(clock.now())))
    assert await open_attempt(storage, again, "third") is None, "the same person's new attempt supersedes theirs"
    assert await open_attempt(storage, theirs, "second", take_over=True) is None
    use = storage.directory.use_attempt
    for state in ("first", "third"):
        assert await use(state_hash=secret_hash(state), browser_hash=BROWSER, now=clock.now()) is None
    assert await use(state_hash=secret_hash("second"), browser_hash=BROWSER, now=clock.now()) == theirs


@pytest.mark.behaviour("R-17")
@pytest.mark.parametrize("take_over", [True, False])
async def test_one_that_came_back_a_moment_ago_is_spared_where_that_is_asked_for(
    storage: SqlStorage, clock: FakeClock, take_over: bool
) -> None:
    seeded = await seed(storage, clock.now())
    mine = await attempt_of(storage, seeded, seeded.ana, clock)
    await open_attempt(storage, mine, "first")
    await storage.directory.use_attempt(state_hash=secret_hash("first"), browser_hash=BROWSER, now=clock.now())
    came_back = clock.now()
    for person, state in ((seeded.ana, "again"), (seeded.bo, "theirs")):
        theirs = await attempt_of(storage, seeded, person, clock)
        async with storage.transaction() as uow:
            held = await uow.attempts.open(
                theirs,
                state_hash=secret_hash(state),
                browser_hash=BROWSER,
                take_over=take_over,
                spare_since=came_back - timedelta(seconds=1),
            )
        assert held == OpenAttempt(person_id=seeded.ana.id, opened_at=mine.opened_at, spared=True)
    theirs = await attempt_of(storage, seeded, seeded.ana, clock)
    async with storage.transaction() as uow:
        held = await uow.attempts.open(
            theirs,
            state_hash=secret_hash("later"),
            browser_hash=BROWSER,
            take_over=take_over,
            spare_since=came_back,
        )
    assert held is None


@pytest.mark.behaviour("R-17", "R-18")
async def test_what_is_under_way_is_found_and_what_was_replaced_knows_by_whom(
    storage: SqlStorage, clock: FakeClock
) -> None:
    seeded = await seed(storage, clock.now())
    organization_id, now = seeded.organization_id, clock.now()
    mine = await attempt_of(storage, seeded, seeded.ana, clock)
    theirs = await attempt_of(storage, seeded, seeded.bo, clock)
    new = replace(mine, id=AttemptId(new_id(now)), authorization_id=None)
    await open_attempt(storage, mine, "first")
    await open_attempt(storage, new, "new")
    async with storage.reading() as uow:
        for link_id in (mine.link_id, theirs.link_id):  # of an authorization, whichever link one comes by
            found = await uow.attempts.under_way(
                organization_id, link_id=link_id, authorization_id=mine.authorization_id, now=now
            )
            assert found is not None
            assert (found.attempt_id, found.person_id, found.opened_at) == (mine.id, seeded.ana.id, now)
            assert (found.session_id, found.came_back) == (mine.session_id, False)
        by_link = partial(uow.attempts.under_way, organization_id, link_id=mine.link_id, authorization_id=None)
        latest = await by_link(now=now)
        assert latest is not None
        assert latest.attempt_id in (mine.id, new.id)
        assert await by_link(now=mine.expires_at) is None
    await storage.directory.use_attempt(state_hash=secret_hash("first"), browser_hash=BROWSER, now=now)
    async with storage.reading() as uow:
        assert await uow.attempts.stand(organization_id, mine.id) == Stand(
            came_back=True, closed_at=None, ended_by=None
        )
    clock.advance(timedelta(minutes=3))
    taken = replace(theirs, opened_at=clock.now())
    await open_attempt(storage, taken, "second", take_over=True)
    async with storage.reading() as uow:
        assert await uow.attempts.stand(organization_id, mine.id) == Stand(
            came_back=True, closed_at=clock.now(), ended_by=seeded.bo.id
        )
        assert await uow.attempts.stand(organization_id, AttemptId(new_id(now))) is None


@pytest.mark.behaviour("R-17")
async def test_an_expired_attempt_is_in_nobodys_way(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    assert await open_attempt(storage, await attempt_of(storage, seeded, seeded.ana, clock), "first") is None
    clock.advance(timedelta(minutes=10))
    used = await storage.directory.use_attempt(state_hash=secret_hash("first"), browser_hash=BROWSER, now=clock.now())
    assert used is None
    async with storage.reading() as uow:
        view = await uow.connections.view(seeded.organization_id, seeded.connections[0].id)
        assert view is not None
        assert view.reconnecting_by is None
    assert await open_attempt(storage, await attempt_of(storage, seeded, seeded.bo, clock), "second") is None


async def test_connecting_without_an_authorization_is_exempt(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    for state, person in (("one", seeded.ana), ("two", seeded.bo)):
        new = await attempt_of(storage, seeded, person, clock)
        assert await open_attempt(storage, replace(new, authorization_id=None), state) is None


@pytest.mark.behaviour("R-3", "R-4")
async def test_a_state_is_of_its_browser_and_used_once_by_one_of_eight(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    attempt = await attempt_of(storage, seeded, seeded.ana, clock)
    await open_attempt(storage, attempt, "state")
    use = storage.directory.use_attempt
    other = secret_hash("another browser")
    assert await use(state_hash=secret_hash("state"), browser_hash=other, now=clock.now()) is None
    uses = (use(state_hash=secret_hash("state"), browser_hash=BROWSER, now=clock.now()) for _ in range(8))
    assert [used for used in await asyncio.gather(*uses) if used is not None] == [attempt]
    assert await storage.directory.attempt_of_state(secret_hash("state")) == attempt
    assert await storage.directory.attempt_of_state(secret_hash("unknown")) is None


async def test_a_finished_attempt_keeps_its_outcome_and_not_its_secret(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    attempt = await attempt_of(storage, seeded, seeded.ana, clock)
    await open_attempt(storage, attempt, "state")
    async with storage.transaction() as uow:
        assert await uow.attempts.finish(seeded.organization_id, attempt.id, outcome='{"done": true}', at=clock.now())
        finished = await uow.attempts.get(seeded.organization_id, attempt.id)
        assert finished == replace(attempt, outcome='{"done": true}', code_verifier=None)
        unknown = AttemptId(new_id(clock.now()))
        for ended in (attempt.id, unknown):
            assert not await uow.attempts.finish(seeded.organization_id, ended, outcome="{}", at=clock.now())
        assert await uow.attempts.get(seeded.organization_id, attempt.id) == finished
    assert await open_attempt(storage, await attempt_of(storage, seeded, seeded.bo, clock), "next") is None


async def test_a_session_is_known_by_its_cookie_until_it_ends(storage: SqlStorage, clock: FakeClock) -> None:
    session = Session(
        id=SessionId(new_id(clock.now())),
        platform="slack",
        tenant="T1",
        user="U-ANA",
        name="Ana",
        email=None,
        created_at=clock.now(),
        expires_at=clock.now() + timedelta(hours=12),
    )
    other = replace(session, id=SessionId(new_id(clock.now())), email="ana@acme.example")
    async with storage.transaction() as uow:
        await uow.sessions.add(session, secret_hash=secret_hash("cookie"))
        await uow.sessions.add(other, secret_hash=secret_hash("other"))
        assert await uow.sessions.by_secret(secret_hash("cookie"), clock.now()) == session
        assert await uow.sessions.by_secret(secret_hash("guess"), clock.now()) is None
        await uow.sessions.end(session.id)
        assert await uow.sessions.by_secret(secret_hash("cookie"), clock.now()) is None
        assert await uow.sessions.by_secret(secret_hash("other"), clock.now()) == other
        assert await uow.sessions.by_secret(secret_hash("other"), clock.advance(timedelta(hours=12))) is None


async def test_a_sign_in_is_finished_once_by_one_of_eight(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    pending = PendingSignIn(
        platform="slack",
        nonce="nonce",
        redirect_uri="http://127.0.0.1/signed-in",
        workspace_id=seeded.slack.id,
        locator="l" * 22,
        expires_at=clock.now() + timedelta(minutes=10),
    )
    state = secret_hash("state")
    async with storage.transaction() as uow:
        await uow.sessions.begin_sign_in(pending, state_hash=state, browser_hash=BROWSER)

    async def finish(browser_hash: bytes = BROWSER) -> PendingSignIn | None:
        async with storage.transaction() as uow:
            return await uow.sessions.finish_sign_in(state_hash=state, browser_hash=browser_hash, now=clock.now())

    assert await finish(secret_hash("another browser")) is None
    assert [done for done in await asyncio.gather(*(finish() for _ in range(8))) if done is not None] == [pending]


@pytest.mark.behaviour("R-3")
async def test_what_a_network_gives_for_the_exchange_alone_is_kept_encrypted_until_the_attempt_ends(
    storage: SqlStorage, clock: FakeClock
) -> None:
    seeded = await seed(storage, clock.now())
    attempt = replace(await attempt_of(storage, seeded, seeded.ana, clock), code_verifier=None)
    assert await open_attempt(storage, attempt, "state") is None

    async def entrust(secret: str) -> None:
        async with storage.transaction() as uow:
            await uow.attempts.entrust(seeded.organization_id, attempt.id, code_verifier=Secret(secret))

    await entrust("of-the-request")
    used = await storage.directory.use_attempt(state_hash=secret_hash("state"), browser_hash=BROWSER, now=clock.now())
    assert used == replace(attempt, code_verifier=Secret("of-the-request"))
    async with storage.transaction() as uow:
        assert await uow.attempts.finish(seeded.organization_id, attempt.id, outcome="{}", at=clock.now())
    await entrust("too late")
    async with storage.reading() as uow:
        ended = await uow.attempts.get(seeded.organization_id, attempt.id)
    assert ended is not None
    assert ended.code_verifier is None, "an attempt that is over holds nothing"
