"""Looks daily at what became of people's chat accounts, so that who is gone is known before anything breaks (X-6).

No transaction is held while a platform is asked. An answer that is not certain changes nothing but when to ask again.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from bot.notices.addresses import Platforms
from bot.notices.installations import record_dead
from commands.access import is_gone
from commands.errors import DeliveryError, DeliveryErrorKind
from commands.ids import EventId, OrganizationId, PersonId, new_id
from commands.model import Identity, Workspace
from commands.ports.chat import AccountKind, ChatPlatform, Profile
from commands.ports.clock import Clock
from commands.ports.events import Event, EventKind
from commands.ports.reconnecting import PassPurpose
from commands.ports.storage import Storage, UnitOfWork
from commands.wording import shown

log = structlog.get_logger(__name__)

LOOK_EVERY = timedelta(days=1)
LOOK_AT_GONE_EVERY = timedelta(days=7)
"""Somebody who is gone may come back, with no word of it."""
RETRY_AFTER = timedelta(hours=1)
"""How soon an account is asked for again of which nothing certain was heard."""
AT_ONCE = 16
"""Accounts of one pass: it ends within a minute though no platform answers."""
ASKED_TOGETHER = 8
"""Questions to platforms at the same time."""
LONGEST_QUESTION = 10.0
"""Seconds."""
GONE_KINDS = frozenset({AccountKind.GONE, AccountKind.BOT})
"""What no message is sent to: who is gone, and what is nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What a platform said of an account."""

    identity: Identity
    profile: Profile | None
    """None: nothing certain."""
    dead: frozenset[str] = frozenset()
    """The tenants of which it said that our access is lost."""


class Roster:
    """Asks platforms for accounts that were not looked at for a day. Several may run; asking twice changes nothing."""

    def __init__(
        self, *, storage: Storage, clock: Clock, platforms: Platforms, look_every: timedelta = LOOK_EVERY
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._platforms = platforms
        self._look_every = look_every

    async def run_once(self) -> int:
        """Look at accounts that are due, and give how many there were."""
        now = self._clock.now()
        due = await self._storage.queues.due_profiles(
            looked_before=now - self._look_every, gone_before=now - LOOK_AT_GONE_EVERY, limit=AT_ONCE
        )
        by_organization: dict[OrganizationId, list[Identity]] = {}
        for identity in due:
            by_organization.setdefault(identity.organization_id, []).append(identity)
        looked = 0
        for organization_id, identities in by_organization.items():
            try:
                async with self._storage.reading() as uow:
                    workspaces = await uow.organizations.workspaces(organization_id)
                seen = await self._ask(identities, workspaces)
                async with self._storage.transaction() as uow:
                    await self._write(uow, organization_id, seen)
                looked += len(seen)
            except Exception:
                # One organization's accounts keep no other's waiting; they are tried again.
                log.exception("accounts not looked at", organization=str(organization_id))
        return looked

    async def _ask(self, identities: Sequence[Identity], workspaces: Sequence[Workspace]) -> Sequence[_Seen]:
        together = asyncio.Semaphore(ASKED_TOGETHER)

        async def ask(identity: Identity) -> _Seen:
            async with together:
                return await self._look(identity, workspaces)

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(ask(identity)) for identity in identities]
        return [task.result() for task in tasks]

    async def _look(self, identity: Identity, workspaces: Sequence[Workspace]) -> _Seen:
        """Where ids are unique everywhere somebody is gone only once they are in none of the organization's places."""
        platform = self._platforms.get(identity.platform)
        if platform is None:
            return _Seen(identity=identity, profile=None)
        own = [one.external_id for one in workspaces if one.platform == identity.platform]
        answers: dict[str, Profile | DeliveryErrorKind] = {}
        for tenant in [identity.tenant] if identity.tenant else own:
            answer = answers[tenant] = await _asked(platform, tenant, identity.user)
            if isinstance(answer, Profile) and answer.kind not in GONE_KINDS:
                return _Seen(identity=identity, profile=answer)
        certain = [answer for answer in answers.values() if isinstance(answer, Profile)]
        return _Seen(
            identity=identity,
            profile=certain[-1] if certain and len(certain) == len(answers) else None,
            dead=frozenset(key for key, answer in answers.items() if answer is DeliveryErrorKind.INSTALLATION_DEAD),
        )

    async def _write(self, uow: UnitOfWork, organization_id: OrganizationId, seen: Sequence[_Seen]) -> None:
        now = self._clock.now()
        lost = []
        for one in seen:
            profile, was_gone = one.profile, one.identity.gone_at is not None
            gone = was_gone if profile is None else profile.kind in GONE_KINDS
            newly = await uow.people.looked_at(
                organization_id,
                one.identity.id,
                at=now if profile is not None else now - self._look_every + RETRY_AFTER,
                gone=gone,
                time_zone=profile.time_zone if profile is not None else None,
            )
            if newly:
                lost.append(one.identity)
        await _name(uow, organization_id, seen)
        for platform, tenant in sorted({(one.identity.platform, tenant) for one in seen for tenant in one.dead}):
            await record_dead(uow, organization_id, platform=platform, tenant=tenant, now=now)
        if lost:
            ids = sorted({identity.person_id for identity in lost})
            events = _gone(await uow.people.identities(organization_id, ids), organization_id, now)
            for event in events:
                await _end_links(uow, event, now)
            await uow.notices.record(events)


async def _name(uow: UnitOfWork, organization_id: OrganizationId, seen: Sequence[_Seen]) -> None:
    """Call those whom nobody here named as their profile does. Whoever claimed a workspace was written down under what
    came along with the command, which is a handle on some platforms; who has an email address was named with it.
    """
    called = {
        one.identity.person_id: shown(one.profile.name)
        for one in seen
        if one.profile is not None and one.profile.kind not in GONE_KINDS
    }
    for person in (await uow.people.many(organization_id, list(called))).values():
        name = called[person.id]
        if person.email is None and name and name != person.name:
            changed = await uow.people.get_for_change(organization_id, person.id)
            await uow.people.update(replace(changed, name=name))


async def _end_links(uow: UnitOfWork, event: Event, now: datetime) -> None:
    """End the bearer links to the accounts of somebody whose last chat account is gone, and those that they handed out.
    A one-time link stays: it is how they come back.
    """
    if event.person_id is not None:
        for purpose in (PassPurpose.ACCOUNTS, PassPurpose.CALENDAR):
            await uow.passes.withdraw(event.organization_id, event.person_id, purpose, now)
        await uow.passes.withdraw_handed_out(event.organization_id, made_by=event.person_id)


def _gone(
    identities: Mapping[PersonId, tuple[Identity, ...]], organization_id: OrganizationId, now: datetime
) -> list[Event]:
    """An event for each person whose last chat account is gone."""
    return [
        Event(
            id=EventId(new_id(now)),
            organization_id=organization_id,
            kind=EventKind.PERSON_GONE,
            at=now,
            person_id=own[0].person_id,
            data={"how": "deactivated"},
        )
        for own in identities.values()
        if is_gone(own)
    ]


async def _asked(platform: ChatPlatform, tenant: str, user: str) -> Profile | DeliveryErrorKind:
    """What a user is now, or why that cannot be told."""
    try:
        async with asyncio.timeout(LONGEST_QUESTION):
            return await platform.profile(tenant, user)
    except DeliveryError as error:
        log.info("account not looked at", platform=platform.name, code=error.code)
        return error.kind
    except TimeoutError:
        log.info("account not looked at", platform=platform.name, code="no answer in time")
        return DeliveryErrorKind.RETRY
