"""The list: counts, rows, and the way through it. Its state travels in its buttons, so it works after a restart."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from operator import attrgetter

from commands.access import is_administrator, may_reconnect, scope_of
from commands.actions import (
    ListView,
    StateFilter,
    copy_link_action,
    details_action,
    list_action,
    reconnect_action,
)
from commands.command import Asker, Services
from commands.drawing import EXPIRING_WITHIN, connection_row, mending_label, network_name
from commands.ids import ClientId
from commands.messages import (
    ActionRef,
    Bold,
    Button,
    Buttons,
    Facts,
    Heading,
    Line,
    Mark,
    Message,
    Moment,
    MomentStyle,
    Note,
    Paging,
    Part,
    Plain,
    Row,
    Rows,
    Span,
    Style,
    Text,
    Tone,
    line,
)
from commands.model import NEEDS_CONNECTING, ConnectionState, ConnectionView, Count, Filter, Page, Person
from commands.ports.storage import UnitOfWork
from commands.wording import duration, listed, number_of, shown

PAGE_SIZE = 8  # rows: with their buttons some 30 blocks of the 50 that a message may have
BREAKDOWN = 6  # networks or clients named in the counts
MENU = 5  # networks and clients that the menu offers; no platform shows more in one menu (Slack)
OWNERS = 2  # people whose lists it offers to administrators instead of the last of them

_STATES: dict[StateFilter, tuple[ConnectionState, ...]] = {
    StateFilter.NEEDS_CONNECTING: NEEDS_CONNECTING,
    StateFilter.LAPSED: (ConnectionState.LAPSED,),
    StateFilter.EXPIRING: (ConnectionState.ACTIVE,),
    StateFilter.ACTIVE: (ConnectionState.ACTIVE,),
    StateFilter.UNCONNECTED: (ConnectionState.UNCONNECTED,),
    StateFilter.RETIRED: (ConnectionState.RETIRED,),
    StateFilter.ALL: tuple(ConnectionState),
}
_HOW_MANY: Mapping[StateFilter, Callable[[Count], int]] = {
    StateFilter.NEEDS_CONNECTING: attrgetter("needing"),
    StateFilter.LAPSED: attrgetter("lapsed"),
    StateFilter.ACTIVE: attrgetter("active"),
    StateFilter.UNCONNECTED: attrgetter("unconnected"),
    StateFilter.RETIRED: attrgetter("retired"),
    StateFilter.ALL: lambda count: count.in_use + count.retired,
}
"""How long the lists are, of one network and client. What expires, no counter knows."""
_TITLES = {
    StateFilter.NEEDS_CONNECTING: f"{Mark.URGENT} Needs connecting",
    StateFilter.LAPSED: f"{Mark.LAPSED} Lapsed",
    StateFilter.EXPIRING: f"{Mark.EXPIRING} Expiring within {EXPIRING_WITHIN.days} days",
    StateFilter.ACTIVE: f"{Mark.GOOD} Active",
    StateFilter.UNCONNECTED: f"{Mark.UNCONNECTED} Not connected yet",
    StateFilter.RETIRED: f"{Mark.RETIRED} Retired",
    StateFilter.ALL: "All connections",
}
_BROKEN_DOWN = (StateFilter.NEEDS_CONNECTING, StateFilter.LAPSED, StateFilter.ALL)
"""Lists that open with counts of what needs connecting."""
_TABS = (StateFilter.NEEDS_CONNECTING, StateFilter.ACTIVE)
"""The two sides of the in-app list (C-11)."""
_NOTHING = {
    StateFilter.NEEDS_CONNECTING: "Nothing needs connecting",
    StateFilter.LAPSED: "Nothing is lapsed",
    StateFilter.EXPIRING: f"Nothing expires within {EXPIRING_WITHIN.days} days",
    StateFilter.ACTIVE: "Nothing is active",
    StateFilter.UNCONNECTED: "Nothing waits for its first connection",
    StateFilter.RETIRED: "Nothing is retired",
    StateFilter.ALL: "There is nothing",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What one answer shows, read from storage."""

    view: ListView
    counts: Sequence[Count]
    """Of everything that the asker may see."""
    client: str | None
    """The name of the client that the view is narrowed to."""
    person: Person | None
    """The person that the view is narrowed to."""
    page: Page = field(default_factory=lambda: Page(rows=(), total=0))
    next_to_end: ConnectionView | None = None

    @property
    def counted(self) -> Sequence[Count]:
        """The counts of what the view is narrowed to."""
        network, client_id = self.view.network, self.view.client_id
        if network is None and client_id is None:
            return self.counts
        return [
            count
            for count in self.counts
            if (network is None or network == count.network) and (client_id is None or client_id == count.client_id)
        ]

    @property
    def is_whole(self) -> bool:
        """Whether nothing narrows the list."""
        return replace(self.view, offset=0, new_since=None) == ListView()

    @property
    def is_counted(self) -> bool:
        """Whether the counters can say how many there are: they know networks and clients, not people or names."""
        return not (self.view.mine or self.view.person_id or self.view.search)


