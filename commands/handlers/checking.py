"""`/lapsed check` and the Check now button: has the network asked now, and tells what it said (D-8)."""

from collections.abc import Sequence
from datetime import datetime

from commands import usage
from commands.access import may_reconnect
from commands.actions import check_action, connection_of, details_action, reconnect_action
from commands.causes import cause_name
from commands.command import Asker, Services
from commands.drawing import account_line, mark_of, mending_label, network_name, spec_of
from commands.handlers.help import support_line
from commands.handlers.naming import accounts_asked
from commands.handlers.ownership import cause_paragraphs
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
from commands.moves import try_again
from commands.parsing import Arguments, LapsedQuery
from commands.ports.checker import CheckResult

AT_ONCE = 3  # accounts that one command has checked: each may be a call out


async def check(services: Services, asker: Asker, query: LapsedQuery, arguments: Arguments) -> Message:
    """Check the accounts that match, if they are few; else ask which."""
    async with services.storage.reading() as uow:
        found = await accounts_asked(
            uow,
            services,
            asker,
            query,
            arguments,
            example=usage.CHECK,
            offer=("Check now", check_action),
            most=AT_ONCE,
        )
    return await _checked(services, asker, found)


async def press(services: Services, asker: Asker, arguments: tuple[str, ...]) -> Message:
    """Check the connection whose button was pressed."""
    connection_id = connection_of(arguments)
    async with services.storage.reading() as uow:
        view = await seen(uow, asker, connection_id)
    return await _checked(services, asker, [view])


async def _checked(services: Services, asker: Asker, before: Sequence[ConnectionView]) -> Message:
    """Have each authorization checked once, with no transaction open, then read again what came of it."""
    results: dict[AuthorizationId | None, CheckResult] = {}
    for authorization_id in dict.fromkeys(view.connection.authorization_id for view in before if _can_check(view)):
        if authorization_id is not None:
            results[authorization_id] = await services.checker.check(asker.organization_id, authorization_id)
    for view in before:
        await try_again(services, asker.person, view)  # what hangs on no login since its move was accepted
    after = []
    async with services.storage.reading() as uow:
        for view in before:
            after.append(await seen(uow, asker, view.connection.id))  # noqa: PERF401  # the view is awaited
    lapsed_before = {view.connection.id for view in before if view.connection.state is ConnectionState.LAPSED}
    told = []
    for view in after:
        result = results.get(view.connection.authorization_id, CheckResult.CHECKED)
        told.append((view, result, _verdict(services, asker, view, result, before=lapsed_before)))
    if len(told) == 1:
        return _one(services, asker, *told[0])
    checked = sum(result is not CheckResult.NOT_POSSIBLE for _, result, _ in told)
    number = f"{checked}" if checked == len(told) else f"{checked} of {len(told)}"
    rows = tuple(_row(services, view, verdict) for view, _, verdict in told)
    return Message((Heading(line(f"Checked {number} accounts just now.")), Rows(rows)))


def _can_check(view: ConnectionView) -> bool:
    return view.connection.authorization_id is not None and view.connection.state is not ConnectionState.RETIRED


def _one(services: Services, asker: Asker, view: ConnectionView, result: CheckResult, verdict: Line) -> Message:
    now = services.clock.now()
    parts: list[Part] = [
        Heading((Plain(f"{_mark(view, now)} "), *account_line(view, services.networks))),
        Text(verdict),
        *(Text(paragraph) for paragraph in cause_paragraphs(services, view)),
    ]
    buttons = [Button("Details", details_action(view.connection.id))]
    label = mending_label(view, services.networks, now)
    if label is not None and may_reconnect(asker.person, view).allowed:
        buttons.insert(0, Button(label, reconnect_action(view.connection.id), Style.PRIMARY))
    parts.append(Buttons(tuple(buttons)))
    asked = result is not CheckResult.NOT_POSSIBLE
    works = asked and view.connection.state is ConnectionState.ACTIVE and not _in_doubt(view)
    return Message(tuple(parts), Tone.GOOD if works else Tone.ACTION if view.open_lapse else Tone.NEUTRAL)


def _row(services: Services, view: ConnectionView, verdict: Line) -> Row:
    title = account_line(view, services.networks)
    return Row(_mark(view, services.clock.now()), title, verdict, Button("Details", details_action(view.connection.id)))


def _mark(view: ConnectionView, now: datetime) -> Mark:
    return Mark.HELD if view.connection.state is ConnectionState.ACTIVE and _in_doubt(view) else mark_of(view, now)


def _in_doubt(view: ConnectionView) -> bool:
    """Whether the last check did not end well, without having opened a lapse. An authorization's own doubt may be about
    another of its accounts.
    """
    authorization = view.authorization
    failed = authorization is not None and authorization.last_good_at != authorization.checked_at
    return view.connection.doubt is not None or failed


def _verdict(
    services: Services, asker: Asker, view: ConnectionView, result: CheckResult, *, before: set[ConnectionId]
) -> Line:
    """The outcome in one sentence."""
    connection = view.connection
    network = network_name(services.networks, connection.network)
    if connection.state is ConnectionState.RETIRED:
        return line("Retired: it is no longer checked.")
    spec = spec_of(services.networks, connection.network)
    if spec is not None and spec.own_page is not None:
        return _kept_elsewhere(view, spec.own_page.product)
    if connection.authorization_id is None and view.open_lapse is not None:
        return line(
            "No login here reaches it at the moment, so there is nothing to check until somebody reconnects it."
        )
    if connection.authorization_id is None:
        return line("It has never been connected, so there is nothing to check yet.")
    if result is CheckResult.NOT_POSSIBLE:
        ours = f"We cannot ask {network} about it just now: that is our fault, not the account's. "
        return (*line(ours), *support_line(asker.organization))
    return _known(view, network, busy=result is CheckResult.BUSY, before=connection.id in before)


def _kept_elsewhere(view: ConnectionView, product: str) -> Line:
    """Of a connection that the host product keeps: there is nothing here that it could be checked with."""
    lapse = view.open_lapse
    keeps = f"{product} keeps this connection and tells us how it is, so we cannot check it ourselves."
    if lapse is not None:
        return line(f"{keeps} It has not worked since ", Moment(lapse.opened_at), f" · {cause_name(lapse.cause)}.")
    works = view.connection.state is ConnectionState.ACTIVE
    return line(f"{keeps} As last reported, it works." if works else f"{keeps} It is not connected yet.")


def _known(view: ConnectionView, network: str, *, busy: bool, before: bool) -> Line:
    """What is known of it after a check. `before`: whether it was lapsed before."""
    connection, authorization, lapse = view.connection, view.authorization, view.open_lapse
    said = "It is being checked right now; before that: " if busy else "Checked just now: "
    if lapse is not None:
        still = "it still does not work" if before else "it does not work"
        return line(f"{said}{still}, since ", Moment(lapse.opened_at), f" · {cause_name(lapse.cause)}.")
    if not _in_doubt(view):
        again = "it works again. The lapse is over." if before else "it works."
        return line(f"{said}{again}")
    last = authorization.last_good_at if authorization is not None else None
    worked: Line = line(" It last worked ", Moment(last), ".") if last is not None else ()
    if connection.doubt is None:
        return line(f"{said}{network} could not be asked, which says nothing about this account.", *worked)
    return line(f"{said}the answer was unclear. We ask again in a few minutes before calling it lapsed.", *worked)
