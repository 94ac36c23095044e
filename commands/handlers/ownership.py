"""`/lapsed who` and the details button: whose an account is, who may reconnect it, and what happened to it (C-3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from commands import usage
from commands.access import Act, Standing, is_administrator, may, may_reconnect, may_see, move_accepted, scope_of
from commands.actions import (
    ListView,
    assign_action,
    check_action,
    claim_action,
    connection_of,
    copy_link_action,
    details_action,
    history_action,
    list_action,
    note_action,
    reconnect_action,
    release_action,
    retire_action,
    snooze_choice_action,
    who_can_action,
)
from commands.causes import cause_text
from commands.command import Asker, Services
from commands.drawing import (
    Identities,
    account_line,
    last_seen_working,
    mark_of,
    mending_label,
    mention,
    network_name,
    separated,
    spec_of,
    state_line,
    what_happened,
    who_is_at_it,
)
from commands.handlers.history import episode
from commands.handlers.moving import buttons_of
from commands.handlers.naming import accounts_asked
from commands.handlers.seeing import seen
from commands.ids import PersonId
from commands.messages import (
    Button,
    Buttons,
    Code,
    Facts,
    Heading,
    Line,
    Message,
    Moment,
    MomentStyle,
    Part,
    Plain,
    Style,
    Text,
    Tone,
    line,
)
from commands.model import ConnectionState, ConnectionView, Lapse, LapseNote, Person
from commands.moves import Move, read_move
from commands.parsing import Arguments, LapsedQuery
from commands.ports.storage import UnitOfWork
from commands.whereabouts import what_next, where_to, whom_to_ask
from commands.wording import named, number_of, shown

NOTES = 3  # notes of the open lapse told in the details; `/lapsed history` has more
HISTORY = 3  # past lapses told in the details; `/lapsed history` is for all


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownership:
    """What is told of one connection."""

    view: ConnectionView
    siblings: int
    """Connections on the same authorization that the asker may see, this one included."""
    history: Sequence[Lapse]
    notes: Sequence[LapseNote]
    """Of the open lapse, the oldest first."""
    people: Mapping[PersonId, Person]
    identities: Identities
    move: Move | None = None
    """Where it went, if it lapsed because it moved (X-2)."""


async def who(services: Services, asker: Asker, query: LapsedQuery, arguments: Arguments) -> Message:
    """Tell whose an account is; several that match are offered."""
    async with services.storage.reading() as uow:
        offer = ("Details", details_action)
        (found,) = await accounts_asked(uow, services, asker, query, arguments, example=usage.WHO, offer=offer)
        view = await seen(uow, asker, found.connection.id)
        return draw_details(services, asker, await read_ownership(uow, asker, view))


async def details(services: Services, asker: Asker, arguments: tuple[str, ...]) -> Message:
    """Tell the same of the row whose button was pressed."""
    connection_id = connection_of(arguments)
    async with services.storage.reading() as uow:
        ownership = await read_ownership(uow, asker, await seen(uow, asker, connection_id))
    return draw_details(services, asker, ownership)


async def read_ownership(uow: UnitOfWork, asker: Asker, view: ConnectionView) -> Ownership:
    """Read what the details tell, in a fixed number of statements."""
    organization_id, connection = asker.organization_id, view.connection
    siblings = view.siblings
    scope = scope_of(asker.person)
    sees_all = scope.client_ids is None and scope.within is None
    if connection.authorization_id is not None and not sees_all:
        under = await uow.connections.under(organization_id, connection.authorization_id)
        siblings = sum(may_see(asker.person, sibling.connection) for sibling in under)
    history = await uow.lapses.history(organization_id, connection.id, limit=HISTORY + 1)
    people = await uow.people.many(organization_id, [lapse.ended_by for lapse in history if lapse.ended_by])
    known = [person.id for person in view.answering]
    move = await read_move(uow, asker.person, view)
    holders = [person.id for person in move.holders] if move is not None else []
    identities = await uow.people.identities(organization_id, [*known, *people, *holders])
    lapse = view.open_lapse
    notes = await uow.lapses.notes(organization_id, [lapse.id]) if lapse is not None else ()
    return Ownership(
        view=view,
        siblings=siblings,
        history=history,
        notes=notes,
        people=people,
        identities=identities,
        move=move,
    )


def draw_details(services: Services, asker: Asker, ownership: Ownership) -> Message:
    """Draw the details: the state and its cause, whose it is, the business to copy, the history, and what to do."""
    view, now = ownership.view, services.clock.now()
    mark = mark_of(view, now)
    parts: list[Part] = [Heading((Plain(f"{mark} "), *account_line(view, services.networks)))]
    parts += [Text(paragraph) for paragraph in cause_paragraphs(services, view)]
    if ownership.move is not None:
        parts.append(Text(move_paragraph(services, ownership.move, ownership.identities)))
    parts.append(Facts(_facts(services, asker, ownership, now)))
    parts.append(_buttons(services, asker, ownership))
    return Message(tuple(parts), Tone.ACTION if view.open_lapse else Tone.NEUTRAL)


def cause_paragraphs(services: Services, view: ConnectionView) -> list[Line]:
    """What happened and what is missing since when; then what mends it. Nothing while all is well."""
    lapse = view.open_lapse
    if lapse is None:
        return []
    words = cause_text(spec_of(services.networks, view.connection.network), lapse.cause)
    return [
        what_happened(view, services.networks),
        line(" ".join(part for part in (words.mend, words.not_helping) if part)),
    ]


def move_paragraph(services: Services, move: Move, identities: Identities) -> Line:
    """Which business it left for, whom that leads to, and what can be done (X-2)."""
    slug = move.view.connection.network
    where = where_to(spec_of(services.networks, slug), network_name(services.networks, slug), move.came_from, move.to)
    return separated([one for one in (where, whom_to_ask(move, identities), what_next(move)) if one], " ")


def _facts(services: Services, asker: Asker, ownership: Ownership, now: datetime) -> tuple[tuple[str, Line], ...]:
    view = ownership.view
    connection, authorization = view.connection, view.authorization
    at_it = who_is_at_it(view, now) if view.reconnecting_by or view.standing_claim(now) else ""
    spec = spec_of(services.networks, connection.network)
    facts: list[tuple[str, Line]] = [
        ("State", (*state_line(view, now), *line(*([f" · {at_it}"] if at_it else [])))),
        ("Connected by", _person(view.connector, ownership.identities, "nobody yet")),
        ("Owner", _person(view.owner, ownership.identities, "nobody named")),
        ("May reconnect", _may_reconnect(services, asker, ownership)),
    ]
    if authorization is not None:
        hangs = "1 account depends" if ownership.siblings < 2 else f"{number_of(ownership.siblings, 'account')} depend"
        name = shown(authorization.subject_name)
        facts.append(
            (
                "Login",
                line(f"{name} · connected ", Moment(authorization.obtained_at, MomentStyle.DAY), f" · {hangs} on it"),
            )
        )
        if authorization.ends_at is not None:
            facts.append(("Ends", line(Moment(authorization.ends_at, MomentStyle.DAY))))
        if authorization.checked_at is not None:
            facts.append(("Last checked", line(Moment(authorization.checked_at))))
    if (last := last_seen_working(view)) is not None:
        facts.append(("Last seen working", line(Moment(last))))
    if connection.parent is not None:
        label = spec.parent_label if spec is not None and spec.parent_label else "Business"
        facts.append((label, line(f"{shown(connection.parent.name)} · ", Code(shown(connection.parent.id)))))
    facts.append(("Account id", line(Code(shown(connection.account_id)))))
    if ownership.notes:
        facts.append(("Notes", separated([_note(note) for note in ownership.notes[-NOTES:]], "; ")))
    facts.append(("History", _history(ownership)))
    return tuple(facts)


def _person(person: Person | None, identities: Identities, nobody: str) -> Line:
    if person is None:
        return line(nobody)
    return line(mention(person, identities), *([" (left)"] if person.left_at is not None else []))


def _may_reconnect(services: Services, asker: Asker, ownership: Ownership) -> Line:
    """Who may, best first (P-1, P-2, P-4); nobody while the cause is one that reconnecting does not mend."""
    view = ownership.view
    network = network_name(services.networks, view.connection.network)
    match may_reconnect(asker.person, view).standing:
        case Standing.RETIRED:
            return line("nobody: it is retired")
        case Standing.NOT_HELPING:
            return line(f"nobody, until it is put right at {network}")
    here = [person for person in view.answering if person.left_at is None]
    parts: list[Line] = [line(mention(person, ownership.identities)) for person in here]
    spec = spec_of(services.networks, view.connection.network)
    role = spec.reconnect_requirement if spec is not None else "the role on the account that reading needs"
    parts.append(line(f"whoever has {role}" if not parts else f"anyone else with {role}"))
    parts.append(line("administrators, if they hold the login"))
    return separated(parts)


def _history(ownership: Ownership) -> Line:
    past = [lapse for lapse in ownership.history if lapse.ended_at is not None][:HISTORY]
    if not past:
        return line("no earlier lapse")
    return separated([episode(lapse, ownership.people, ownership.identities) for lapse in past], "; ")


def _note(note: LapseNote) -> Line:
    return line(f"“{shown(note.text, 200)}” · {named(note.person_name)}, ", Moment(note.at, MomentStyle.DAY))


def _buttons(services: Services, asker: Asker, ownership: Ownership) -> Buttons:
    """All that notices have no room for is here, or one press from here: what ends reminders behind Snooze, and what
    administrators do behind who can reconnect it.
    """
    view, now = ownership.view, services.clock.now()
    connection, lapse = view.connection, view.open_lapse
    label = mending_label(view, services.networks, now)
    ways: list[Button] = buttons_of(ownership.move) if ownership.move is not None else []
    if label is not None and may_reconnect(asker.person, view).allowed:
        ways.append(Button(label, reconnect_action(connection.id), Style.PRIMARY))
    if lapse is not None:
        ways += _claiming(asker, view, lapse, now)
    live = connection.state is not ConnectionState.RETIRED
    if live and (connection.authorization_id is not None or move_accepted(view)):
        ways.append(Button("Check now", check_action(connection.id)))
    history = Button("History", history_action(connection.id))
    who_can = Button("Who can reconnect it", who_can_action(connection.id))
    if lapse is not None:
        assigns = may(asker.person, Act.ASSIGN, view)
        menu = [
            Button("Snooze, not mine, not in use", snooze_choice_action(lapse.id)),
            Button("Add a note", note_action(lapse.id)),
            replace(who_can, label="Who can reconnect it, assign it") if assigns else who_can,
            history,
        ]
    else:
        retire = [Button("Not in use any more", retire_action(connection.id))] if live else []
        menu = [who_can, history, *retire, *administrators_buttons(asker, view)]
    return Buttons(tuple(ways[:2]), (*ways[2:], *menu))


def _claiming(asker: Asker, view: ConnectionView, lapse: Lapse, now: datetime) -> list[Button]:
    claim = view.standing_claim(now)
    if claim is None:
        return [Button("I'm on it", claim_action(lapse.id))]
    if claim.person_id == asker.person.id or may(asker.person, Act.RELEASE_ANOTHERS, view):
        return [Button("Give back", release_action(lapse.id))]
    return []


def administrators_buttons(asker: Asker, view: ConnectionView) -> list[Button]:
    """What administrators can do with an account's people: give its lapse to somebody, see the owner's list, and copy
    the owner's personalised link; of the connector, where no owner is named.
    """
    lapse, found = view.open_lapse, list[Button]()
    if lapse is not None and may(asker.person, Act.ASSIGN, view):
        found.append(Button("Assign it", assign_action(lapse.id)))
    here = (one for one in reversed(view.answering) if one.left_at is None)
    whom = next(here, None)
    if whom is None or not is_administrator(asker.person):
        return found
    theirs, name = list_action(ListView(person_id=whom.id)), named(whom.name)
    if theirs is not None:
        found.append(Button(f"List of {name}", theirs))
    if may(asker.person, Act.ADMINISTER):
        found.append(Button(f"Copy link of {name}", copy_link_action(whom.id)))
    return found
