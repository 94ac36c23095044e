"""`/lapsed upcoming`: what ends within 90 days, by week and person, and one sitting that renews it (X-7)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo

from commands import usage
from commands.access import scope_of
from commands.actions import ListView, StateFilter, calendar_action, list_action, reconnect_action
from commands.auditing import entry
from commands.command import Asker, Services
from commands.drawing import EXPIRING_WITHIN, network_name
from commands.forecast import HORIZON, MOST_LOGINS, by_person, by_week, own_forecast, sittings
from commands.handlers.seeing import visible_clients
from commands.ids import WorkspaceId, to_wire
from commands.messages import (
    AnyButton,
    Bold,
    Button,
    Buttons,
    Facts,
    Heading,
    Line,
    LinkButton,
    Mark,
    Message,
    Moment,
    MomentStyle,
    Note,
    Part,
    Row,
    Rows,
    Style,
    Text,
    Tone,
    line,
    text,
)
from commands.model import Scope, Workspace
from commands.parsing import Arguments, LapsedQuery, client_named
from commands.passes import LIVES, PAGE, make_pass
from commands.ports.forecasting import EndingLogin
from commands.ports.reconnecting import PassPurpose
from commands.wording import named, number_of, shown
from commands.zones import first_known_zone

SHOWN = 8  # logins with a button of their own
NAMED = 3  # clients, or people, that a line names


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What a forecast is drawn from."""

    logins: Sequence[EndingLogin]
    own: Sequence[EndingLogin]
    narrowed: tuple[str, ...]
    workspace_id: WorkspaceId | None
    """Where the asker signs in for the page."""
    zone: tzinfo
    now: datetime


async def upcoming(services: Services, asker: Asker, query: LapsedQuery, arguments: Arguments) -> Message:
    """Answer with what ends, as far as the asker may see."""
    now, organization_id = services.clock.now(), asker.organization_id
    words = query.client or query.words or query.account
    async with services.storage.reading() as uow:
        scope, client = scope_of(asker.person), None
        if words is not None:
            clients = await visible_clients(uow, asker)
            client_id = client_named(words, clients, arguments, usage.LAPSED.here(services.networks))
            client = next(name for name, known in clients.items() if known == client_id)
            scope = _within(scope, replace(scope, within=frozenset({client_id})))
        logins = await uow.forecasts.ending(
            organization_id,
            scope,
            after=now,
            before=now + HORIZON,
            person_id=asker.person.id if query.mine else None,
            network=query.network,
            limit=MOST_LOGINS,
        )
        own = await own_forecast(uow, asker.person, now)
        workspaces = await uow.organizations.workspaces(organization_id)
    narrowed = (
        *([network_name(services.networks, query.network)] if query.network else []),
        *([f"client {shown(client)}"] if client else []),
        *(["yours"] if query.mine else []),
    )
    told = _Told(
        logins=logins,
        own=own,
        narrowed=narrowed,
        workspace_id=_signs_in(asker, workspaces),
        zone=first_known_zone(asker.person.zone_in(asker.organization)),
        now=now,
    )
    return _draw(services, told)


async def calendar(services: Services, asker: Asker, arguments: tuple[str, ...]) -> Message:
    """Answer with the address of the presser's own calendar of sittings."""
    now = services.clock.now()
    async with services.storage.transaction() as uow:
        workspaces = await uow.organizations.workspaces(asker.organization_id)
        workspace_id = _signs_in(asker, workspaces)
        data = {PAGE: f"/day/{to_wire(workspace_id)}"} if workspace_id is not None else {}
        address = await make_pass(
            uow, services.public_url, asker.person, PassPurpose.CALENDAR, made_by=None, now=now, data=data
        )
        await uow.audit.write(entry(asker, now, "calendar.made", f"person {to_wire(asker.person.id)}"))
    days = LIVES[PassPurpose.CALENDAR].days
    return Message(
        (
            text(
                "Your reconnect days, for your calendar: open it once, or subscribe to it so that it stays up to date."
            ),
            Buttons((LinkButton("Calendar file", address, Style.PRIMARY),)),
            Note(
                line(
                    "It says which networks to log in at and when, and nothing else. It opens no account, and works "
                    f"for {number_of(days, 'day')}."
                )
            ),
        )
    )


