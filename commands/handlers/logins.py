"""`/reconnect`: the asker's personal links for what they may reconnect, one for each login that repairs it (C-6)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from commands import usage
from commands.access import may_reconnect, scope_of
from commands.actions import (
    ListView,
    OutOfDate,
    StateFilter,
    list_action,
    list_of,
    reconnect_action,
    reconnect_list_action,
)
from commands.auditing import entry
from commands.causes import cause_name
from commands.command import Asker, Services
from commands.drawing import (
    connection_row,
    mark_of,
    mending_label,
    network_name,
    who_is_at_it,
)
from commands.handlers.naming import accounts_asked
from commands.handlers.reconnect import offer
from commands.handlers.seeing import visible_clients
from commands.ids import AuthorizationId, ConnectionId, PersonId
from commands.messages import (
    ActionRef,
    AnyButton,
    Bold,
    Button,
    Buttons,
    Heading,
    Line,
    LinkButton,
    Mark,
    Message,
    Moment,
    Note,
    Paging,
    Part,
    Row,
    Rows,
    Text,
    Tone,
    line,
)
from commands.model import ConnectionState, ConnectionView, Filter, Page
from commands.parsing import Arguments, client_named, network_names, parse_account
from commands.ports.reconnecting import Link
from commands.ports.storage import UnitOfWork
from commands.wording import named, number_of, shown

WINDOW = 1000
"""Accounts that are looked at together: those of one login are told as one. What lies further is another page."""
LOGINS = 8  # on a page
NAMES = 4  # accounts of a login that are named
Locators = Mapping[tuple[PersonId, ConnectionId], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Logins:
    """A part of what may be reconnected, read from storage."""

    view: ListView
    """Its offset is where the window of accounts begins, and which of the window's logins come first."""
    client: str | None
    page: Page
    """The window."""
    groups: Sequence[Sequence[ConnectionView]]
    """The window's accounts that the asker may reconnect, by login, the longest lapsed first."""
    hopeless: Sequence[ConnectionView]
    """Those of the window that no login mends (R-7)."""
    has_mine: bool
    locators: Locators
    sizes: Mapping[AuthorizationId, int]
    """How many accounts wait for each login that is shown, where the window may not hold all of them."""

    @property
    def first(self) -> int:
        """Which of the groups comes first on this page."""
        return self.view.offset % WINDOW

    @property
    def shown(self) -> Sequence[Sequence[ConnectionView]]:
        return self.groups[self.first : self.first + LOGINS]


async def answer(services: Services, asker: Asker, arguments: Arguments) -> Message:
    """Answer `/reconnect`: the links of one account, of what the asker connected or owns, or of all they may."""
    command = usage.RECONNECT.here(services.networks)
    query = parse_account(arguments, network_names(services.networks), usage.RECONNECT)
    if query.account is not None:
        async with services.storage.reading() as uow:
            (found,) = await accounts_asked(
                uow,
                services,
                asker,
                query,
                arguments,
                example=usage.RECONNECT_ONE,
                offer=("This one", reconnect_action),
            )
        return await offer(services, asker, found.connection.id)
    client_id = None
    if query.client is not None:
        async with services.storage.reading() as uow:
            client_id = client_named(query.client, await visible_clients(uow, asker), arguments, command)
    view = ListView(network=query.network, client_id=client_id, mine=query.state is not StateFilter.ALL)
    return await _page(services, asker, view, fall_back=not query.mine)


async def turn(services: Services, asker: Asker, arguments: tuple[str, ...]) -> Message:
    """Show another part, in its place."""
    view = list_of(arguments)
    if view.person_id is not None or view.search is not None:
        raise OutOfDate
    return await _page(services, asker, view, fall_back=False)


async def _page(services: Services, asker: Asker, view: ListView, *, fall_back: bool) -> Message:
    async with services.storage.transaction() as uow:
        logins = await _read(uow, services, asker, view)
        if fall_back and view.mine and not logins.groups and not logins.hopeless:
            logins = replace(await _read(uow, services, asker, replace(view, mine=False)), has_mine=False)
        if view.offset and not logins.shown:  # there are fewer than when the button was drawn
            logins = await _read(uow, services, asker, replace(view, offset=0))
        sizes = await _sizes(uow, asker, logins)
        logins = replace(logins, sizes=sizes, locators=await _links(uow, services, asker, logins))
    return _draw(services, asker, logins)


