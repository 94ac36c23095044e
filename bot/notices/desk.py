"""What planning one organization's batch works with: one transaction, and facts that are read once in it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.notices.audience import Circle, Reader
from bot.notices.cadence import Calendar
from bot.notices.data import ids_text
from bot.notices.grouping import RulesFor
from bot.notices.hours import zone_of
from bot.notices.outbox import Outbox, Posting, holders
from commands.ids import AuthorizationId, LapseId, NoticeId, OrganizationId, PersonId, new_id
from commands.model import ConnectionView, Mute, Organization, Person, Preference, Workspace
from commands.ports.clock import Clock
from commands.ports.network import Networks
from commands.ports.notices import Notice, NoticeKind
from commands.ports.storage import Storage, UnitOfWork
from commands.rules import Rules, RuleSet, rules_for


@dataclass(frozen=True, slots=True, kw_only=True)
class Desks:
    """What the planner and the loops beside it work with: a desk for each transaction."""

    storage: Storage
    clock: Clock
    networks: Networks
    outbox: Outbox

    def desk(self, uow: UnitOfWork, organization_id: OrganizationId) -> "Desk":
        """The desk for one organization's batch, in its transaction, as of now."""
        return Desk(uow, organization_id, networks=self.networks, outbox=self.outbox, now=self.clock.now())


class Desk:
    """Facts of one organization, each read when it is first asked for, and the notices made from them."""

    def __init__(
        self, uow: UnitOfWork, organization_id: OrganizationId, *, networks: Networks, outbox: Outbox, now: datetime
    ) -> None:
        self.uow = uow
        self.organization_id = organization_id
        self.networks = networks
        self.outbox = outbox
        self.now = now
        self._organization: Organization | None = None
        self._administrators: Sequence[Person] | None = None
        self._workspaces: Sequence[Workspace] | None = None
        self._rule_sets: Sequence[RuleSet] | None = None

    async def organization(self) -> Organization:
        """The organization itself."""
        if self._organization is None:
            self._organization = await self.uow.organizations.get(self.organization_id)
        return self._organization

    async def administrators(self) -> Sequence[Person]:
        """The primary administrator first."""
        if self._administrators is None:
            self._administrators = await self.uow.people.administrators(self.organization_id)
        return self._administrators

    async def workspaces(self) -> Sequence[Workspace]:
        """The organization's workspaces, some narrowed to clients."""
        if self._workspaces is None:
            self._workspaces = await self.uow.organizations.workspaces(self.organization_id)
        return self._workspaces

    async def rules(self) -> RulesFor:
        """The rules of every network, as the organization changed them."""
        if self._rule_sets is None:
            self._rule_sets = await self.uow.rule_sets.all(self.organization_id)
        rule_sets, known = self._rule_sets, dict[str, Rules]()

        def of(network: str) -> Rules:
            if network not in known:
                there = self.networks.get(network)
                known[network] = rules_for(network, there.spec if there is not None else None, rule_sets)
            return known[network]

        return of

    async def people(self, ids: Iterable[PersonId | None]) -> Mapping[PersonId, Person]:
        """Those of these people that there are."""
        wanted = sorted({one for one in ids if one is not None})
        return await self.uow.people.many(self.organization_id, wanted) if wanted else {}

    async def preferences(self, people: Iterable[Person]) -> Sequence[Preference]:
        """How often these people want to hear."""
        wanted = sorted({person.id for person in people})
        return await self.uow.preferences.of(self.organization_id, wanted) if wanted else ()

    async def calendar(self, reader: Person, created_at: datetime) -> Calendar:
        """The calendar by which a reader's reminders go."""
        organization = await self.organization()
        return Calendar(created_at=created_at, zone=zone_of(reader, organization), hours=organization.working_hours)

    async def circle(self, views: Sequence[ConnectionView], mutes: Sequence[Mute] = ()) -> Circle:
        """Everybody who may have to hear of these connections, in a number of statements that does not grow with
        them.
        """
        subscriptions = await self.uow.subscriptions.all(self.organization_id)
        answering = {one.id: one for view in views for one in view.answering}
        gone = await self.outbox.gone(self.uow, self.organization_id, list(answering.values()))
        orphans = [view for view in views if view.connector is not None and view.connector.id in gone]
        return Circle(
            administrators=await self.administrators(),
            subscriptions=subscriptions,
            subscribers=await self.people(one.person_id for one in subscriptions),
            workspaces=await self.workspaces(),
            gone=gone,
            others=await holders(self.uow, self.organization_id, orphans),
            mutes=mutes,
        )

    def posting(
        self,
        reader: Reader,
        kind: NoticeKind,
        *,
        lapse_ids: Sequence[LapseId] = (),
        authorization_ids: Sequence[AuthorizationId] = (),
        data: Mapping[str, str] | None = None,
        remind_at: datetime | None = None,
        digest_at: datetime | None = None,
        unheard_is_known: bool = False,
    ) -> Posting:
        """A new notice to a reader. Data without a text is left out."""
        notice = Notice(
            id=NoticeId(new_id(self.now)),
            organization_id=self.organization_id,
            kind=kind,
            part=reader.part,
            person_id=reader.person.id,
            channel=reader.channel,
            lapse_ids=tuple(lapse_ids),
            created_at=self.now,
            authorization_ids=tuple(authorization_ids),
            remind_at=remind_at,
            digest_at=digest_at,
            data={name: text for name, text in (data or {}).items() if text},
        )
        return Posting(notice=notice, reader=reader.person, unheard_is_known=unheard_is_known)

    async def put(self, postings: Sequence[Posting]) -> None:
        """Write them, and put them on their way."""
        await self.outbox.put(self.uow, self.organization_id, postings)


def place(view: ConnectionView) -> tuple[str, str, str]:
    """Where a connection stands in a list: by network, client and name."""
    return view.connection.network, view.client_name.casefold(), view.connection.account_name.casefold()


def lapses_of(views: Iterable[ConnectionView]) -> tuple[LapseId, ...]:
    """The lapses of views."""
    return tuple(view.lapse.id for view in views if view.lapse is not None)


def lapses_text(views: Iterable[ConnectionView]) -> str:
    """Their ids as one text."""
    return ids_text(lapses_of(views))
