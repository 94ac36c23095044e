"""The claim button ("I'm on it") and giving it back (N-11): events are written, so that live notices are drawn anew and
threads are told.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from commands.access import Act, may
from commands.actions import claim_action, lapse_of, release_action
from commands.auditing import entry
from commands.command import Asker, Services
from commands.drawing import open_lapse, standing_claim
from commands.handlers.together import about, events_of, lapse_ids, lapses_together, over, reconnect_buttons
from commands.ids import to_wire
from commands.messages import Button, Buttons, Line, Mark, Message, Moment, Tone, line
from commands.model import Claim, ConnectionView
from commands.ports.notices import EventKind
from commands.ports.storage import UnitOfWork
from commands.wording import number_of, shown

STANDS_FOR = timedelta(days=1)


async def claim(services: Services, asker: Asker, arguments: tuple[str, ...]) -> Message:
    """Claim all open lapses of the lapse's authorization that the presser may see and nobody else has claimed."""
    lapse_id, now = lapse_of(arguments), services.clock.now()
    async with services.storage.transaction() as uow:
        view, together = await lapses_together(uow, asker, lapse_id)
        if open_lapse(view) is None:
            return over(services, view)
        standing = standing_claim(view.lapse, now)
        if standing is not None and standing.person_id != asker.person.id:
            return _others(services, asker, view, standing)
        if standing is not None:
            return _yours(services, asker, view, standing.until, others=len(together) - 1, already=True)
        free = [each for each in together if standing_claim(each.lapse, now) is None]
        made = Claim(person_id=asker.person.id, until=now + STANDS_FOR)
        await _write(uow, asker, now, free, made)
    return _yours(services, asker, view, made.until, others=len(free) - 1, already=False)


async def release(services: Services, asker: Asker, arguments: tuple[str, ...]) -> Message:
    """Give the presser's claim back; an administrator may give anybody's back."""
    lapse_id, now = lapse_of(arguments), services.clock.now()
    async with services.storage.transaction() as uow:
        view, together = await lapses_together(uow, asker, lapse_id)
        if open_lapse(view) is None:
            return over(services, view)
        standing = standing_claim(view.lapse, now)
        if standing is None:
            nobody = line("Nobody is on it, so there is nothing to give back.")
            return _said(services, asker, view, nobody, claimable=True)
        if standing.person_id != asker.person.id and not may(asker.person, Act.RELEASE_ANOTHERS, view):
            return _others(services, asker, view, standing)
        theirs = [
            each
            for each in together
            if (held := standing_claim(each.lapse, now)) is not None and held.person_id == standing.person_id
        ]
        await _write(uow, asker, now, theirs, None)
    given_back = line("Given back: nobody is on it now. Everybody who was told sees that.")
    return _said(services, asker, view, given_back, claimable=True)


async def _write(
    uow: UnitOfWork, asker: Asker, now: datetime, views: Sequence[ConnectionView], made: Claim | None
) -> None:
    """Write the claims, the events that redraw notices, and who did it."""
    changed = set(await uow.lapses.claim(asker.organization_id, lapse_ids(views), made))
    written = [each for each in views if each.lapse is not None and each.lapse.id in changed]
    kind = EventKind.CLAIMED if made is not None else EventKind.RELEASED
    await uow.notices.record(events_of(kind, written, now, person_id=asker.person.id))
    action = "lapse.claimed" if made is not None else "lapse.released"
    for lapse_id in lapse_ids(written):
        await uow.audit.write(entry(asker, now, action, f"lapse {to_wire(lapse_id)}"))


def _yours(
    services: Services, asker: Asker, view: ConnectionView, until: datetime, *, others: int, already: bool
) -> Message:
    also = f", and {number_of(others, 'more account')} of the same login" if others else ""
    before = "You already are on it" if already else "You're on it"
    spans = line(f"{Mark.CLAIMED} {before}{also}, until ", Moment(until), ". Everybody who was told sees it.")
    buttons = reconnect_buttons(asker, view)
    if view.lapse is not None:
        buttons.append(Button("Give back", release_action(view.lapse.id)))
    return about(services, view, spans, buttons=Buttons(tuple(buttons)), tone=Tone.ACTION)


def _others(services: Services, asker: Asker, view: ConnectionView, standing: Claim) -> Message:
    name = shown(view.claimant_name or "Somebody")
    still = " If it can't wait, you can still reconnect it." if may(asker.person, Act.RECONNECT, view) else ""
    spans = line(f"{Mark.CLAIMED} {name} is on it, until ", Moment(standing.until), f".{still}")
    return _said(services, asker, view, spans, claimable=False)


def _said(services: Services, asker: Asker, view: ConnectionView, spans: Line, *, claimable: bool) -> Message:
    buttons = reconnect_buttons(asker, view)
    if claimable and view.lapse is not None:
        buttons.append(Button("I'm on it", claim_action(view.lapse.id)))
    return about(services, view, spans, buttons=Buttons(tuple(buttons)))