async def _read(uow: UnitOfWork, services: Services, asker: Asker, view: ListView) -> _Logins:
    client = None
    if view.client_id is not None:
        clients = {client_id: name for name, client_id in (await visible_clients(uow, asker)).items()}
        client = clients.get(view.client_id)
        if client is None:
            raise OutOfDate
    wanted = _filter(asker, view, client)
    start = view.offset - view.offset % WINDOW
    page = await uow.connections.page(asker.organization_id, scope_of(asker.person), wanted, offset=start, limit=WINDOW)
    groups: dict[object, list[ConnectionView]] = {}
    hopeless: list[ConnectionView] = []
    for row in page.rows:
        if may_reconnect(asker.person, row).allowed:
            groups.setdefault(row.connection.authorization_id or row.connection.id, []).append(row)
        else:
            hopeless.append(row)
    return _Logins(
        view=view,
        client=client,
        page=page,
        groups=list(groups.values()),
        hopeless=hopeless,
        has_mine=True,
        locators={},
        sizes={},
    )


async def _sizes(uow: UnitOfWork, asker: Asker, logins: _Logins) -> Mapping[AuthorizationId, int]:
    """Count the accounts of each login that is shown; nothing where the window holds all there are."""
    if len(logins.page.rows) == logins.page.total:
        return {}
    sizes = {}
    for group in logins.shown:
        authorization_id = group[0].connection.authorization_id
        if authorization_id is not None:
            wanted = replace(_filter(asker, logins.view, logins.client), authorization_id=authorization_id)
            scope = scope_of(asker.person)
            page = await uow.connections.page(asker.organization_id, scope, wanted, offset=0, limit=1)
            sizes[authorization_id] = page.total
    return sizes


def _filter(asker: Asker, view: ListView, client: str | None) -> Filter:
    return Filter(network=view.network, client=client, person_id=asker.person.id if view.mine else None)


async def _links(uow: UnitOfWork, services: Services, asker: Asker, logins: _Logins) -> Locators:
    """Make the links of the logins that are shown, in a fixed number of statements."""
    now = services.clock.now()
    links = tuple(
        Link.new(asker.organization_id, asker.person.id, now, connection_id=group[0].connection.id)
        for group in logins.shown
        if group[0].connection.network in services.networks
    )
    if not links:
        return {}
    await uow.audit.write(entry(asker, now, "reconnect.offered", number_of(len(links), "login")))
    return await uow.links.ensure_many(links)


def _draw(services: Services, asker: Asker, logins: _Logins) -> Message:
    parts: list[Part] = [Heading(_heading(services, logins))]
    if logins.shown:
        parts.append(Rows(tuple(_row(services, asker, group, logins) for group in logins.shown)))
        parts += _paging(logins)
    if logins.hopeless and logins.first == 0:
        names = ", ".join(f"{named(row.connection.account_name)} ({_cause(row)})" for row in logins.hopeless[:NAMES])
        more = len(logins.hopeless) - NAMES
        rest = f" and {more:,} more" if more > 0 else ""
        parts.append(Text(line(f"No login mends these; their details say what does: {names}{rest}.")))
    if logins.locators:
        parts.append(Note(line("The links are yours alone: they open only for you, signed in.")))
    parts += _other_side(logins)
    tone = Tone.ACTION if logins.shown else Tone.GOOD if not logins.hopeless else Tone.NEUTRAL
    return Message(tuple(parts), tone)


