"""`/lapsed check` and the Check now button: has the network asked now, and tells what it said (D-8)."""

from collections.abc import Sequence
from datetime import datetime

from commands import usage
from commands.access import may_reconnect
from commands.actions import check_action, connection_of, details_action, reconnect_action
from commands.causes import cause_name
from commands.command import Asker, Services
from commands.drawing import account_line, mark_of, mending_label, network_name, open_lapse
from commands.handlers.ownership import CHOICES, called, cause_paragraphs, which
from commands.handlers.seeing import seen
from commands.ids import AuthorizationId, ConnectionId
from commands.messages import (
    Button,
    Buttons,
    Heading,
    Line,
    Mark,
    Message,
    Moment,
    Part,
    Plain,
    Row,
    Rows,
    Style,
    Text,
    Tone,
    line,
)
from commands.model import ConnectionState, ConnectionView
from commands.parsing import Arguments, LapsedQuery

AT_ONCE = 3  # accounts that one command has checked: each may be a call out


async def check(services: Services, asker: Asker, query: LapsedQuery, arguments: Arguments) -> Message:
    """Check the accounts that match, if they are few; else ask which."""
    async with services.storage.reading() as uow:
        found = await called(uow, services, asker, query, arguments, limit=CHOICES + 1, example=usage.CHECK)
    if len(found) > AT_ONCE:
        return which(services, found, query, "Check now", check_action)
    return await _checked(services, asker, found)


async def press(services: Services, asker: Asker, arguments: tuple[str, ...]) -> Message:
    """Check the connection whose button was pressed."""
    connection_id = connection_of(arguments)
    async with services.storage.reading() as uow:
        view = await seen(uow, asker, connection_id)
    return await _checked(services, asker, [view])


async def _checked(services: Services, asker: Asker, before: Sequence[ConnectionView]) -> Message:
    """Have each authorization checked once, with no transaction open, then read again what came of it."""
    busy: set[AuthorizationId] = set()
    for authorization_id in dict.fromkeys(view.connection.authorization_id for view in before if _can_check(view)):
        if authorization_id is None:
            continue
        if not await services.checker.check(asker.organization_id, authorization_id):
            busy.add(authorization_id)
    after = []
    async with services.storage.reading() as uow:
        for view in before:
            after.append(await seen(uow, asker, view.connection.id))  # noqa: PERF401  # the view is awaited
    lapsed_before = {view.connection.id for view in before if view.connection.state is ConnectionState.LAPSED}
    if len(after) == 1:
        return _one(services, asker, after[0], busy=after[0].connection.authorization_id in busy, before=lapsed_before)
    rows = []
    for view in after:
        verdict = _verdict(services, view, busy=view.connection.authorization_id in busy, before=lapsed_before)
        rows.append(_row(services, view, verdict))
    return Message((Heading(line(f"Checked {len(rows)} accounts just now.")), Rows(tuple(rows))))


def _can_check(view: ConnectionView) -> bool:
    return view.connection.authorization_id is not None and view.connection.state is not ConnectionState.RETIRED


def _one(services: Services, asker: Asker, view: ConnectionView, *, busy: bool, before: set[ConnectionId]) -> Message:
    now = services.clock.now()
    verdict = _verdict(services, view, busy=busy, before=before)
    parts: list[Part] = [
        Heading((Plain(f"{_mark(view, now)} "), *account_line(view, services.networks))),
        Text(verdict),
        *(Text(paragraph) for paragraph in cause_paragraphs(services, view)),
    ]
    buttons = [Button("Details", details_action(view.connection.id))]
    label = mending_label(view, now)
    if label is not None and may_reconnect(asker.person, view).allowed:
        buttons.insert(0, Button(label, reconnect_action(view.connection.id), Style.PRIMARY))
    parts.append(Buttons(tuple(buttons)))
    works = view.connection.state is ConnectionState.ACTIVE and not _in_doubt(view)
    return Message(tuple(parts), Tone.GOOD if works else Tone.ACTION if open_lapse(view) else Tone.NEUTRAL)


def _row(services: Services, view: ConnectionView, verdict: Line) -> Row:
    title = account_line(view, services.networks)
    return Row(_mark(view, services.clock.now()), title, verdict, Button("Details", details_action(view.connection.id)))


def _mark(view: ConnectionView, now: datetime) -> Mark:
    return Mark.HELD if view.connection.state is ConnectionState.ACTIVE and _in_doubt(view) else mark_of(view, now)


def _in_doubt(view: ConnectionView) -> bool:
    """Whether the last check did not end well, without having opened a lapse."""
    authorization = view.authorization
    if view.connection.doubt is not None or authorization is None:
        return view.connection.doubt is not None
    return authorization.doubt is not None or authorization.last_good_at != authorization.checked_at


def _verdict(services: Services, view: ConnectionView, *, busy: bool, before: set[ConnectionId]) -> Line:
    """The outcome in one sentence."""
    connection, authorization, lapse = view.connection, view.authorization, open_lapse(view)
    network = network_name(services.networks, connection.network)
    if connection.state is ConnectionState.RETIRED:
        return line("Retired: it is no longer checked.")
    if connection.authorization_id is None:
        return line("It has never been connected, so there is nothing to check yet.")
    said = "It is being checked this very moment; before that: " if busy else "Checked just now: "
    if lapse is not None:
        still = "it still does not work" if connection.id in before else "it does not work"
        return line(f"{said}{still}, since ", Moment(lapse.opened_at), f" · {cause_name(lapse.cause)}.")
    if not _in_doubt(view):
        again = "it works again. The lapse is over." if connection.id in before else "it works."
        return line(f"{said}{again}")
    last = authorization.last_good_at if authorization is not None else None
    worked: Line = line(" It last worked ", Moment(last), ".") if last is not None else ()
    if connection.doubt is None and (authorization is None or authorization.doubt is None):
        return line(f"{said}{network} could not be asked, which says nothing about this account.", *worked)
    return line(f"{said}the answer was unclear. We ask again in a few minutes before calling it lapsed.", *worked)
