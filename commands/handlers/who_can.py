"""`/lapsed who-can`, its button, and every refusal to reconnect: who may, what it takes, whom to ask (P-7)."""

from collections.abc import Sequence
from dataclasses import dataclass

from commands import usage
from commands.access import Decision, Standing, may_reconnect
from commands.actions import (
    check_action,
    connection_of,
    details_action,
    history_action,
    nudge_action,
    reconnect_action,
    who_can_action,
)
from commands.causes import cause_text
from commands.command import Asker, Services
from commands.drawing import (
    Identities,
    account_line,
    mark_of,
    mending_label,
    mention,
    network_name,
    separated,
    spec_of,
)
from commands.handlers.help import support_line
from commands.handlers.moving import buttons_of
from commands.handlers.naming import accounts_asked
from commands.handlers.nudging import whom_to_nudge
from commands.handlers.ownership import administrators_buttons, move_paragraph
from commands.handlers.seeing import knows_of, seen
from commands.messages import Button, Buttons, Facts, Heading, Line, Message, Part, Plain, Style, Text, line
from commands.model import ConnectionView, Person
from commands.moves import Move, read_move
from commands.parsing import Arguments, LapsedQuery
from commands.ports.network import NetworkKind
from commands.ports.storage import UnitOfWork
from commands.wording import first_name, shown

OTHERS = 5  # people named of those who are known to hold a role under the same parent
ADMINISTRATORS = 3  # named


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """Who may reconnect a connection, best first; people who left are in none of these."""

    view: ConnectionView
    connector: Person | None
    owner: Person | None
    """Where it is somebody else than the connector."""
    others: Sequence[Person]
    """Who connected something else under the same parent: they are known to hold a role there."""
    administrators: Sequence[Person]
    identities: Identities
    move: Move | None = None
    """Where it went, if it lapsed because it moved."""

    @property
    def to_ask(self) -> tuple[Person, ...]:
        """Everybody who could help, best first."""
        first = [person for person in (self.connector, self.owner) if person is not None]
        return tuple({person.id: person for person in (*first, *self.others, *self.administrators)}.values())


async def who_can(services: Services, asker: Asker, query: LapsedQuery, arguments: Arguments) -> Message:
    """Tell who may reconnect an account; several that match are offered."""
    async with services.storage.reading() as uow:
        offer = ("Who can", who_can_action)
        (found,) = await accounts_asked(uow, services, asker, query, arguments, example=usage.WHO_CAN, offer=offer)
        candidates = await read_candidates(uow, asker, await seen(uow, asker, found.connection.id))
        return _draw(services, asker, candidates)


async def press(services: Services, asker: Asker, arguments: tuple[str, ...]) -> Message:
    """Tell the same of the row whose button was pressed."""
    connection_id = connection_of(arguments)
    async with services.storage.reading() as uow:
        candidates = await read_candidates(uow, asker, await seen(uow, asker, connection_id))
    return _draw(services, asker, candidates)


async def read_candidates(uow: UnitOfWork, asker: Asker, view: ConnectionView) -> Candidates:
    """Read who may; of others only those that the asker may know of (N-8)."""
    organization_id, connection = asker.organization_id, view.connection
    here = [person for person in view.answering if person.left_at is None]
    others: list[Person] = []
    if connection.parent is not None:
        under = await uow.connections.others_under(organization_id, connection.network, [connection.parent.id])
        ids = [each for each in under.get(connection.parent.id, ()) if each not in [person.id for person in here]]
        people = await uow.people.many(organization_id, ids) if ids else {}
        others = [person for person in people.values() if await knows_of(uow, asker, person)][:OTHERS]
    administrators = await uow.people.administrators(organization_id)
    move = await read_move(uow, asker.person, view)
    holders = move.holders if move is not None else ()
    everybody = [person.id for person in (*here, *others, *administrators[:ADMINISTRATORS], *holders)]
    return Candidates(
        view=view,
        connector=next((person for person in here if person.id == connection.connector_id), None),
        owner=next((one for one in here if one.id == connection.owner_id != connection.connector_id), None),
        others=others,
        administrators=administrators,
        identities=await uow.people.identities(organization_id, everybody),
        move=move,
    )


def _draw(services: Services, asker: Asker, candidates: Candidates) -> Message:
    view = candidates.view
    parts: list[Part] = [Heading(_heading(services, view))]
    decision = may_reconnect(asker.person, view)
    if decision.allowed:
        parts.append(Text(_yours(services, asker, view, decision)))
        parts.append(Facts(_facts(services, asker, candidates)))
    else:
        parts += explained(services, asker, candidates, decision)
    parts.append(_buttons(services, asker, candidates, decision))
    return Message(tuple(parts))


def refusal(services: Services, asker: Asker, candidates: Candidates, decision: Decision) -> Message:
    """Answer somebody who may see a connection and not reconnect it: why, what it takes, and whom to ask."""
    parts = [Heading(_heading(services, candidates.view)), *explained(services, asker, candidates, decision)]
    return Message((*parts, _buttons(services, asker, candidates, decision)))


