"""An account that moved: asking somebody who is connected through its new business, and accepting the move (R-7, X-2).

Accepting asks first.
"""

from commands.access import Act, may, may_see
from commands.actions import (
    accept_move_action,
    accept_move_confirmed_action,
    ask_action,
    connection_of,
    details_action,
    fingerprint,
    lapse_of,
    person_of,
    reconnect_action,
)
from commands.auditing import entry
from commands.command import Asker, Services
from commands.drawing import network_name, spec_of
from commands.errors import CommandError
from commands.handlers.nudging import asked
from commands.handlers.seeing import NotYours, seen
from commands.handlers.together import about, lapse_seen
from commands.ids import to_wire
from commands.messages import AnyButton, Button, Buttons, Line, Mark, Message, Style, Tone, line
from commands.model import ConnectionView, Parent
from commands.moves import Accepted, Move, NothingToAccept, accept_move, read_move
from commands.ports.storage import UnitOfWork
from commands.whereabouts import business, where_to
from commands.wording import first_name, listed, number_of, shown

_ASKS = 2  # people who get a button of their own
_NAMED = 5  # accounts that an answer names


def buttons_of(move: Move) -> list[Button]:
    """Accepting, for those who may; and asking whoever is connected through the new business."""
    lapse = move.view.open_lapse
    found = [Button("Accept the move", accept_move_action(move.view.connection.id))] if move.may_accept else []
    if lapse is not None:
        can_see = [one for one in move.holders if may_see(one, move.view.connection)]
        found += [Button(f"Ask {first_name(one.name)}", ask_action(lapse.id, one.id)) for one in can_see[:_ASKS]]
    return found


async def press(services: Services, asker: Asker, arguments: tuple[str, ...]) -> Message:
    """Ask whether the move was meant; nothing is changed."""
    async with services.storage.reading() as uow:
        view = await seen(uow, asker, connection_of(arguments))
        move, to = await _to_accept(uow, asker, view)
    also = _also(move)
    network = network_name(services.networks, view.connection.network)
    spec = spec_of(services.networks, view.connection.network)
    yes = Button("Yes, accept it", accept_move_confirmed_action(view.connection.id, to.id), Style.PRIMARY)
    details = Button("Details", details_action(view.connection.id))
    return about(
        services,
        view,
        line("Was this move meant?"),
        (*where_to(spec, network, move.came_from, to), *also),
        line(
            "Once accepted, it is read under its new business as soon as a login here reaches it there. "
            "History is kept."
        ),
        buttons=Buttons((yes, details)),
    )


async def confirmed(services: Services, asker: Asker, arguments: tuple[str, ...]) -> Message:
    """Accept the move, and tell the count of what works under the new business (A-6)."""
    connection_id = connection_of(arguments)
    async with services.storage.reading() as uow:
        _, to = await _to_accept(uow, asker, await seen(uow, asker, connection_id))
    if fingerprint(to.id) not in arguments[1:]:
        raise CommandError("It has changed since this was shown: look at its details again.")
    try:
        done = await accept_move(services, asker.person, asker.origin, connection_id, to_id=to.id)
    except NothingToAccept:
        raise CommandError("It changed a moment ago: look at its details again.") from None
    return _accepted(services, done)


async def ask(services: Services, asker: Asker, arguments: tuple[str, ...]) -> Message:
    """Pass the lapse on to somebody who is connected through the new business: once a day, like a nudge (N-2)."""
    lapse_id, person_id, now = lapse_of(arguments[:1]), person_of(arguments[1:]), services.clock.now()
    async with services.storage.transaction() as uow:
        view = await lapse_seen(uow, asker, lapse_id)
        move = await read_move(uow, asker.person, view)
        if not may(asker.person, Act.NUDGE, view):
            raise NotYours
        if move is None:
            return about(services, view, line("It is not in another business any more: nothing is left to ask for."))
        whom = next((one for one in move.holders if one.id == person_id), None)
        if whom is None or whom.left_at is not None or not may_see(whom, view.connection):
            return about(services, view, line("They cannot be asked about this account. Its details say who can."))
        if not await uow.notices.record_once(asked(asker, lapse_id, view, whom, now=now)):
            return about(services, view, line(f"You already asked {shown(whom.name)} today; they have the message."))
        await uow.audit.write(entry(asker, now, "lapse.nudged", f"lapse {to_wire(lapse_id)}", whom=shown(whom.name)))
    return about(services, view, line(f"{shown(whom.name)} gets a message from you about it."))


async def _to_accept(uow: UnitOfWork, asker: Asker, view: ConnectionView) -> tuple[Move, Parent]:
    """The move and its new business, where there is one that this person may accept. Raises CommandError."""
    if not may(asker.person, Act.ACCEPT_MOVE, view):
        raise CommandError("Only administrators accept another business. Its details say who can be asked.")
    move = await read_move(uow, asker.person, view)
    if move is None:
        raise CommandError("It is not lapsed because of a move, so there is nothing to accept.")
    if move.accepted:
        raise CommandError("The move has already been accepted.")
    if move.to is None:
        raise CommandError("It is not known where it moved to, so there is nothing to accept yet.")
    return move, move.to


def _also(move: Move) -> Line:
    if not move.together:
        return ()
    names = [shown(one.connection.account_name) for one in move.together[:_NAMED]]
    more = len(move.together) - len(names)
    names += [f"{more:,} more"] if more else []
    return line(f" So did {listed(names)}: that is {number_of(len(move.together) + 1, 'account')} in all.")


def _accepted(services: Services, done: Accepted) -> Message:
    """What was accepted, and how many work; where some do not, the way to a login for the one that was asked about."""
    buttons: list[AnyButton] = [Button("Details", details_action(done.view.connection.id))]
    if done.waiting:
        buttons.insert(0, Button("Reconnect", reconnect_action(done.view.connection.id), Style.PRIMARY))
    more = [f"{len(done.waiting) - _NAMED:,} more"] if len(done.waiting) > _NAMED else []
    waiting = listed([*done.waiting[:_NAMED], *more])
    return about(
        services,
        done.view,
        line(f"{Mark.GOOD} Accepted: it is read under ", *business(done.to), " from now on."),
        line(f"Checked just now: {done.count}{f' Waiting: {waiting}.' if done.waiting and done.total > 1 else ''}"),
        buttons=Buttons(tuple(buttons)),
        tone=Tone.ACTION if done.waiting else Tone.GOOD,
    )
