"""Gives letters the addresses that are their reader's own: Reconnect links, the page of their accounts, unsubscribing.

A link to one connection carries no authority: its page asks for a sign-in. A pass does (R-13), so it is made only for
connectors and owners, where readers may have no chat account to sign in with, and where its sending is the point.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.notices.addresses import Platforms, bears_passes
from bot.notices.audience import covers
from bot.notices.data import BY, DRILL, ids_in
from bot.notices.drafts import connections_of
from bot.notices.facts import Facts
from bot.notices.letter import PERSONAL, Letter
from bot.notices.phrases import ROWS
from commands.access import is_gone, may_reconnect
from commands.ids import ConnectionId, DeliveryId, DrillId, OrganizationId, PersonId
from commands.model import NEEDS_CONNECTING, Person
from commands.passes import SENT_BY, drill_data, make_pass, opt_in_data
from commands.ports.chat import AddressKind
from commands.ports.notices import Delivery, NoticeKind, Part
from commands.ports.reconnecting import Link, PassPurpose
from commands.ports.storage import UnitOfWork

_PAGE_IS_THE_POINT = frozenset({NoticeKind.PERSONAL_LINK})
_NO_LINKS = frozenset({NoticeKind.LINK_REFUSED, NoticeKind.RETIREMENT_PROPOSED, NoticeKind.DRILL, NoticeKind.NOTE})
"""Kinds that ask for no reconnecting."""


@dataclass(slots=True, kw_only=True)
class Personal:
    """The addresses of one organization's batch. They are written in the transaction that composes the messages."""

    uow: UnitOfWork
    organization_id: OrganizationId
    platforms: Platforms
    public_url: str
    now: datetime
    pages: dict[PersonId, str] = field(default_factory=dict)
    """Addresses of pages made for this batch; one for each reader."""

    async def addressed(
        self, deliveries: Sequence[Delivery], letters: Mapping[DeliveryId, Letter]
    ) -> dict[DeliveryId, Letter]:
        """Give letters their addresses. A channel's gets none (N-9)."""
        own = [
            one
            for one in deliveries
            if one.id in letters and one.address.kind is not AddressKind.CHANNEL and not self._stays_as_it_is(one)
        ]
        wanted = {one.id: _wanted(letters[one.id]) for one in own}
        asking = [one for one in own if self._has_page(one, letters[one.id], wanted[one.id])]
        gone = await self._gone({letters[one.id].reader.id for one in asking})
        paged = [one.id for one in asking if letters[one.id].reader.id not in gone]
        played = [one.id for one in own if self._plays_a_link(one, letters[one.id])]
        other = [one for one in own if one.id not in {*paged, *played}]
        linked = [one.id for one in other if self._has_links(one, letters[one.id])]
        locators = await self._locators(
            {(letters[key].reader.id, connection_id) for key in linked for connection_id in wanted[key]}
        )
        found = dict(letters)
        for key in paged:
            url = await self._page(letters[key])
            found[key] = replace(letters[key], page_url=url, links=dict.fromkeys(wanted[key], url))
        for key in played:
            drill_id = DrillId(ids_in(letters[key].notice, DRILL)[0])
            url = await self._pass(letters[key].reader, PassPurpose.DRILL, drill_data(drill_id))
            found[key] = replace(letters[key], page_url=url)
        for key in linked:
            reader_id = letters[key].reader.id
            urls = {id: f"{self.public_url}/r/{locators[reader_id, id]}" for id in wanted[key]}
            found[key] = replace(letters[key], links=urls)
        return found

    async def unsubscribing(self, delivery: Delivery, letter: Letter, facts: Facts) -> str:
        """The address at which one POST ends the opt-ins that the message comes from (RFC 8058); empty where it comes
        from none, or where a command does the same.
        """
        if letter.part is not Part.SUBSCRIBER or not self._is_personal(delivery) or self._stays_as_it_is(delivery):
            return ""
        about = list(connections_of(letter))
        own = facts.subscriptions.get((letter.notice.person_id, None), ())
        ending = [one.id for one in own if any(covers(one, connection) for connection in about)]
        if not ending:
            return ""
        return await self._pass(letter.reader, PassPurpose.UNSUBSCRIBE, opt_in_data(ending))

    def _stays_as_it_is(self, delivery: Delivery) -> bool:
        """Whether it was sent, and cannot be edited: an address in it would be made for nobody."""
        platform = self.platforms.get(delivery.address.platform)
        return delivery.ref is not None and platform is not None and not platform.edits

    def _is_personal(self, delivery: Delivery) -> bool:
        platform = self.platforms.get(delivery.address.platform)
        return platform is not None and platform.personal_links

    async def _gone(self, reader_ids: set[PersonId]) -> frozenset[PersonId]:
        """Those whose every chat account is deactivated: they may have left, and keep their mail."""
        if not reader_ids:
            return frozenset()
        known = await self.uow.people.identities(self.organization_id, sorted(reader_ids))
        return frozenset(reader_id for reader_id, own in known.items() if is_gone(own))

    def _has_page(self, delivery: Delivery, letter: Letter, wanted: Sequence[ConnectionId]) -> bool:
        if not bears_passes(delivery.address):
            return False
        if letter.notice.kind in _PAGE_IS_THE_POINT:
            return True
        offers = bool(wanted) or letter.notice.kind is NoticeKind.TRANSFERRED
        return self._is_personal(delivery) and letter.part in PERSONAL and offers

    def _plays_a_link(self, delivery: Delivery, letter: Letter) -> bool:
        """A drill plays the link as well, and whoever reads email alone answers by it (X-12)."""
        return letter.notice.kind is NoticeKind.DRILL and bears_passes(delivery.address)

    def _has_links(self, delivery: Delivery, letter: Letter) -> bool:
        """Connector and owner always; others where a button that answers its presser cannot be drawn."""
        return letter.part in PERSONAL or self._is_personal(delivery)

    async def _locators(self, pairs: set[tuple[PersonId, ConnectionId]]) -> Mapping[tuple[PersonId, ConnectionId], str]:
        if not pairs:
            return {}
        links = tuple(
            Link.new(self.organization_id, person_id, self.now, connection_id=connection_id)
            for person_id, connection_id in sorted(pairs)
        )
        return await self.uow.links.ensure_many(links)

    async def _page(self, letter: Letter) -> str:
        """One for each reader; but a message that is there for the link has its own, which its sender follows."""
        reader, notice = letter.reader, letter.notice
        if notice.kind in _PAGE_IS_THE_POINT:
            return await make_pass(
                self.uow,
                self.public_url,
                reader,
                PassPurpose.ACCOUNTS,
                made_by=None,
                now=self.now,
                data={SENT_BY: notice.data.get(BY, "")},
                notice_id=notice.id,
                followed=True,
            )
        if reader.id not in self.pages:
            self.pages[reader.id] = await self._pass(reader, PassPurpose.ACCOUNTS)
        return self.pages[reader.id]

    async def _pass(self, reader: Person, purpose: PassPurpose, data: Mapping[str, str] | None = None) -> str:
        return await make_pass(self.uow, self.public_url, reader, purpose, made_by=None, now=self.now, data=data)


def _wanted(letter: Letter) -> list[ConnectionId]:
    """The connections whose Reconnect, Renew or Connect the message shows."""
    if letter.notice.kind in _NO_LINKS:
        return []
    offered = letter.reconnectable()
    alone = letter.login_count == 1 and letter.notice.kind is not NoticeKind.DIGEST
    found = [entry.view.connection.id for entry in (offered[:1] if alone else offered[:ROWS])]
    for login in [login for login in letter.logins if not login.renewed][:ROWS]:
        first = (one for one in login.accounts if may_reconnect(letter.reader, one.view).allowed)
        found += [one.view.connection.id for one in first][:1]
    needing = [one for one in letter.accounts if one.view.connection.state in NEEDS_CONNECTING]
    found += [one.view.connection.id for one in needing if may_reconnect(letter.reader, one.view).allowed][:ROWS]
    return list(dict.fromkeys(found))