def explained(services: Services, asker: Asker, candidates: Candidates, decision: Decision) -> list[Part]:
    """Why not, what would have to be put right first, what it takes then, and whom to ask."""
    view, lapse = candidates.view, candidates.view.open_lapse
    if decision.standing is Standing.RETIRED:
        why = "Nobody can reconnect it: it is retired, so there is nothing to reconnect. Its history is kept."
        return [Text(line(why)), *_asks(asker, candidates)]
    parts: list[Part] = []
    if lapse is not None:
        words = cause_text(spec_of(services.networks, view.connection.network), lapse.cause)
        network = network_name(services.networks, view.connection.network)
        parts.append(Text(line(f"Nobody can reconnect it until it is put right at {network}. {words.happened}")))
        parts.append(Text(line(" ".join(part for part in (words.mend, words.not_helping) if part))))
    if candidates.move is not None:
        parts.append(Text(move_paragraph(services, candidates.move, candidates.identities)))
    return [*parts, Facts(_facts(services, asker, candidates)), *_asks(asker, candidates)]


def _heading(services: Services, view: ConnectionView) -> Line:
    return (Plain(f"{mark_of(view, services.clock.now())} "), *account_line(view, services.networks))


def _yours(services: Services, asker: Asker, view: ConnectionView, decision: Decision) -> Line:
    """Whether the asker may, and why."""
    network = network_name(services.networks, view.connection.network)
    match decision.standing:
        case Standing.CONNECTOR:
            return line("You may reconnect it: you connected it.")
        case Standing.OWNER:
            return line("You may reconnect it: you own it.")
        case Standing.ON_BEHALF:
            return line("You may reconnect it as an administrator, if you hold the login; it is recorded so.")
        case _:
            return line(f"You may try: after the login we ask {network} whether you have what it takes.")


def _facts(services: Services, asker: Asker, candidates: Candidates) -> tuple[tuple[str, Line], ...]:
    view, identities = candidates.view, candidates.identities
    spec = spec_of(services.networks, view.connection.network)
    facts: list[tuple[str, Line]] = []
    if candidates.connector is not None:
        facts.append(("First to ask", line(mention(candidates.connector, identities), ", who connected it")))
    if candidates.owner is not None:
        facts.append(("Owner", line(mention(candidates.owner, identities))))
    if candidates.others:
        under = shown(view.connection.parent.name) if view.connection.parent is not None else "the same business"
        people = separated([line(mention(person, identities)) for person in candidates.others], ", ")
        facts.append(("Also", (*people, Plain(f", who connected other accounts under {under}"))))
    if candidates.administrators:
        first = [line(mention(person, identities)) for person in candidates.administrators[:ADMINISTRATORS]]
        facts.append(("Administrators", (*separated(first, ", "), Plain(", on their behalf, with the login"))))
    role = spec.reconnect_requirement if spec is not None else "the role on the account that reading needs"
    login = f", with {spec.login_label}" if spec is not None and spec.kind is NetworkKind.OAUTH else ""
    facts.append(("It takes", line(f"{role}{login}")))
    return tuple(facts)


def _asks(asker: Asker, candidates: Candidates) -> list[Part]:
    """A person to ask; where nobody is left, the support contact."""
    asked = [person for person in candidates.to_ask if person.id != asker.person.id]
    if not asked:
        return [Text(support_line(asker.organization))]
    others = line(", or ", mention(asked[1], candidates.identities)) if len(asked) > 1 else ()
    return [Text((*line("Ask ", mention(asked[0], candidates.identities)), *others, Plain(".")))]


def _buttons(services: Services, asker: Asker, candidates: Candidates, decision: Decision) -> Buttons:
    """Reconnect, if the asker may; asking whoever connected or owns it; the way on; what administrators can do."""
    view, lapse = candidates.view, candidates.view.open_lapse
    buttons: list[Button] = []
    label = mending_label(view, services.networks, services.clock.now())
    if decision.allowed and label is not None:
        buttons.append(Button(label, reconnect_action(view.connection.id), Style.PRIMARY))
    if candidates.move is not None:
        buttons += buttons_of(candidates.move)
    if decision.standing is Standing.NOT_HELPING and view.connection.authorization_id is not None:
        buttons.append(Button("Check again", check_action(view.connection.id)))
    whom = whom_to_nudge(asker, view, candidates.identities)
    if lapse is not None and whom is not None:
        buttons.append(Button(f"Ask {first_name(whom.name)}", nudge_action(lapse.id)))
    details = Button("Details", details_action(view.connection.id))
    history = Button("History", history_action(view.connection.id))
    buttons += [details, history, *administrators_buttons(asker, view)]
    return Buttons(tuple(buttons[:2]), tuple(buttons[2:]))
