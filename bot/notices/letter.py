"""All that a notice's words are made from: facts of one notice for one reader, narrowed to what they may see."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from commands.access import may_reconnect
from commands.actions import reconnect_action
from commands.ids import ConnectionId, PersonId
from commands.messages import AnyButton, Button, Handle, LinkButton, Mention, Style
from commands.model import Claim, ConnectionView, Lapse, LapseEnd, Person
from commands.ports.network import NetworkSpec
from commands.ports.notices import Notice, Part
from commands.wording import shown

PERSONAL = frozenset({Part.CONNECTOR, Part.OWNER})
"""Parts whose message carries the reader's own link. All others get a button that answers whoever presses it (N-9)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One lapsed connection of a notice."""

    view: ConnectionView
    lapse: Lapse
    spec: NetworkSpec

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
class Letter:
    """One notice for one reader. `entries` has at least one; nothing in it is beyond what the reader may see."""

    notice: Notice
    reader: Person
    """For a channel, who set it up."""
    entries: tuple[Entry, ...]
    beside: tuple[Entry, ...] = ()
    """Others that lapsed with the same login and are told in notices of their own."""
    told: Mapping[PersonId, datetime] = field(default_factory=dict)
    """Who was reached about these lapses, and when first."""
    people: Mapping[PersonId, Person] = field(default_factory=dict)
    """Those that the notice speaks of, besides the connections' own people."""
    handles: Mapping[PersonId, tuple[Handle, ...]] = field(default_factory=dict)
    links: Mapping[ConnectionId, str] = field(default_factory=dict)
    """Addresses of the reader's own Reconnect pages; empty where the message may not carry them."""
    now: datetime

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
    def logins(self) -> int:
        """How many logins it takes to mend what is still open."""
        return len({entry.lapse.authorization_id or entry.view.connection.id for entry in self.open})

    def mention(self, person_id: PersonId, name: str) -> Mention:
        """A person by name, with their chat accounts where they are known."""
        return Mention(shown(name), self.handles.get(person_id, ()))

    def claims(self) -> list[tuple[Claim, str]]:
        """Who is on it, each person once, with their names."""
        found: dict[PersonId, tuple[Claim, str]] = {}
        for entry in self.open:
            claim = entry.lapse.claim
            if claim is not None and claim.until > self.now:
                found.setdefault(claim.person_id, (claim, entry.view.claimant_name or ""))
        return list(found.values())

    def reconnectable(self) -> list[Entry]:
        """Those for which Reconnect is offered to this reader (P-2, R-7)."""
        return [entry for entry in self.open if may_reconnect(self.reader, entry.view).allowed]

    def reconnect_button(self, entry: Entry, label: str = "Reconnect") -> AnyButton:
        """The reader's own link where the message may carry one, else a button that answers whoever presses it."""
        url = self.links.get(entry.view.connection.id)
        if url is not None:
            return LinkButton(label, url, Style.PRIMARY)
        return Button(label, reconnect_action(entry.view.connection.id), Style.PRIMARY)
