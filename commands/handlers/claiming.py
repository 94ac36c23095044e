"""The claim button ("I'm on it") and giving it back (N-11): events are written, so that live notices are drawn anew."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from commands.access import is_administrator, may_reconnect, may_see
from commands.actions import claim_action, lapse_of, reconnect_action, release_action
from commands.auditing import entry
from commands.command import Asker, Services
from commands.drawing import account_line, open_lapse, standing_claim
from commands.handlers.seeing import NotYours
from commands.ids import EventId, LapseId, new_id, to_wire
from commands.messages import Button, Buttons, Heading, Line, Mark, Message, Moment, Plain, Style, Text, Tone, line
from commands.model import Claim, ConnectionView, LapseEnd
from commands.ports.notices import Event, EventKind
from commands.ports.storage import UnitOfWork
from commands.wording import number_of, shown

STANDS_FOR = timedelta(days=1)


async def claim(services: Services, asker: Asker, arguments: tuple[str, ...]) -> Message:
    """Claim all open lapses of the lapse's authorization that the presser may see and nobody else has claimed."""
    lapse_id, now = lapse_of(arguments), services.clock.now()
    async with services.storage.transaction() as uow:
        view, together = await _lapses(uow, asker, lapse_id)
        if open_lapse(view) is None:
            return _over(services, view)
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
        view, together = await _lapses(uow, asker, lapse_id)
        if open_lapse(view) is None:
            return _over(services, view)
        standing = standing_claim(view.lapse, now)
        if standing is None:
            return _said(
                services, asker, view, line("Nobody is on it, so there is nothing to give back."), claimable=True
            )
        if standing.person_id != asker.person.id and not is_administrator(asker.person):
            return _others(services, asker, view, standing)
        theirs = [
            each
            for each in together
            if (held := standing_claim(each.lapse, now)) is not None and held.person_id == standing.person_id
        ]
        await _write(uow, asker, now, theirs, None)
    return _said(
        services,
        asker,
        view,
        line("Given back: nobody is on it now. Everybody who was told sees that."),
        claimable=True,
    )


async def _lapses(uow: UnitOfWork, asker: Asker, lapse_id: LapseId) -> tuple[ConnectionView, Sequence[ConnectionView]]:
    """The lapse, and the open ones of its authorization, itself first; only what the asker may see. Raises NotYours."""
    views = await uow.lapses.views(asker.organization_id, [lapse_id])
    if not views or views[0].lapse is None or not may_see(asker.person, views[0].connection):
        raise NotYours
    view = views[0]
    if view.lapse is None or view.lapse.authorization_id is None:
        return view, [view]
    under = await uow.connections.under(asker.organization_id, view.lapse.authorization_id)
    others = [
        each
        for each in under
        if each.connection.id != view.connection.id
        and open_lapse(each) is not None
        and may_see(asker.person, each.connection)
    ]
    return view, [view, *others]


async def _write(
    uow: UnitOfWork, asker: Asker, now: datetime, views: Sequence[ConnectionView], made: Claim | None
) -> None:
    """Write the claims, the events that redraw notices, and who did it."""
    lapses = {each.lapse.id: each for each in views if each.lapse is not None}
    changed = await uow.lapses.claim(asker.organization_id, list(lapses), made)
    await uow.notices.record(
        [
            Event(
                id=EventId(new_id(now)),
                organization_id=asker.organization_id,
                kind=EventKind.LAPSE_CHANGED,
                at=now,
                lapse_id=lapse_id,
                connection_id=lapses[lapse_id].connection.id,
                authorization_id=lapses[lapse_id].connection.authorization_id,
                person_id=asker.person.id,
            )
            for lapse_id in changed
        ]
    )
    action = "lapse.claimed" if made is not None else "lapse.released"
    for lapse_id in changed:
        await uow.audit.write(entry(asker, now, action, f"lapse {to_wire(lapse_id)}"))


def _yours(
    services: Services, asker: Asker, view: ConnectionView, until: datetime, *, others: int, already: bool
) -> Message:
    also = f", and {number_of(others, 'more account')} of the same login" if others else ""
    before = "You already are on it" if already else "You're on it"
    spans = line(f"{Mark.CLAIMED} {before}{also}, until ", Moment(until), ". Everybody who was told sees it.")
    lapse_id = view.lapse.id if view.lapse is not None else None
    buttons = _reconnect(asker, view)
    if lapse_id is not None:
        buttons.append(Button("Give back", release_action(lapse_id)))
    return Message((Heading(_heading(services, view)), Text(spans), Buttons(tuple(buttons))), Tone.ACTION)


def _others(services: Services, asker: Asker, view: ConnectionView, standing: Claim) -> Message:
    name = shown(view.claimant_name or "Somebody")
    still = " If it can't wait, you can still reconnect it." if _reconnect(asker, view) else ""
    spans = line(f"{Mark.CLAIMED} {name} is on it, until ", Moment(standing.until), f".{still}")
    return _said(services, asker, view, spans, claimable=False)


def _over(services: Services, view: ConnectionView) -> Message:
    """The lapse ended before the button was pressed."""
    lapse = view.lapse
    restored = lapse is not None and lapse.ended_how is not LapseEnd.RETIRED
    by = f" by {shown(view.restorer_name)}" if view.restorer_name is not None else ""
    what = f"{Mark.GOOD} Restored{by}" if restored else f"{Mark.RETIRED} Retired{by}"
    when = line(" ", Moment(lapse.ended_at)) if lapse is not None and lapse.ended_at is not None else ()
    spans = (Plain(what), *when, Plain(": nothing is left to do."))
    return Message((Heading(_heading(services, view)), Text(spans)), Tone.GOOD if restored else Tone.NEUTRAL)


def _said(services: Services, asker: Asker, view: ConnectionView, spans: Line, *, claimable: bool) -> Message:
    buttons = _reconnect(asker, view)
    if claimable and view.lapse is not None:
        buttons.append(Button("I'm on it", claim_action(view.lapse.id)))
    ways_on = (Buttons(tuple(buttons)),) if buttons else ()
    return Message((Heading(_heading(services, view)), Text(spans), *ways_on))


def _reconnect(asker: Asker, view: ConnectionView) -> list[Button]:
    """The button, unless it is known that the asker may not, or that it would not help (R-7)."""
    if not may_reconnect(asker.person, view).allowed:
        return []
    return [Button("Reconnect", reconnect_action(view.connection.id), Style.PRIMARY)]


def _heading(services: Services, view: ConnectionView) -> Line:
    return account_line(view, services.networks)