def _heading(services: Services, logins: _Logins) -> Line:
    view, number = logins.view, len(logins.groups)
    narrowed = [
        *([network_name(services.networks, view.network)] if view.network else []),
        *([f"client {shown(logins.client)}"] if logins.client else []),
    ]
    of_what = "".join(f" · {part}" for part in narrowed)
    if not logins.groups:
        whose = "of yours " if view.mine else ""
        if logins.hopeless:
            return line(f"Nothing {whose}can be mended by a login{of_what}.")
        return line(f"{Mark.GOOD} Nothing {whose}waits for a login{of_what}.")
    accounts = sum(len(group) for group in logins.groups)
    is_new = all(row.connection.state is ConnectionState.UNCONNECTED for group in logins.groups for row in group)
    repair = ("connect" if is_new else "repair") + ("s" if number == 1 else "")
    whose = "of yours" if view.mine else "that you may try"
    those = f"{number_of(accounts, 'account')} {whose}"
    if logins.page.total > len(logins.page.rows):
        those += f", of {logins.page.total:,} in all"
    return line(Bold(f"{number_of(number, 'login')} {repair} {those}"), of_what)


def _row(services: Services, asker: Asker, group: Sequence[ConnectionView], logins: _Logins) -> Row:
    """One login, with the link that begins it."""
    now, first = services.clock.now(), group[0]
    label = mending_label(first, services.networks, now) or "Reconnect"
    locator = logins.locators.get((asker.person.id, first.connection.id))
    button: AnyButton = (
        LinkButton(label, f"{services.public_url}/r/{locator}")
        if locator is not None
        else Button(label, reconnect_action(first.connection.id))  # which says why there is no link
    )
    number = logins.sizes.get(first.connection.authorization_id) if first.connection.authorization_id else None
    if (number or len(group)) == 1:
        return connection_row(first, services.networks, now, button=button)
    subject = named(first.authorization.subject_name) if first.authorization is not None else "one person"
    title = line(f"{network_name(services.networks, first.connection.network)} login of ", Bold(subject))
    names = ", ".join(named(row.connection.account_name) for row in group[:NAMES])
    size = number or len(group)
    more = f" and {size - NAMES:,} more" if size > NAMES else ""
    causes = ", ".join(dict.fromkeys(_cause(row) for row in group))
    lapse = first.open_lapse
    since = (f"{causes}, since ", Moment(lapse.opened_at)) if lapse is not None else (causes,)
    is_taken = first.reconnecting_by is not None or first.standing_claim(now) is not None
    at_it = who_is_at_it(first, now) if is_taken else ""
    detail = line(f"one login repairs {size:,} accounts: {names}{more} · ", *since, *([f" · {at_it}"] if at_it else []))
    return Row(mark_of(first, now), title, detail, button)


def _cause(row: ConnectionView) -> str:
    lapse = row.open_lapse
    if lapse is not None:
        return cause_name(lapse.cause)
    return "not connected yet" if row.connection.state is ConnectionState.UNCONNECTED else "lapsed"


def _paging(logins: _Logins) -> list[Part]:
    """Through the logins of a window of accounts, then on to the next window."""
    start, first = logins.view.offset - logins.first, logins.first
    following = previous = None
    if first + LOGINS < len(logins.groups):
        following = start + first + LOGINS
    elif start + len(logins.page.rows) < logins.page.total:
        following = start + WINDOW
    if first:
        previous = start + max(0, first - LOGINS)
    elif start:
        previous = start - WINDOW
    if following is None and previous is None:
        return []
    label = f"logins {first + 1}–{first + len(logins.shown)} of {len(logins.groups):,}"
    if logins.page.total > len(logins.page.rows):
        label += f", among accounts {start + 1:,}–{start + len(logins.page.rows):,} of {logins.page.total:,}"
    return [
        Paging(
            label,
            _at(logins.view, previous) if previous is not None else None,
            _at(logins.view, following) if following is not None else None,
        )
    ]


def _other_side(logins: _Logins) -> list[Part]:
    """From one's own to all that one may try, and back; and to what can be renewed before it lapses."""
    buttons = []
    if logins.view.mine:
        buttons.append(("All that I may reconnect", _at(replace(logins.view, mine=False), 0)))
    elif logins.has_mine:
        buttons.append(("Only mine", _at(replace(logins.view, mine=True), 0)))
    buttons.append(("What expires soon", list_action(ListView(state=StateFilter.EXPIRING, mine=logins.view.mine))))
    return [Buttons(tuple(Button(label, action) for label, action in buttons if action is not None))]


def _at(view: ListView, offset: int) -> ActionRef | None:
    return reconnect_list_action(replace(view, offset=offset))