def _signs_in(asker: Asker, workspaces: Sequence[Workspace]) -> WorkspaceId | None:
    """The workspace by which the asker signs in at pages: the one that they are in, else another of the platform."""
    here = [one for one in workspaces if one.platform == asker.user.platform and not one.is_lost]
    return min(here, key=lambda one: one.external_id != asker.place.workspace).id if here else None


def _within(scope: Scope, narrowed: Scope) -> Scope:
    """What is asked for, of what may be seen."""
    if scope.within is None or narrowed.within is None:
        return narrowed
    return replace(narrowed, within=narrowed.within & scope.within)


def _draw(services: Services, told: _Told) -> Message:
    of_what = "".join(f" · {part}" for part in told.narrowed)
    if not told.logins:
        calm = f"{Mark.GOOD} Nothing ends in the next {HORIZON.days} days{of_what}."
        return Message((Text(line(calm)),), Tone.GOOD)
    accounts = sum(login.accounts for login in told.logins)
    number = number_of(len(told.logins), "login")
    verb = "ends" if len(told.logins) == 1 else "end"
    if len(told.logins) == MOST_LOGINS:
        number = f"More than {number}"
    head = line(
        Bold(f"{number} {verb} in the next {HORIZON.days} days"), f" · {number_of(accounts, 'account')}{of_what}"
    )
    parts: list[Part] = [Heading(head), Facts(_weeks(told))]
    parts.append(Rows(tuple(_row(services, told, login) for login in told.logins[:SHOWN]), _more(told)))
    parts += _own(services, told)
    soon = any(login.ends_at <= told.now + EXPIRING_WITHIN for login in told.logins)
    return Message(tuple(parts), Tone.ACTION if soon else Tone.NEUTRAL)


def _more(told: _Told) -> int:
    return max(0, len(told.logins) - SHOWN)


def _weeks(told: _Told) -> tuple[tuple[str, Line], ...]:
    """Every week in which something ends: how much, and whose."""
    facts: list[tuple[str, Line]] = []
    for monday, logins in by_week(told.logins, told.zone).items():
        whose = [f"{named(own[0].connector_name)} {len(own)}" for own in by_person(logins).values()]
        more = f" and {len(whose) - NAMED} more" if len(whose) > NAMED else ""
        accounts = number_of(sum(login.accounts for login in logins), "account")
        names = ", ".join(whose[:NAMED])
        facts.append((_week(monday), line(f"{number_of(len(logins), 'login')}, {accounts}: {names}{more}")))
    return tuple(facts)


def _row(services: Services, told: _Told, login: EndingLogin) -> Row:
    """One login, whose it is, and what stops when it ends."""
    network = network_name(services.networks, login.network)
    more = f" and {len(login.clients) - NAMED} more" if len(login.clients) > NAMED else ""
    clients = (
        f"{'client' if len(login.clients) == 1 else 'clients'} {', '.join(map(shown, login.clients[:NAMED]))}{more}"
    )
    who = f"{named(login.connector_name)}{', who left' if login.connector_left else ''}"
    mark = Mark.EXPIRING if login.ends_at <= told.now + EXPIRING_WITHIN else Mark.GOOD
    what = f" · {number_of(login.accounts, 'account')} · {clients} · {who}"
    title = line(f"{network} login of ", Bold(named(login.subject_name)))
    return Row(
        mark,
        title,
        line("ends ", Moment(login.ends_at, MomentStyle.DAY), what),
        Button("Renew", reconnect_action(login.connection_id)),
    )


def _own(services: Services, told: _Told) -> list[Part]:
    """The asker's own next sitting, its page and its calendar."""
    planned = sittings(told.own, told.zone, told.now)
    soon = list_action(ListView(state=StateFilter.EXPIRING))
    others = (Button("What expires soon", soon),) if soon is not None else ()
    if not planned:
        return [Buttons(others)] if others else []
    first = planned[0]
    minutes = int(first.takes / timedelta(minutes=1))
    logins = number_of(len(first.logins), "login")
    sentence = line(
        "Your next reconnect day: ",
        Moment(first.at),
        f". {logins} in one go, about {minutes} minutes.",
    )
    buttons: list[AnyButton] = []
    if told.workspace_id is not None:
        page = f"{services.public_url}/day/{to_wire(told.workspace_id)}"
        buttons.append(LinkButton("Your reconnect day", page, Style.PRIMARY))
    buttons.append(Button("Calendar file", calendar_action()))
    return [Text(sentence), Buttons(tuple(buttons), others)]


def _week(monday: date) -> str:
    return f"Week of {monday.day} {monday:%b}"
