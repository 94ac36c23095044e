"""The attempt of an address: shown to the session that opened it, as long as that is still its person."""

from dataclasses import dataclass

from aiohttp import web

from bot.web.site import SITE
from commands.ids import AttemptId, from_wire
from commands.linking import Visitor, memberships
from commands.model import Person
from commands.ports.reconnecting import Attempt, Session


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnAttempt:
    """An attempt, and whoever opened it, at its page."""

    attempt: Attempt
    session: Session
    visitor: Visitor

    @property
    def person(self) -> Person:
        """Who opened it."""
        return self.visitor.person


async def own_attempt(request: web.Request) -> OwnAttempt | None:
    """The attempt that the address names, if it is this session's."""
    site = request.app[SITE]
    session = await site.session(request)
    try:
        attempt_id = AttemptId(from_wire(request.match_info["attempt"]))
    except ValueError:
        return None
    if session is None:
        return None
    for visitor in await memberships(site.services, session):
        async with site.services.storage.reading() as uow:
            attempt = await uow.attempts.get(visitor.organization.id, attempt_id)
        if attempt and attempt.session_id == session.id and attempt.person_id == visitor.person.id:
            return OwnAttempt(attempt=attempt, session=session, visitor=visitor)
    return None