async def read_page(uow: UnitOfWork, services: Services, asker: Asker, listing: Listing) -> Listing:
    """Read the rows: one statement, and one more for what expires next, where nothing is lapsed."""
    view, scope = listing.view, scope_of(asker.person)
    narrowed = Filter(
        network=view.network,
        client=listing.client,
        person_id=asker.person.id if view.mine else view.person_id,
        states=_STATES[view.state],
        search=view.search,
        expiring_before=services.clock.now() + EXPIRING_WITHIN if view.state is StateFilter.EXPIRING else None,
    )
    read = partial(uow.connections.page, asker.organization_id, scope, narrowed, limit=PAGE_SIZE, total=_total(listing))
    page = await read(offset=view.offset)
    if view.offset and not page.rows and page.total:  # the list grew shorter since the button was drawn
        view = replace(view, offset=(page.total - 1) // PAGE_SIZE * PAGE_SIZE)
        page = await read(offset=view.offset)
    listing = replace(listing, view=view, page=page)
    is_about_active = replace(view, offset=0, new_since=None) == ListView(state=StateFilter.ACTIVE)
    if (listing.is_whole and not page.total) or (is_about_active and view.offset == 0):
        listing = replace(listing, next_to_end=await uow.connections.next_to_end(asker.organization_id, scope))
    return listing


def _total(listing: Listing) -> int | None:
    """How long the list is, if the counts say so."""
    if not listing.is_counted or listing.view.state is StateFilter.EXPIRING:
        return None
    return sum(map(_HOW_MANY[listing.view.state], listing.counted))


def draw_list(services: Services, asker: Asker, listing: Listing) -> Message:
    """Draw the list, or say that there is nothing on it and what expires next."""
    if not listing.page.total:
        return _nothing(services, asker, listing)
    view, page = listing.view, listing.page
    parts: list[Part] = [Heading(_heading(services, listing)), *_failing(services, listing), *_tabs(listing)]
    if listing.is_counted and view.offset == 0 and view.state in _BROKEN_DOWN:
        parts += _breakdown(services, listing)
    following = _paged(view, view.offset + PAGE_SIZE) if view.offset + PAGE_SIZE < page.total else None
    beyond = page.total - view.offset - len(page.rows)
    rows = tuple(_row(services, asker, row, view.new_since) for row in page.rows)
    parts.append(Rows(rows, more=0 if following else beyond))
    if page.total > PAGE_SIZE:
        label = f"{view.offset + 1:,}–{view.offset + len(page.rows):,} of {page.total:,}"
        previous = _paged(view, max(0, view.offset - PAGE_SIZE)) if view.offset else None
        parts.append(Paging(label, previous, following))
    if beyond and following is None:
        parts.append(Note(line("Search for fewer letters, or add a network or client, to see the rest.")))
    if listing.next_to_end is not None:
        parts.append(Note(_next(services, listing.next_to_end)))
    parts += _ways_on(services, asker, listing)
    return Message(tuple(parts), Tone.ACTION if view.state is StateFilter.NEEDS_CONNECTING else Tone.NEUTRAL)


def _heading(services: Services, listing: Listing) -> Line:
    view, page = listing.view, listing.page
    spans: list[Span] = [Bold(f"{_TITLES[view.state]}: {page.total:,}")]
    if view.state is StateFilter.NEEDS_CONNECTING and listing.is_counted:
        spans.append(Plain(f" of {sum(count.in_use for count in listing.counted):,}"))
    spans += [Plain(f" · {part}") for part in _filters(services, listing)]
    if page.oldest is not None and view.state in (StateFilter.NEEDS_CONNECTING, StateFilter.LAPSED):
        # Written out: a heading is plain text on some platforms, where no moment is put into the reader's own words.
        spans.append(Plain(f" · oldest {duration(services.clock.now() - page.oldest)}"))
    return tuple(spans)


def _filters(services: Services, listing: Listing) -> list[str]:
    """What the list is narrowed to, in words."""
    view = listing.view
    return [
        *([network_name(services.networks, view.network)] if view.network else []),
        *([f"client {shown(listing.client)}"] if listing.client else []),
        *(["yours"] if view.mine else []),
        *([f"of {shown(listing.person.name)}"] if listing.person else []),
        *([f"“{shown(view.search)}”"] if view.search else []),
    ]


def _breakdown(services: Services, listing: Listing) -> list[Part]:
    """Counts by network and by client, what works beside what does not (C-1)."""
    view = listing.view
    items = []
    if view.network is None:
        items.append(
            (
                "By network",
                _by(listing, lambda count: count.network, lambda count: network_name(services.networks, count.network)),
            )
        )
    if view.client_id is None:
        items.append(
            ("By client", _by(listing, lambda count: count.client_name, lambda count: shown(count.client_name)))
        )
    return [Facts(tuple(items))] if items else []


def _by(listing: Listing, key: Callable[[Count], str], name: Callable[[Count], str]) -> Line:
    """The groups that need the most. Only those are named that are shown: there may be thousands of counts."""
    needing: Counter[str] = Counter()
    active: Counter[str] = Counter()
    examples: dict[str, Count] = {}
    for count in listing.counted:
        if count.in_use:
            group = key(count)
            needing[group] += count.needing
            active[group] += count.active
            examples[group] = count
    ordered = sorted(needing, key=lambda each: (-needing[each], each.casefold()))
    told = [f"{name(examples[each])} {needing[each]:,} ({active[each]:,} active)" for each in ordered[:BREAKDOWN]]
    if len(ordered) > BREAKDOWN:
        told.append(f"{len(ordered) - BREAKDOWN} more")
    return line(" · ".join(told))


def _row(services: Services, asker: Asker, view: ConnectionView, new_since: datetime | None) -> Row:
    """A row with the action that it needs, unless it is known that the asker may not take it."""
    now = services.clock.now()
    label, button = mending_label(view, services.networks, now), None
    if label is not None and may_reconnect(asker.person, view).allowed:
        button = Button(label, reconnect_action(view.connection.id))
    details = Button("Details", details_action(view.connection.id))
    return connection_row(view, services.networks, now, button=button, details=details, new_since=new_since)


def _nothing(services: Services, asker: Asker, listing: Listing) -> Message:
    """Say that the list is empty, how many work, and what expires next."""
    view, working = listing.view, sum(count.active for count in listing.counted)
    if not listing.counts:
        return Message((Text(line("There are no connections here yet.")),))
    narrowed = "".join(f" · {part}" for part in _filters(services, listing))
    if listing.is_whole:
        seen = "" if scope_of(asker.person).client_ids is None else " that you can see"
        sentence = f"{Mark.GOOD} All {number_of(working, 'connection')}{seen} work."
        if working == 1:
            sentence = f"{Mark.GOOD} The one connection{seen} works."
        elif working == 2:
            sentence = f"{Mark.GOOD} Both connections{seen} work."
        elif working == 0:
            sentence = f"Nothing needs connecting{seen}: what there is, is retired."
    elif view.state is StateFilter.NEEDS_CONNECTING:
        working_there = f" {number_of(working, 'connection')} active." if listing.is_counted else ""
        sentence = f"{Mark.GOOD} {_NOTHING[view.state]}{narrowed}.{working_there}"
    else:
        sentence = f"{_NOTHING[view.state]}{narrowed}."
    spans: list[Span] = [Plain(sentence)]
    if listing.next_to_end is not None:
        spans += [Plain(" "), *_next(services, listing.next_to_end)]
    outages = _failing(services, listing)
    parts = (Text(tuple(spans)), *outages, *_tabs(listing), *_ways_on(services, asker, listing))
    return Message(parts, Tone.GOOD if view.state is StateFilter.NEEDS_CONNECTING else Tone.NEUTRAL)


def _failing(services: Services, listing: Listing) -> list[Part]:
    """Networks of the list that fail by themselves, in one calm line: nothing is to be mended there (X-3)."""
    since = {
        count.network: count.failing_since
        for count in listing.counted
        if count.failing_since is not None and count.in_use
    }
    if not since:
        return []
    names = listed([network_name(services.networks, network) for network in since])
    if len(since) == 1:
        told = line(f"{Mark.HELD} Held: {names} has been failing since ", Moment(min(since.values())))
    else:
        told = line(f"{Mark.HELD} Held: {names} have been failing, the first since ", Moment(min(since.values())))
    return [Text((*told, Plain(". Nothing of yours is broken; please do not reconnect there meanwhile.")))]


def _next(services: Services, view: ConnectionView) -> Line:
    end = view.authorization.ends_at if view.authorization else None
    name = f"{network_name(services.networks, view.connection.network)} · {shown(view.connection.account_name)}"
    return line(f"Next to expire: {name}", *((", ", Moment(end, MomentStyle.DAY)) if end else ()), ".")


def _tabs(listing: Listing) -> list[Part]:
    """The two sides of the list, each with its number, where counters know it."""
    view = listing.view
    if not listing.is_counted or view.state not in _TABS:
        return []
    numbers = {
        StateFilter.NEEDS_CONNECTING: ("Needs connecting", sum(count.needing for count in listing.counted)),
        StateFilter.ACTIVE: ("Active", sum(count.active for count in listing.counted)),
    }
    buttons = []
    for state, (label, number) in numbers.items():
        action = list_action(replace(view, state=state, offset=0))
        style = Style.PRIMARY if state is view.state else Style.NORMAL
        buttons += [Button(f"{label} ({number:,})", action, style)] if action is not None else []
    return [Buttons(tuple(buttons))] if buttons else []


def _ways_on(services: Services, asker: Asker, listing: Listing) -> list[Part]:
    """Buttons to the asker's own, or back to everything; in the menu, the networks and clients that need the most, and
    to administrators, owners' lists (N-7).
    """
    back, mine = list_action(ListView()), list_action(ListView(mine=True))
    if back is None or mine is None or listing.view.search:
        return []
    if listing.person is not None:
        if not is_administrator(asker.person):
            return []
        copy = Button("Copy personalised link", copy_link_action(listing.person.id))
        return [Buttons((copy, Button("Everything that needs connecting", back)))]
    if not listing.is_whole:
        if replace(listing.view, offset=0, new_since=None) == ListView(state=StateFilter.ACTIVE):
            return []  # the other tab leads back
        return [Buttons((Button("Everything that needs connecting", back),))]
    menu = _menu(services, listing) if listing.page.total > PAGE_SIZE else ()
    owners = _owners_lists(listing) if is_administrator(asker.person) else ()
    ways = (*menu[: MENU - len(owners)], *owners)
    return [Buttons((Button("Only mine", mine),), ways)] if listing.page.total else []


def _owners_lists(listing: Listing) -> tuple[Button, ...]:
    """The lists of those who own what this page shows."""
    owners = {row.owner.id: row.owner for row in listing.page.rows if row.owner is not None}
    return tuple(
        Button(f"List of {shown(owner.name, 40)}", action)
        for owner in list(owners.values())[:OWNERS]
        if (action := list_action(ListView(person_id=owner.id))) is not None
    )


def _menu(services: Services, listing: Listing) -> tuple[Button, ...]:
    needing: Counter[tuple[str, str]] = Counter()
    ids: dict[str, ClientId] = {}
    for count in listing.counted:
        if count.needing:
            needing[count.network, ""] += count.needing
            needing["", count.client_name] += count.needing
            ids[count.client_name] = count.client_id
    buttons = []
    for (network, client), number in needing.most_common(MENU):
        label = network_name(services.networks, network) if network else f"Client {shown(client, 40)}"
        action = list_action(ListView(network=network or None, client_id=ids.get(client)))
        if action is not None:
            buttons.append(Button(f"{label}: {number:,}", action))
    return tuple(buttons)


def _paged(view: ListView, offset: int) -> ActionRef | None:
    return list_action(replace(view, offset=offset))
