"""Makes a delivery's letter from a batch's facts, narrowed to what its reader may see now, or says why it is not sent.

What a reader may see, and whether they still want to hear, is asked here again, at the moment of sending. Pure.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from bot.notices.addresses import Platforms
from bot.notices.audience import covers
from bot.notices.data import BESIDE, CONNECTION, OUTAGE, WHOM, ids_in
from bot.notices.facts import Facts
from bot.notices.letter import Account, Entry, Failing, Letter, Login, login_of
from commands.access import is_administrator, may_see, scope_of, takes_immediate_notices
from commands.ids import ConnectionId, LapseId, OutageId, PersonId
from commands.model import Connection, ConnectionState, ConnectionView, Mute, Person, Verdict
from commands.ports.connections import Answerable, Hanging
from commands.ports.network import Networks
from commands.ports.notices import Delivery, DeliveryState, Notice, NoticeKind, Part
from commands.ports.outages import Share


class Reason(StrEnum):
    """Why nothing is sent, as whoever follows a notice reads it."""

    GONE = "the notice is not there any more"
    LEFT = "the reader has left"
    UNSEEN = "the reader may not see it any more"
    NOT_SET_UP = "the network is not set up here any more"
    ENDED = "it ended before it was told"
    RENEWED = "it was renewed before it was told"
    OPTED_OUT = "the reader opted out"
    NO_COPIES = "the reader takes no copies any more"
    NO_ADMINISTRATOR = "the reader is no administrator any more"
    MUTED = "the reader does not want to hear of it"
    CLAIMED = "somebody is on it"
    HELD = "the network itself is failing"


_ABOUT_LAPSES = frozenset(
    {
        NoticeKind.LAPSED,
        NoticeKind.REMINDER,
        NoticeKind.NUDGED,
        NoticeKind.ASSIGNED,
        NoticeKind.NOT_MINE,
        NoticeKind.UNDELIVERED,
    }
)
_COPIES = frozenset({NoticeKind.LAPSED, NoticeKind.REMINDER, NoticeKind.DIGEST, NoticeKind.OUTAGE})
_OF_OUTAGES = frozenset({NoticeKind.OUTAGE, NoticeKind.OUTAGE_OVER})
_FOR_ADMINISTRATORS = frozenset(
    {
        NoticeKind.UNDELIVERED,
        NoticeKind.NOT_MINE,
        NoticeKind.RETIREMENT_PROPOSED,
        NoticeKind.SUCCESSION,
        NoticeKind.INSTALLATION_LOST,
        NoticeKind.THIN_REACH,
        NoticeKind.DRILL_ESCALATED,
        NoticeKind.DRILL_REPORT,
    }
)
_SNOOZED = frozenset({NoticeKind.LAPSED, NoticeKind.REMINDER, NoticeKind.DIGEST})
"""Kinds that a snooze holds. What somebody else asks of the reader it does not."""
_REFUSED = _SNOOZED | {NoticeKind.NUDGED}
"""Kinds that "not mine" ends. An administrator who assigns it knows better."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafts:
    """Makes letters for one organization's batch."""

    facts: Facts
    networks: Networks
    platforms: Platforms
    now: datetime

    def draft(self, delivery: Delivery) -> Letter | Reason:
        """Give the letter, or why nothing is to be sent."""
        notice = self.facts.notices.get(delivery.notice_id)
        reader = self.facts.people.get(notice.person_id) if notice is not None else None
        if notice is None or reader is None:
            return Reason.GONE
        if reader.left_at is not None:
            return Reason.LEFT
        letter = self._letter(delivery, notice, self._narrowed(notice, reader))
        missing = self._missing(letter)
        if missing is not None:
            return missing
        unwanted = self._unwanted(delivery, letter) if delivery.ref is None else None
        return unwanted or letter

    def _narrowed(self, notice: Notice, reader: Person) -> Person:
        """In a workspace that is narrowed to clients nobody's wider view counts (X-11)."""
        if notice.channel is None:
            return reader
        return replace(reader, within=self.facts.bounds.get((notice.channel.platform, notice.channel.tenant)))

    def _letter(self, delivery: Delivery, notice: Notice, reader: Person) -> Letter:
        facts = self.facts
        entries = tuple(self._entries(notice.lapse_ids, reader))
        return Letter(
            notice=notice,
            reader=reader,
            now=self.now,
            platform=delivery.address.platform,
            presses=not self._has_readers_without_accounts(delivery),
            entries=entries,
            beside=tuple(self._entries([LapseId(id) for id in ids_in(notice, BESIDE)], reader)),
            accounts=tuple(self._accounts(notice, reader)),
            logins=tuple(self._logins(notice, reader)),
            hanging=tuple(self._hanging(notice, reader)),
            owned=tuple(self._owned(notice, reader)),
            failing=self._failing(notice, reader),
            unseen=self._unseen(notice, reader),
            to_ask=next((one for one in facts.administrators if one.id != reader.id), None),
            clients=facts.clients,
            network_names={slug: network.spec.name for slug, network in self.networks.items()},
            platform_names={name: platform.label for name, platform in self.platforms.items()},
            told=facts.told,
            mutes={entry.lapse.id: mute for entry in entries if (mute := self._mute(entry, notice)) is not None},
            people=facts.people,
            through=facts.through if _sees_everything(reader) else {},
            handles=facts.handles,
        )

    def _has_readers_without_accounts(self, delivery: Delivery) -> bool:
        platform = self.platforms.get(delivery.address.platform)
        return platform is not None and platform.personal_links

    def _entries(self, lapse_ids: Iterable[LapseId], reader: Person) -> Iterable[Entry]:
        """What the reader may see of these lapses, on networks that are set up."""
        for lapse_id in lapse_ids:
            view = self.facts.lapsed.get(lapse_id)
            account = self._account(view, reader) if view is not None else None
            if account is not None and account.view.lapse is not None:
                yield Entry(view=account.view, lapse=account.view.lapse, spec=account.spec)

    def _accounts(self, notice: Notice, reader: Person) -> Iterable[Account]:
        for connection_id in ids_in(notice, CONNECTION):
            view = self.facts.connections.get(ConnectionId(connection_id))
            account = self._account(view, reader) if view is not None else None
            if account is not None:
                yield account

    def _account(self, view: ConnectionView, reader: Person) -> Account | None:
        network = self.networks.get(view.connection.network)
        if network is None or not may_see(reader, view.connection):
            return None
        return Account(view=view, spec=network.spec)

    def _logins(self, notice: Notice, reader: Person) -> Iterable[Login]:
        """The logins that end, as far as the reader may see what hangs on them."""
        for authorization_id in notice.authorization_ids:
            found = self.facts.logins.get(authorization_id)
            if found is None:
                continue
            authorization, under = found
            network = self.networks.get(authorization.network)
            seen = [view for view in under if may_see(reader, view.connection)]
            if network is None or (under and not seen):
                continue
            login = login_of(notice, authorization, network.spec, seen)
            if notice.kind is NoticeKind.EXPIRING or login.renewed or _ends_still(login, self.now):
                yield login

    def _hanging(self, notice: Notice, reader: Person) -> Iterable[Hanging]:
        """What hangs on those who are gone: of clients that the reader may see (N-8), or, for a deputy, to whom it is
        offered, all of it, as numbers (X-6).
        """
        for person_id in _gone(notice):
            clients = None if self._is_deputy(reader, person_id) else self._clients(reader)
            for hanging in self.facts.hanging.get(person_id, ()):
                told = tuple(one for one in hanging.clients if clients is None or one[0] in clients)
                if told:
                    yield replace(hanging, clients=told)

    def _owned(self, notice: Notice, reader: Person) -> Iterable[Answerable]:
        """What they own, by the same rule."""
        for person_id in _gone(notice):
            for one in self.facts.owned.get(person_id, ()):
                if self._is_deputy(reader, person_id) or _sees(reader, one):
                    yield one

    def _failing(self, notice: Notice, reader: Person) -> Failing | None:
        """The outage, in numbers of what the reader may see (N-8)."""
        for outage_id in ids_in(notice, OUTAGE):
            outage, shares = self.facts.outages.get(OutageId(outage_id), (None, ()))
            network = self.networks.get(outage.network) if outage is not None else None
            if outage is not None and network is not None:
                seen = [share for share in shares if _sees(reader, share)]
                return Failing(
                    outage=outage,
                    spec=network.spec,
                    total=sum(share.total for share in seen),
                    failing=sum(share.failing for share in seen),
                    lapsed=sum(share.lapsed for share in seen),
                )
        return None

    def _is_held(self, letter: Letter) -> bool:
        """Whether all that a first notice tells of is put down to outages meanwhile (D-4)."""
        if letter.notice.kind is not NoticeKind.LAPSED or not letter.open:
            return False
        held = {one.network: one.since for one in self.facts.standing if one.holds(self.now)}
        return all(
            entry.lapse.cause is Verdict.UNCLEAR
            and entry.spec.slug in held
            and entry.lapse.opened_at >= held[entry.spec.slug]
            for entry in letter.open
        )

    def _unseen(self, notice: Notice, reader: Person) -> bool:
        """Whether a deputy may not see all that is offered to them yet."""
        clients = self._clients(reader)
        hanging = (one for id in _gone(notice) for hanging in self.facts.hanging.get(id, ()) for one in hanging.clients)
        owned = (one for id in _gone(notice) for one in self.facts.owned.get(id, ()))
        return (clients is not None and any(name not in clients for name, _ in hanging)) or any(
            not _sees(reader, one) for one in owned
        )

    def _is_deputy(self, reader: Person, gone: PersonId) -> bool:
        person = self.facts.people.get(gone)
        return person is not None and person.deputy_id == reader.id

    def _clients(self, reader: Person) -> frozenset[str] | None:
        """The names of the clients that the reader may see; None: all."""
        ids = scope_of(reader).client_ids
        return None if ids is None else frozenset(self.facts.clients[id] for id in ids if id in self.facts.clients)

    def _mute(self, entry: Entry, notice: Notice) -> Mute | None:
        """The reader's own wish not to hear of it, while it stands."""
        mute = self.facts.mutes.get((entry.lapse.id, notice.person_id)) if notice.channel is None else None
        return mute if mute is not None and mute.stands(self.now) else None

    def _missing(self, letter: Letter) -> Reason | None:
        """Why there is nothing that this reader could be told."""
        notice = letter.notice
        about_something = bool(notice.lapse_ids or ids_in(notice, CONNECTION) or notice.authorization_ids)
        if about_something and not (letter.entries or letter.accounts or letter.logins):
            return Reason.NOT_SET_UP if self._is_unconfigured(letter) else Reason.UNSEEN
        if notice.kind is NoticeKind.SUCCESSION and not letter.whom:
            return Reason.GONE
        if notice.kind in _OF_OUTAGES and letter.failing is None:
            return Reason.NOT_SET_UP
        hangs = any(self.facts.hanging.get(id) or self.facts.owned.get(id) for id in _gone(notice))
        if hangs and not (letter.hanging or letter.owned):
            return Reason.UNSEEN
        return None

    def _is_unconfigured(self, letter: Letter) -> bool:
        """Whether the reader may see something of it, and just the network is not set up any more."""
        notice = letter.notice
        views = [self.facts.lapsed.get(lapse_id) for lapse_id in notice.lapse_ids]
        views += [self.facts.connections.get(ConnectionId(id)) for id in ids_in(notice, CONNECTION)]
        logins = [self.facts.logins.get(id) for id in notice.authorization_ids]
        views += [view for login in logins if login is not None for view in login[1]]
        return any(view is not None and may_see(letter.reader, view.connection) for view in views)

    def _unwanted(self, delivery: Delivery, letter: Letter) -> Reason | None:
        """Why a message that was not posted yet shall not be."""
        over = Reason.HELD if self._is_held(letter) else _over(letter)
        if over is not None and delivery.state is not DeliveryState.UNKNOWN:
            return over  # where a reply was lost, the message may be there, and must turn green
        kind, part, reader = letter.notice.kind, letter.part, letter.reader
        if part in (Part.SUBSCRIBER, Part.CHANNEL) and kind is not NoticeKind.ASSIGNED and not self._asked_for(letter):
            return Reason.OPTED_OUT
        if part is Part.ADMINISTRATOR and kind in _COPIES and not takes_immediate_notices(reader):
            return Reason.NO_COPIES
        if part is Part.ADMINISTRATOR and kind in _FOR_ADMINISTRATORS and not is_administrator(reader):
            return Reason.NO_ADMINISTRATOR
        if _is_muted(letter):
            return Reason.MUTED
        claimed = [entry.view.standing_claim(self.now) is not None for entry in letter.open]
        return Reason.CLAIMED if kind is NoticeKind.REMINDER and claimed and all(claimed) else None

    def _asked_for(self, letter: Letter) -> bool:
        """Whether the reader's opt-ins, as they are now, ask for any of it."""
        own = self.facts.subscriptions.get((letter.notice.person_id, letter.notice.channel), ())
        about = list(connections_of(letter))
        if letter.failing is not None:
            return any(subscription.network in (None, letter.failing.outage.network) for subscription in own)
        if not about:
            return bool(own)
        return any(covers(subscription, connection) for subscription in own for connection in about)


