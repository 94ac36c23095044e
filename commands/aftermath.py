"""What a change came to: the logins concerned are checked, and whoever made it reads the count (A-6).

Networks are asked by the checker's port, with no transaction open. As many logins as fit into the time that somebody
waits for an answer; the others are made due for the watch at once.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from commands.command import Services
from commands.ids import AuthorizationId, ConnectionId, OrganizationId
from commands.model import ConnectionState, ConnectionView, Filter, Person, Scope
from commands.ports.checker import CheckResult
from commands.ports.storage import UnitOfWork
from commands.wording import Sentence

MOST_LOGINS = 25
"""Logins that are checked before the answer."""
LOOKED_AT = 500
"""Accounts of somebody whose logins are checked after their rights changed."""
AT_ONCE = 5
START_WITHIN = 15.0
"""Seconds within which checks are started; one that was started is never cut short, since it may be refreshing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many of the accounts concerned work."""

    accounts: int = 0
    """Those whose login was checked."""
    working: int = 0
    later: int = 0
    """Logins that the watch looks at next."""

    @property
    def words(self) -> Sentence:
        """A sentence; empty where nothing hangs on a login."""
        rest = Sentence("{number} more logins are being checked", number=self.later)
        if self.later == 1:
            rest = Sentence("1 more login is being checked")
        if not self.accounts:
            return Sentence("{rest}: /lapsed shows what came of it.", rest=rest) if self.later else Sentence("")
        work = self._work()
        if self.later:
            return Sentence("Checked just now: {work}; {rest}.", work=work, rest=rest)
        return Sentence("Checked just now: {work}.", work=work)

    def _work(self) -> Sentence:
        if self.accounts == 1:
            return Sentence("it works") if self.working else Sentence("it does not work")
        return Sentence("{working} of {number} accounts work", working=self.working, number=self.accounts)


async def concerned_by(uow: UnitOfWork, scope: Scope, was: Person, is_now: Person) -> Sequence[ConnectionView]:
    """What hangs on somebody, where what they may do here changed; else nothing."""
    if (was.role, was.client_ids, was.left_at) == (is_now.role, is_now.client_ids, is_now.left_at):
        return ()
    theirs = Filter(person_id=is_now.id, states=(ConnectionState.ACTIVE, ConnectionState.LAPSED))
    return (await uow.connections.page(is_now.organization_id, scope, theirs, offset=0, limit=LOOKED_AT)).rows


async def check_next(uow: UnitOfWork, was: Person, is_now: Person, now: datetime) -> int:
    """Make due what hangs on somebody whose rights were changed where nobody can wait for checks: from a file, or a
    process that asks no network. How many logins these are.
    """
    logins = {view.connection.authorization_id for view in await concerned_by(uow, Scope(), was, is_now)}
    due = sorted(login for login in logins if login is not None)
    if due:
        await uow.authorizations.check_soon(is_now.organization_id, due, now)
    return len(due)


def logins_next(number: int) -> str:
    """That they are due, in words."""
    return "1 login is checked next" if number == 1 else f"{number:,} logins are checked next"


async def count_working(services: Services, organization_id: OrganizationId, views: Iterable[ConnectionView]) -> Count:
    """Have the logins of these accounts checked, and count the accounts that work."""
    logins: dict[AuthorizationId, list[ConnectionId]] = {}
    for view in views:
        connection = view.connection
        if connection.authorization_id is not None and connection.state is not ConnectionState.RETIRED:
            logins.setdefault(connection.authorization_id, []).append(connection.id)
    checked, left = await _check(services, organization_id, list(logins))
    if left:
        async with services.storage.transaction() as uow:
            await uow.authorizations.check_soon(organization_id, left, services.clock.now())
    ids = [connection_id for login in checked for connection_id in logins[login]]
    async with services.storage.reading() as uow:
        after = await uow.connections.views(organization_id, ids) if ids else ()
    working = sum(view.connection.state is ConnectionState.ACTIVE for view in after)
    return Count(accounts=len(after), working=working, later=len(left))


async def _check(
    services: Services, organization_id: OrganizationId, logins: Sequence[AuthorizationId]
) -> tuple[list[AuthorizationId], list[AuthorizationId]]:
    """Those that were checked, and those that were not reached in time."""
    loop = asyncio.get_running_loop()
    until, waiting = loop.time() + START_WITHIN, list(logins[:MOST_LOGINS])
    checked: list[AuthorizationId] = []
    busy: list[AuthorizationId] = []

    async def work() -> None:
        while waiting and loop.time() < until:
            login = waiting.pop(0)
            result = await services.checker.check(organization_id, login)
            if result is not CheckResult.NOT_POSSIBLE:
                (checked if result is CheckResult.CHECKED else busy).append(login)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(AT_ONCE, len(waiting))):
            group.create_task(work())
    return checked, [*busy, *waiting, *logins[MOST_LOGINS:]]
