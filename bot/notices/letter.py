"""All that a notice's words are made from: facts of one notice for one reader, narrowed to what they may see."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.notices.data import ENDS, GONE, UNREACHED, WHOM, ids_in, time_in
from commands.access import may_reconnect
from commands.actions import reconnect_action
from commands.drawing import reconnect_label
from commands.ids import ClientId, ConnectionId, LapseId, PersonId
from commands.messages import AnyButton, Button, Handle, LinkButton, Mention, Style
from commands.model import Authorization, Claim, ConnectionView, Lapse, LapseEnd, LapseNote, Mute, Person
from commands.ports.connections import Answerable, Hanging
from commands.ports.network import NetworkSpec
from commands.ports.notices import Notice, NoticeKind, Part
from commands.ports.outages import Outage
from commands.wording import named

PERSONAL = frozenset({Part.CONNECTOR, Part.OWNER})
"""Parts whose message carries the reader's own link. All others get a button that answers whoever presses it (N-9)."""

_STOOD_IN = frozenset({NoticeKind.LAPSED, NoticeKind.REMINDER, NoticeKind.DIGEST, NoticeKind.EXPIRING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One connection of a notice."""

    view: ConnectionView
    spec: NetworkSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(Account):
    """One lapsed connection of a notice."""

    lapse: Lapse

    @property
    def is_open(self) -> bool:
        """Whether the connection still does not work."""
        return self.lapse.ended_at is None

    @property
    def is_retired(self) -> bool:
        """Whether the lapse ended because nobody wants the connection any more."""
        return self.lapse.ended_how is LapseEnd.RETIRED

    @property
    def is_back(self) -> bool:
        """Whether the connection works again."""
        return not self.is_open and not self.is_retired

    @property
    def since(self) -> datetime:
        """Since when data may be missing."""
        return self.lapse.last_good_at or self.lapse.opened_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """One authorization whose end is told of, with what hangs on it."""

    authorization: Authorization
    spec: NetworkSpec
    accounts: tuple[Account, ...]
    """Empty: all of them are read with another login now."""
    renewed: bool = False
    """Whether somebody consented anew since the notice was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failing:
    """A network's own outage, in numbers of what the reader may see."""

    outage: Outage
    spec: NetworkSpec
    total: int
    """Connections on the network."""
    failing: int
    lapsed: int = 0
    """Those that lapsed since it began, for reasons of their own."""

    @property
    def name(self) -> str:
        """What fails: "TikTok", "Amazon Ads (Europe)"."""
        return f"{self.spec.name} ({self.outage.region})" if self.outage.region else self.spec.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One notice for one reader; nothing in it is beyond what the reader may see. What its kind does not tell of is
    empty.
    """

    notice: Notice
    reader: Person
    """For a channel, who set it up."""
    now: datetime
    platform: str = ""
    """Where it goes."""
    presses: bool = True
    """Whether buttons that come back to us can be drawn there; if not (email), sentences name no such button."""
    entries: tuple[Entry, ...] = ()
    beside: tuple[Entry, ...] = ()
    """Others that lapsed with the same login and are told in notices of their own."""
    accounts: tuple[Account, ...] = ()
    """Of notices that are about connections, whether they work or not."""
    logins: tuple[Login, ...] = ()
    hanging: tuple[Hanging, ...] = ()
    """What hangs on somebody who is gone; of clients that the reader may see, or all of it for their deputy."""
    owned: tuple[Answerable, ...] = ()
    """What they own, likewise."""
    failing: Failing | None = None
    unseen: bool = False
    """Whether the reader, as their deputy, may not see all of that yet: what they read are numbers."""
    to_ask: Person | None = None
    """An administrator, whom a deputy asks for the rights."""
    clients: Mapping[ClientId, str] = field(default_factory=dict)
    """Names, where the notice's own data speak of clients."""
    network_names: Mapping[str, str] = field(default_factory=dict)
    """Names by slug."""
    platform_names: Mapping[str, str] = field(default_factory=dict)
    told: Mapping[PersonId, datetime] = field(default_factory=dict)
    """Who was reached about these lapses, and when first."""
    through: Mapping[tuple[str, str], tuple[Person, ...]] = field(default_factory=dict)
    """Who is connected through the businesses that accounts moved to, by network and business."""
    mutes: Mapping[LapseId, Mute] = field(default_factory=dict)
    """The reader's own that stand."""
    people: Mapping[PersonId, Person] = field(default_factory=dict)
    """Those that the notice speaks of, besides the connections' own people."""
    handles: Mapping[PersonId, tuple[Handle, ...]] = field(default_factory=dict)
    links: Mapping[ConnectionId, str] = field(default_factory=dict)
    """Addresses of the reader's own Reconnect pages; empty where the message may not carry them."""
    page_url: str = ""
    """The reader's personalised page of their accounts (R-13); empty where the message may not carry it."""

    @property
    def part(self) -> Part:
        """The reader's part."""
        return self.notice.part

    @property
    def open(self) -> tuple[Entry, ...]:
        """Those that still do not work."""
        return tuple(entry for entry in self.entries if entry.is_open)

    @property
    def back(self) -> tuple[Entry, ...]:
        """Those that work again."""
        return tuple(entry for entry in self.entries if entry.is_back)

    @property
    def login_count(self) -> int:
        """How many logins it takes to mend what is still open."""
        return len({entry.lapse.authorization_id or entry.view.connection.id for entry in self.open})

    @property
    def whom(self) -> tuple[Person, ...]:
        """The people concerned."""
        return self._people(WHOM)

    @property
    def unreached(self) -> tuple[Person, ...]:
        """Whom no message reached."""
        return self._people(UNREACHED)

    @property
    def owned_number(self) -> int:
        """How many accounts somebody who is gone owns."""
        return sum(one.number for one in self.owned)

    @property
    def notes(self) -> tuple[LapseNote, ...]:
        """What people wrote about what is open, the oldest first, each once."""
        found = {note.id: note for entry in self.open for note in entry.view.notes}
        return tuple(sorted(found.values(), key=lambda note: note.at))

    def is_gone(self, person: Person) -> bool:
        """Whether somebody is no longer here, or has no chat account left (N-12). A stand-in hears because of it; only
        a first notice says in its data who it is.
        """
        gone = ids_in(self.notice, GONE)
        if person.left_at is not None or person.id in gone:
            return True
        implied = self.part is Part.STAND_IN and not gone and self.notice.kind in _STOOD_IN
        accounts = (*self.entries, *(one for login in self.logins for one in login.accounts))
        return implied and any(one.view.connection.connector_id == person.id for one in accounts)

    def is_reader(self, person_id: PersonId | None) -> bool:
        """Whether this is the one who reads it; of a channel nobody is."""
        return self.part is not Part.CHANNEL and person_id == self.reader.id

    def mention(self, person_id: PersonId, name: str) -> Mention:
        """A person by name, with their chat accounts where they are known."""
        return Mention(named(name), self.handles.get(person_id, ()))

    def claims(self) -> list[tuple[Claim, str]]:
        """Who is on it, each person once, with their names."""
        found: dict[PersonId, tuple[Claim, str]] = {}
        for entry in self.open:
            claim = entry.view.standing_claim(self.now)
            if claim is not None:
                found.setdefault(claim.person_id, (claim, entry.view.claimant_name or ""))
        return list(found.values())

    def reconnectable(self) -> list[Entry]:
        """Those for which Reconnect is offered to this reader (P-2, R-7)."""
        return [entry for entry in self.open if may_reconnect(self.reader, entry.view).allowed]

    def reconnect_button(self, account: Account, label: str = "Reconnect") -> AnyButton:
        """The reader's own link where the message may carry one, else a button that answers whoever presses it.
        `label`: where it takes a login.
        """
        label = reconnect_label(account.spec, label)
        url = self.links.get(account.view.connection.id)
        if url is not None:
            return LinkButton(label, url, Style.PRIMARY)
        return Button(label, reconnect_action(account.view.connection.id), Style.PRIMARY)

    def _people(self, name: str) -> tuple[Person, ...]:
        found = (self.people.get(PersonId(one)) for one in ids_in(self.notice, name))
        return tuple(person for person in found if person is not None)


def login_of(
    notice: Notice, authorization: Authorization, spec: NetworkSpec, accounts: Sequence[ConnectionView]
) -> Login:
    """A login of a notice, as it stands now: renewed by a consent that is newer than the notice, by a later end than
    the notice warned of, or by another login's taking its accounts over.
    """
    warned, ends = time_in(notice, ENDS), authorization.ends_at
    later = ends is None or (
        warned is not None and notice.authorization_ids[:1] == (authorization.id,) and ends > warned
    )
    return Login(
        authorization=authorization,
        spec=spec,
        accounts=tuple(Account(view=view, spec=spec) for view in accounts),
        renewed=not accounts or later or authorization.obtained_at > notice.created_at,
    )