def connections_of(letter: Letter) -> Iterable[Connection]:
    """Everything that a letter is about."""
    for account in (*letter.entries, *letter.accounts, *(one for login in letter.logins for one in login.accounts)):
        yield account.view.connection


def _sees_everything(reader: Person) -> bool:
    """Others may not hear of people through clients that are not theirs (N-8)."""
    scope = scope_of(reader)
    return scope.client_ids is None and scope.within is None


def _gone(notice: Notice) -> list[PersonId]:
    """Who is to be succeeded."""
    return [PersonId(id) for id in ids_in(notice, WHOM)] if notice.kind is NoticeKind.SUCCESSION else []


def _sees(reader: Person, one: Answerable | Share) -> bool:
    """Whether the reader may see these connections."""
    scope = scope_of(reader)
    if scope.within is not None and one.client_id not in scope.within:
        return False
    clients = scope.client_ids
    return clients is None or one.client_id in clients or reader.id in (one.connector_id, one.owner_id)


def _over(letter: Letter) -> Reason | None:
    """Whether what it tells of is over."""
    kind = letter.notice.kind
    ending = any(_ends_still(login, letter.now) for login in letter.logins)
    if kind in _ABOUT_LAPSES and letter.entries and not letter.open:
        return Reason.ENDED
    if kind is NoticeKind.EXPIRING and not ending:
        return Reason.RENEWED if all(login.renewed for login in letter.logins) else Reason.ENDED
    if kind is NoticeKind.DIGEST and not letter.open and not ending:
        return Reason.ENDED
    if letter.failing is not None and kind is NoticeKind.OUTAGE:
        still = letter.failing.outage.over_at is None and letter.failing.failing
        return None if still else Reason.ENDED
    about = letter.accounts or letter.entries
    retired = all(one.view.connection.state is ConnectionState.RETIRED for one in about)
    if kind is NoticeKind.RETIREMENT_PROPOSED and retired:
        return Reason.ENDED
    return Reason.ENDED if kind is NoticeKind.SUCCESSION and not (letter.hanging or letter.owned) else None


def _ends_still(login: Login, now: datetime) -> bool:
    """Whether a login's end is still to come; once it came, the lapse is told."""
    end = login.authorization.ends_at
    return not login.renewed and (end is None or end > now)


def _is_muted(letter: Letter) -> bool:
    """Whether the reader asked not to hear of anything that is open (N-11)."""
    kind = letter.notice.kind
    mutes = [letter.mutes.get(entry.lapse.id) for entry in letter.open]
    if kind is NoticeKind.DIGEST and any(not login.renewed for login in letter.logins):
        return False
    if not mutes or kind not in _REFUSED:
        return False
    return all(mute is not None and (mute.until is None or kind in _SNOOZED) for mute in mutes)
