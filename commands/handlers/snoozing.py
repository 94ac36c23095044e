"""Snooze and "Not mine" (N-11): the presser's own wish not to be reminded. What others hear is not touched by it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from commands.access import Act, may
from commands.actions import (
    SNOOZE_DAYS,
    claim_action,
    lapse_of,
    not_mine_action,
    retire_action,
    snooze_action,
    snooze_of,
)
from commands.auditing import entry
from commands.command import Asker, Services
from commands.handlers.seeing import NotYours
from commands.handlers.together import about, events_of, lapse_ids, lapses_together, over, reconnect_buttons
from commands.ids import to_wire
from commands.messages import Button, Buttons, Line, Mark, Message, Moment, Tone, line
from commands.model import ConnectionView, Mute
from commands.ports.events import EventKind
from commands.wording import number_of


async def choice(services: Services, asker: Asker, arguments: tuple[str, ...]) -> Message:
    """Say what a snooze would hold, and ask for how long; the other ways of hearing no more stand beside it."""
    lapse_id, now = lapse_of(arguments), services.clock.now()
    async with services.storage.reading() as uow:
        view, together = await lapses_together(uow, asker, lapse_id)
        if not may(asker.person, Act.SNOOZE, view):
            raise NotYours
        mutes = await uow.lapses.mutes(asker.organization_id, [lapse_id])
    if view.open_lapse is None:
        return over(services, view)
    mine = next((mute for mute in mutes if mute.person_id == asker.person.id), None)
    is_not_mine = mine is not None and mine.until is None
    spans = line(
        f"{Mark.HELD} A snooze holds your own reminders of this account{_others(together)}. "
        "Everybody else is reminded as before."
    )
    days = [Button(f"Snooze {number_of(each, 'day')}", snooze_action(lapse_id, each)) for each in SNOOZE_DAYS]
    others = [] if is_not_mine else [Button("Not mine", not_mine_action(lapse_id))]
    retire = Button("Not in use any more", retire_action(view.connection.id))
    ways = Buttons(tuple(days[:2]), (*days[2:], *others, retire))
    return about(services, view, *_standing(mine, now), spans, buttons=ways, tone=Tone.HELD)


def _standing(mine: Mute | None, now: datetime) -> list[Line]:
    """What the presser said before, and what a snooze makes of it."""
    if mine is None or (mine.until is not None and mine.until <= now):
        return []
    if mine.until is None:
        return [line("You said that it is not yours, so nothing of it comes to you. A snooze takes the place of that.")]
    return [line("You are not reminded of it before ", Moment(mine.until), ". Another snooze counts from now.")]


def _others(together: Sequence[ConnectionView], before: str = " and ") -> str:
    """The other accounts of the login, which are held with it."""
    others = len(together) - 1
    return f"{before}{number_of(others, 'more account')} of the same login" if others > 0 else ""


async def snooze(services: Services, asker: Asker, arguments: tuple[str, ...]) -> Message:
    """Hold the presser's reminders of all open lapses of the login for some days."""
    (lapse_id, days), now = snooze_of(arguments), services.clock.now()
    until = now + timedelta(days=days)
    async with services.storage.transaction() as uow:
        view, together = await lapses_together(uow, asker, lapse_id)
        if not may(asker.person, Act.SNOOZE, view):
            raise NotYours
        if view.open_lapse is None:
            return over(services, view)
        mutes = [Mute(lapse_id=each, person_id=asker.person.id, until=until) for each in lapse_ids(together)]
        held = await uow.lapses.mute(asker.organization_id, mutes)
        await uow.notices.redraw_for(asker.organization_id, held, asker.person.id, now)
        await uow.audit.write(
            *(entry(asker, now, "lapse.snoozed", f"lapse {to_wire(each)}", days=str(days)) for each in held)
        )
    what = f"it{_others(together)}"
    spans = line(
        f"{Mark.HELD} Snoozed for {number_of(days, 'day')}: you are not reminded of {what} before ",
        Moment(until),
        ". Everybody else is, as before.",
    )
    claim = Button("I'm on it", claim_action(lapse_id))
    ways_on = Buttons((*reconnect_buttons(services, asker, view), claim))
    return about(services, view, spans, buttons=ways_on, tone=Tone.HELD)


async def not_mine(services: Services, asker: Asker, arguments: tuple[str, ...]) -> Message:
    """End what the presser hears of the login's open lapses; of those that were theirs to mend administrators are
    told. Their own claims are given back.
    """
    lapse_id, now = lapse_of(arguments), services.clock.now()
    me = asker.person.id
    async with services.storage.transaction() as uow:
        view, together = await lapses_together(uow, asker, lapse_id)
        if not may(asker.person, Act.SNOOZE, view):
            raise NotYours
        if view.open_lapse is None:
            return over(services, view)
        mutes = [Mute(lapse_id=each, person_id=me, until=None) for each in lapse_ids(together)]
        changed = set(await uow.lapses.mute(asker.organization_id, mutes))
        await uow.notices.redraw_for(asker.organization_id, list(changed), me, now)
        fresh = [each for each in together if each.lapse is not None and each.lapse.id in changed]
        theirs = [each for each in fresh if me in (each.connection.connector_id, each.connection.owner_id)]
        released = set(await uow.lapses.release(asker.organization_id, lapse_ids(together), person_id=me))
        claimed = [each for each in together if each.lapse is not None and each.lapse.id in released]
        await uow.notices.record(
            [
                *events_of(EventKind.NOT_MINE, theirs, now, person_id=me),
                *events_of(EventKind.RELEASED, claimed, now, person_id=me),
            ]
        )
        await uow.audit.write(
            *(entry(asker, now, "lapse.not_mine", f"lapse {to_wire(each)}") for each in lapse_ids(fresh))
        )
    if not changed:
        return about(services, view, line("You already said so: nothing more of this lapse comes to you."))
    told = line("You are down as the one to mend it, so administrators are told.") if theirs else None
    spans = line(f"Nothing more of this lapse comes to you{_others(fresh, ', nor of ')}.")
    return about(services, view, *([spans, told] if told is not None else [spans]))
