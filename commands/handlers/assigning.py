"""Giving a lapse to somebody: an administrator claims it on their behalf, and they are told (N-11)."""

from collections.abc import Mapping
from datetime import datetime

from commands.access import Act, may
from commands.actions import assign_action, lapse_of
from commands.auditing import entry
from commands.command import Asker, Services
from commands.drawing import account_line
from commands.errors import CommandError
from commands.handlers.asked import Asked
from commands.handlers.claiming import STANDS_FOR
from commands.handlers.naming import account_meant, person_meant
from commands.handlers.seeing import NotYours
from commands.handlers.together import about, events_of, lapse_ids, lapse_seen, lapses_together, over
from commands.ids import LapseId, to_wire
from commands.messages import FieldErrors, Form, Mark, Message, Moment, PersonField, Tone, line
from commands.model import Claim, ConnectionView, Person
from commands.ports.events import EventKind
from commands.ports.storage import UnitOfWork
from commands.wording import number_of, shown


async def assign(services: Services, asker: Asker, asked: Asked) -> Message:
    """`/lapse-admin assign ACCOUNT to PERSON`."""
    words = asked.need("account", "Which account's lapse is it, and who should see to it?")
    whom = asked.need("person", "Who should see to it? Write “to” before them.")
    async with services.storage.transaction() as uow:
        found = await account_meant(uow, services, asker, asked, words)
        person = await person_meant(uow, asker, asked, whom)
        lapse = found.open_lapse
        if lapse is None:
            return about(services, found, line("It is not lapsed, so there is nothing to see to."))
        return await _assign(uow, services, asker, lapse.id, person)


async def form(services: Services, asker: Asker, arguments: tuple[str, ...]) -> Form:
    """Ask who is to see to it."""
    lapse_id = lapse_of(arguments)
    async with services.storage.reading() as uow:
        view = await lapse_seen(uow, asker, lapse_id)
    _only_administrators(asker, view)
    if view.open_lapse is None:
        raise CommandError(over(services, view))
    return Form(
        title="Assign a lapse",
        action=assign_action(lapse_id),
        fields=(PersonField(name="person", label="Who should see to it?"),),
        send_label="Assign",
        intro=account_line(view, services.networks),
    )


async def submitted(
    services: Services, asker: Asker, arguments: tuple[str, ...], values: Mapping[str, tuple[str, ...]]
) -> Message | FieldErrors:
    """Give the lapse to whom the form says."""
    lapse_id = lapse_of(arguments)
    chosen = next(iter(values.get("person", ())), "").removeprefix("@")
    async with services.storage.transaction() as uow:
        view = await lapse_seen(uow, asker, lapse_id)
        _only_administrators(asker, view)
        account = await uow.people.identity(
            asker.organization_id, platform=asker.user.platform, tenant=asker.user.tenant, user=chosen
        )
        person = await uow.people.get(asker.organization_id, account.person_id) if account is not None else None
        if person is None or person.left_at is not None:
            unknown = "This chat account is nobody's here yet: they have to type /lapsed once, and sign in."
            return FieldErrors((("person", unknown),))
        if not may(person, Act.CLAIM, view):
            return FieldErrors((("person", _may_not_see(person, view)),))
        return await _assign(uow, services, asker, lapse_id, person)


async def _assign(uow: UnitOfWork, services: Services, asker: Asker, lapse_id: LapseId, person: Person) -> Message:
    """Claim the lapse, and the other open ones of its login that this person may see, for them."""
    now = services.clock.now()
    view, together = await lapses_together(uow, asker, lapse_id)
    _only_administrators(asker, view)
    if view.open_lapse is None:
        return over(services, view)
    if not may(person, Act.CLAIM, view):
        raise CommandError(about(services, view, line(_may_not_see(person, view))))
    theirs = [each for each in together if may(person, Act.CLAIM, each)]
    made = Claim(person_id=person.id, until=now + STANDS_FOR)
    changed = set(await uow.lapses.claim(asker.organization_id, lapse_ids(theirs), made, take_over=True))
    given = [each for each in theirs if each.lapse is not None and each.lapse.id in changed]
    by = {"by": shown(asker.person.name), "by_id": to_wire(asker.person.id)} if person.id != asker.person.id else {}
    await uow.notices.record(events_of(EventKind.CLAIMED, given, now, person_id=person.id, data=by))
    await uow.audit.write(
        *(
            entry(asker, now, "lapse.assigned", f"lapse {to_wire(each)}", to=shown(person.name))
            for each in lapse_ids(given)
        )
    )
    return _given(services, asker, view, person, made.until, others=len(given) - 1)


def _given(
    services: Services, asker: Asker, view: ConnectionView, person: Person, until: datetime, *, others: int
) -> Message:
    also = f", and {number_of(others, 'more account')} of the same login" if others > 0 else ""
    told = "They are told, and everybody who was told of the lapse sees it."
    if person.id == asker.person.id:
        told = "Everybody who was told of the lapse sees it."
    spans = line(f"{Mark.CLAIMED} {shown(person.name)} is on it{also}, until ", Moment(until), f". {told}")
    return about(services, view, spans, tone=Tone.GOOD)


def _only_administrators(asker: Asker, view: ConnectionView) -> None:
    if not may(asker.person, Act.SEE, view):
        raise NotYours
    if not may(asker.person, Act.ASSIGN, view):
        raise CommandError("Only administrators assign lapses to others. You can take it yourself: press I'm on it.")


def _may_not_see(person: Person, view: ConnectionView) -> str:
    return (
        f"{shown(person.name)} may not see accounts of client {shown(view.client_name)}. Give them the client first, "
        f"with /lapse-admin clients, or choose somebody else."
    )
