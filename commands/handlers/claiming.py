"""The claim button ("I'm on it") and giving it back (N-11): events are written, so that live notices are drawn anew and
threads are told.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from commands.access import Act, may
from commands.actions import claim_action, lapse_of, release_action
from commands.auditing import entry
from commands.command import Asker, Services
from commands.handlers.together import (
    about,
    events_of,
    lapse_ids,
    lapse_seen,
    lapses_together,
    not_too_often,
    over,
    reconnect_buttons,
)
from commands.ids import LapseId, to_wire
from commands.messages import Button, Buttons, Line, Mark, Message, Moment, Tone, line
from commands.model import Claim, ConnectionView
from commands.ports.events import EventKind
from commands.ports.storage import UnitOfWork
from commands.wording import number_of, shown

CLAIMED = "lapse.claimed"
STANDS_FOR = timedelta(days=1)
NOBODY = line("Nobody is on it, so there is nothing to give back.")


async def claim(services: Services, asker: Asker, arguments: tuple[str, ...]) -> Message:
    """Claim all open lapses of the lapse's authorization that the presser may see and nobody else has claimed."""
    lapse_id, now = lapse_of(arguments), services.clock.now()
    async with services.storage.transaction() as uow:
        view, together = await lapses_together(uow, asker, lapse_id)
        if view.open_lapse is None:
            return over(services, view)
        standing = view.standing_claim(now)
        if standing is not None and standing.person_id != asker.person.id:
            return _others(services, asker, view, standing)
        if standing is not None:
            return _yours(services, asker, view, standing.until, others=len(together) - 1, already=True)
        await not_too_often(uow, asker, lapse_id, now, action=CLAIMED)
        free = [each for each in together if each.standing_claim(now) is None]
        made = Claim(person_id=asker.person.id, until=now + STANDS_FOR)
        written = await uow.lapses.claim(asker.organization_id, lapse_ids(free), made)
        await _record(uow, asker, free, written, kind=EventKind.CLAIMED, now=now)
        if lapse_id not in written:  # somebody was quicker since it was read
            return await _as_it_is_now(uow, services, asker, lapse_id)
    return _yours(services, asker, view, made.until, others=len(written) - 1, already=False)


async def release(services: Services, asker: Asker, arguments: tuple[str, ...]) -> Message:
    """Give the presser's claim back; an administrator may give anybody's back."""
    lapse_id, now = lapse_of(arguments), services.clock.now()
    async with services.storage.transaction() as uow:
        view, together = await lapses_together(uow, asker, lapse_id)
        if view.open_lapse is None:
            return over(services, view)
        standing = view.standing_claim(now)
        if standing is None:
            return _said(services, asker, view, NOBODY, claimable=True)
        if standing.person_id != asker.person.id and not may(asker.person, Act.RELEASE_ANOTHERS, view):
            return _others(services, asker, view, standing)
        written = await uow.lapses.release(asker.organization_id, lapse_ids(together), person_id=standing.person_id)
        await _record(uow, asker, together, written, kind=EventKind.RELEASED, now=now)
        if lapse_id not in written:
            return await _as_it_is_now(uow, services, asker, lapse_id)
    given_back = line("Given back: nobody is on it now. Everybody who was told sees that.")
    return _said(services, asker, view, given_back, claimable=True)


async def _record(
    uow: UnitOfWork,
    asker: Asker,
    views: Sequence[ConnectionView],
    written: Sequence[LapseId],
    *,
    kind: EventKind,
    now: datetime,
) -> None:
    """Write the events that redraw notices, and who did it, for those that were written."""
    changed = [each for each in views if each.lapse is not None and each.lapse.id in written]
    await uow.notices.record(events_of(kind, changed, now, person_id=asker.person.id))
    action = CLAIMED if kind is EventKind.CLAIMED else "lapse.released"
    await uow.audit.write(*(entry(asker, now, action, f"lapse {to_wire(each)}") for each in written))


async def _as_it_is_now(uow: UnitOfWork, services: Services, asker: Asker, lapse_id: LapseId) -> Message:
    """What somebody else did at the same moment, in place of what was asked."""
    view = await lapse_seen(uow, asker, lapse_id)
    if view.open_lapse is None:
        return over(services, view)
    standing = view.standing_claim(services.clock.now())
    if standing is None:
        return _said(services, asker, view, NOBODY, claimable=True)
    if standing.person_id == asker.person.id:
        return _yours(services, asker, view, standing.until, others=0, already=True)
    return _others(services, asker, view, standing)


def _yours(
    services: Services, asker: Asker, view: ConnectionView, until: datetime, *, others: int, already: bool
) -> Message:
    also = f", and {number_of(others, 'more account')} of the same login" if others else ""
    before = "You are already on it" if already else "You're on it"
    spans = line(f"{Mark.CLAIMED} {before}{also}, until ", Moment(until), ". Everybody who was told sees it.")
    buttons = reconnect_buttons(services, asker, view)
    if view.lapse is not None:
        buttons.append(Button("Give back", release_action(view.lapse.id)))
    return about(services, view, spans, buttons=Buttons(tuple(buttons)), tone=Tone.ACTION)


def _others(services: Services, asker: Asker, view: ConnectionView, standing: Claim) -> Message:
    name = shown(view.claimant_name or "Somebody")
    still = " If it can't wait, you can still reconnect it." if may(asker.person, Act.RECONNECT, view) else ""
    spans = line(f"{Mark.CLAIMED} {name} is on it, until ", Moment(standing.until), f".{still}")
    return _said(services, asker, view, spans, claimable=False)


def _said(services: Services, asker: Asker, view: ConnectionView, spans: Line, *, claimable: bool) -> Message:
    buttons = reconnect_buttons(services, asker, view)
    if claimable and view.lapse is not None:
        buttons.append(Button("I'm on it", claim_action(view.lapse.id)))
    return about(services, view, spans, buttons=Buttons(tuple(buttons)))
