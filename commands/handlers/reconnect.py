"""The Reconnect button and `/reconnect ACCOUNT`: the asker's own link, privately, or why there is none and whom to ask
(P-1 to P-5, N-9).
"""

from commands.access import Decision, Standing, may_reconnect
from commands.actions import check_action, claim_action, connection_of, details_action
from commands.auditing import entry
from commands.command import Asker, Services
from commands.drawing import (
    account_line,
    last_seen_working,
    mark_of,
    mending_label,
    network_name,
    reconnect_label,
    renewable_until,
    spec_of,
    way_to_mend,
    what_happened,
    who_is_at_it,
)
from commands.handlers.help import support_line
from commands.handlers.seeing import seen
from commands.handlers.who_can import read_candidates, refusal
from commands.ids import ConnectionId, to_wire
from commands.messages import (
    AnyButton,
    Button,
    Buttons,
    Heading,
    Line,
    LinkButton,
    Message,
    Moment,
    MomentStyle,
    Note,
    Part,
    Plain,
    Style,
    Text,
    Tone,
    line,
)
from commands.model import ConnectionView
from commands.ports.network import NetworkKind
from commands.ports.reconnecting import Link
from commands.wording import named, shown


async def press(services: Services, asker: Asker, arguments: tuple[str, ...]) -> Message:
    """Answer with the presser's link, as long as they may and there is something to reconnect."""
    return await offer(services, asker, connection_of(arguments))


async def offer(services: Services, asker: Asker, connection_id: ConnectionId) -> Message:
    """The asker's link for one connection, or why they get none. Raises NotYours."""
    now = services.clock.now()
    async with services.storage.transaction() as uow:
        view = await seen(uow, asker, connection_id)
        decision = may_reconnect(asker.person, view)
        if decision.allowed and _is_needed(services, view):
            if view.connection.network not in services.networks:
                return _not_set_up(services, asker, view)
            link = Link.new(asker.organization_id, asker.person.id, now, connection_id=connection_id)
            locator = await uow.links.ensure(link)
            await uow.audit.write(
                entry(
                    asker, now, "reconnect.offered", f"connection {to_wire(connection_id)}", standing=decision.standing
                )
            )
            return _offer(services, asker, view, decision, f"{services.public_url}/r/{locator}")
        if decision.allowed:
            return _works(services, view)
        return refusal(services, asker, await read_candidates(uow, asker, view), decision)


def _not_set_up(services: Services, asker: Asker, view: ConnectionView) -> Message:
    """A network that has no credentials here any more: no page could lead to its login."""
    network = network_name(services.networks, view.connection.network)
    sentence = f"Logging in at {network} is not set up here at the moment, so it cannot be reconnected yet."
    return Message((Heading(_heading(services, view)), Text(line(sentence)), Text(support_line(asker.organization))))


def _is_needed(services: Services, view: ConnectionView) -> bool:
    now = services.clock.now()
    return mending_label(view, services.networks, now) is not None or renewable_until(view, now) is not None


def _offer(services: Services, asker: Asker, view: ConnectionView, decision: Decision, address: str) -> Message:
    """What is to be reconnected, why, as whom, and the way there."""
    now, lapse = services.clock.now(), view.open_lapse
    parts: list[Part] = [Heading(_heading(services, view)), Text(_why(services, view))]
    parts.append(Text(_as_whom(services, view, decision)))
    claim = view.standing_claim(now)
    somebody_else_on_it = claim is not None and claim.person_id != asker.person.id
    if somebody_else_on_it or view.reconnecting_id not in (None, asker.person.id):
        parts.append(Text(line(f"{who_is_at_it(view, now)}: {_word_first(services, view)}")))
    buttons: list[AnyButton] = [LinkButton(_label(services, view), address, Style.PRIMARY)]
    if lapse is not None and claim is None:
        buttons.append(Button("I'm on it", claim_action(lapse.id)))
    parts.append(Buttons(tuple(buttons), (Button("Details", details_action(view.connection.id)),)))
    parts.append(Note(line("The link is yours alone: it opens only for you, signed in.")))
    return Message(tuple(parts), Tone.ACTION)


def _label(services: Services, view: ConnectionView) -> str:
    now, spec = services.clock.now(), spec_of(services.networks, view.connection.network)
    planned = reconnect_label(spec, "Renew" if renewable_until(view, now) else "Reconnect")
    return mending_label(view, services.networks, now) or planned


def _word_first(services: Services, view: ConnectionView) -> str:
    """Why to talk to whoever is at it (X-4)."""
    spec = spec_of(services.networks, view.connection.network)
    ends = f" At {spec.name} a second login ends the first." if spec is not None and spec.one_grant_per_subject else ""
    return f"a word with them first saves a second login.{ends}"


def _heading(services: Services, view: ConnectionView) -> Line:
    return (Plain(f"{mark_of(view, services.clock.now())} "), *account_line(view, services.networks))


def _why(services: Services, view: ConnectionView) -> Line:
    end = renewable_until(view, services.clock.now())
    if view.open_lapse is not None:
        return what_happened(view, services.networks)
    if end is not None:
        network = network_name(services.networks, view.connection.network)
        return line(f"It works. {network} ends it ", Moment(end, MomentStyle.DAY), " unless it is renewed before.")
    return line("It has not been connected yet.")


def _as_whom(services: Services, view: ConnectionView, decision: Decision) -> Line:
    """Which login to use, by what lets this person try."""
    spec = spec_of(services.networks, view.connection.network)
    network = network_name(services.networks, view.connection.network)
    login = spec.login_label if spec is not None else f"the {network} login"
    role = spec.reconnect_requirement if spec is not None else "the role on the account that reading needs"
    if spec is not None and spec.kind is not NetworkKind.OAUTH:
        return line(f"It is mended {way_to_mend(spec)}, in about a minute. It takes {role}.")
    subject = f", {shown(view.authorization.subject_name)}" if view.authorization is not None else ""
    match decision.standing:
        case Standing.CONNECTOR:
            yours = "You connected it" if view.authorization is not None else "It is yours to connect"
            return line(f"{yours}: log in with {login}{subject}. It takes about a minute.")
        case Standing.OWNER:
            return line(f"You own it: log in with {login}, if it has {role}. It takes about a minute.")
        case Standing.ON_BEHALF:
            whose = view.connector or view.owner
            behalf = f" for {shown(whose.name)}" if whose is not None else ""
            return line(f"As an administrator you may do it{behalf}, with a login that has {role}; it is recorded so.")
        case _:
            there = view.connector if view.connector is not None and view.connector.left_at is None else None
            first = f" {named(there.name)}, who connected it, is the first to ask." if there is not None else ""
            return line(f"It takes {role}. After the login we ask {network} whether you have it.{first}")


def _works(services: Services, view: ConnectionView) -> Message:
    last = last_seen_working(view)
    seen_working: Line = line(" Last seen working ", Moment(last), ".") if last is not None else ()
    parts = (
        Heading(_heading(services, view)),
        Text((Plain("It works: there is nothing to reconnect."), *seen_working)),
        Buttons(
            (
                Button("Check now", check_action(view.connection.id)),
                Button("Details", details_action(view.connection.id)),
            )
        ),
    )
    return Message(parts, Tone.GOOD)
