"""`/lapse-admin links`: how far each personal link got that somebody sent or copied, and a way to end it (X-10)."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from commands.access import Act
from commands.actions import admin_list_action, pass_of, send_link_action, withdraw_link_action
from commands.auditing import entry
from commands.command import Asker, Services
from commands.drawing import network_name, separated
from commands.errors import CommandError
from commands.handlers.asked import Asked
from commands.handlers.gate import only_administrators
from commands.handlers.paging import PAGE_SIZE, first_row, paging
from commands.ids import to_wire
from commands.messages import (
    Bold,
    Button,
    Buttons,
    Code,
    Heading,
    Line,
    Mark,
    Message,
    Moment,
    Note,
    Part,
    Row,
    Rows,
    Tone,
    line,
    text,
)
from commands.outcomes import Outcome, OutcomeKind
from commands.passes import SENT_BY
from commands.ports.network import Networks
from commands.ports.reconnecting import FollowedLink, PassPurpose, Round, Sending
from commands.wording import named, number_of, shown

LINKS = "links"
LOOKS_BACK = timedelta(days=30)
"""How long a link stays on the list: it works for seven days, and is cleared away a month after its end."""

_ENDS: dict[OutcomeKind, str] = {
    OutcomeKind.RESTORED: "done",
    OutcomeKind.PARTIAL: "done in part",
    OutcomeKind.CONNECTED: "done: new accounts connected",
    OutcomeKind.WRONG_LOGIN: "wrong account",
    OutcomeKind.ROLE_MISSING: "wrong account: no role there",
    OutcomeKind.NOTHING_REACHED: "wrong account: it reaches nothing",
    OutcomeKind.DECLINED: "declined",
    OutcomeKind.MISSING_PERMISSION: "a permission was left off",
    OutcomeKind.NOTHING_CHOSEN: "logged in, chose nothing",
    OutcomeKind.NETWORK_DOWN: "the network did not answer",
}
"""What a sender reads of how a round trip ended; of the rest, that it did not help."""


async def links(services: Services, asker: Asker, asked: Asked) -> Message:
    """`/lapse-admin links`."""
    return await page(services, asker, 0)


async def page(services: Services, asker: Asker, offset: int) -> Message:
    """A part of the list as it is now: its buttons draw it anew."""
    await only_administrators(services, asker)
    now = services.clock.now()
    since = now - LOOKS_BACK
    async with services.storage.reading() as uow:
        number = await uow.passes.number_followed(asker.organization_id, since=since)
        offset = first_row(offset, number)
        found = await uow.passes.followed(asker.organization_id, since=since, offset=offset, limit=PAGE_SIZE)
    if not number:
        return Message(
            (
                text(f"No personal link was sent or copied in the last {LOOKS_BACK.days} days."),
                text("To send one: ", Code("/lapse-admin send-link PERSON")),
            )
        )
    done = sum(_is_done(each) for each in found)
    heading = line(Bold(number_of(number, "personal link")), f" in {LOOKS_BACK.days} days")
    parts: list[Part] = [Heading(heading), Rows(tuple(_row(services.networks, each, now) for each in found))]
    parts += paging(LINKS, offset, number)
    again = admin_list_action(LINKS, offset)
    if again is not None:
        parts.append(Buttons((Button("Look again", again),)))
    parts.append(Note(line("Opened means that its button was pressed: a preview or a mail filter does not count.")))
    return Message(tuple(parts), Tone.GOOD if done == len(found) else Tone.NEUTRAL)


async def withdraw(services: Services, asker: Asker, arguments: tuple[str, ...]) -> Message:
    """End a link at once; whoever has it open is out."""
    await only_administrators(services, asker, Act.ADMINISTER)
    pass_id, now = pass_of(arguments), services.clock.now()
    async with services.storage.transaction() as uow:
        one = await uow.passes.get(asker.organization_id, pass_id)
        if one is None or one.purpose is not PassPurpose.ACCOUNTS or one.followed_at is None:
            raise CommandError("That link is gone.")
        person = await uow.people.get(asker.organization_id, one.person_id)
        anew = Buttons((Button("Send a new one", send_link_action(person.id)),))
        if not await uow.passes.withdraw_one(asker.organization_id, pass_id, now):
            return Message(
                (text("The link of ", Bold(named(person.name)), " had already expired. Nothing changed."), anew)
            )
        # Whoever holds it may have made addresses of the calendar with it, which live longer.
        await uow.passes.withdraw(asker.organization_id, person.id, PassPurpose.CALENDAR, now)
        subject = f"person {to_wire(person.id)}"
        await uow.audit.write(entry(asker, now, "personal_link.withdrawn", subject, person=shown(person.name)))
    return Message(
        (text(f"{Mark.GOOD} Withdrawn: the link of ", Bold(named(person.name)), " no longer opens anything."), anew),
        Tone.GOOD,
    )


def _row(networks: Networks, each: FollowedLink, now: datetime) -> Row:
    """One link: who has it, then every step with its time, and what can be done about it."""
    one, works = each.one, each.one.withdrawn_at is None and each.one.expires_at > now
    title = line(Bold(named(each.person_name)), *([f" · {_by(each)}"] if _by(each) else []))
    send = Button("Send a new one", send_link_action(one.person_id))
    button = Button("Withdraw", withdraw_link_action(one.id)) if works else send
    return Row(_mark(each, now), title, separated(_steps(networks, each, now)), button)


def _mark(each: FollowedLink, now: datetime) -> Mark:
    if _is_done(each):
        return Mark.GOOD
    if each.rounds and each.rounds[-1].closed_at is None and each.rounds[-1].expires_at > now:
        return Mark.RECONNECTING
    if each.one.withdrawn_at is not None or each.one.expires_at <= now:
        return Mark.RETIRED
    return Mark.CLAIMED if each.one.opened_at is not None else Mark.EXPIRING


def _steps(networks: Networks, each: FollowedLink, now: datetime) -> Sequence[Line]:
    one = each.one
    steps: list[Line] = [line(f"{_SENDINGS[each.sending]} ", Moment(one.followed_at or one.created_at))]
    steps.append(line("opened ", Moment(one.opened_at)) if one.opened_at is not None else line("not opened yet"))
    for each_round in each.rounds:
        steps += _round(networks, each_round, now)
    if one.withdrawn_at is not None:
        steps.append(line("withdrawn ", Moment(one.withdrawn_at)))
    elif one.expires_at <= now:
        steps.append(line("over since ", Moment(one.expires_at)))
    return steps


_SENDINGS = {
    Sending.COPIED: "copied",
    Sending.ON_ITS_WAY: "on its way since",
    Sending.SENT: "sent",
    Sending.FAILED: "could not be delivered",
}


def _round(networks: Networks, one: Round, now: datetime) -> Sequence[Line]:
    begun = line(f"at {network_name(networks, one.network)} ", Moment(one.opened_at))
    if one.outcome is not None:
        kind = Outcome.from_json(one.outcome).kind
        return (begun, line(f"{_ENDS.get(kind, 'it did not help')} ", Moment(one.closed_at or one.opened_at)))
    return (begun,) if one.closed_at is None and one.expires_at > now else (begun, line("did not come back"))


def _is_done(each: FollowedLink) -> bool:
    return any(one.outcome is not None and Outcome.from_json(one.outcome).stored for one in each.rounds)


def _by(each: FollowedLink) -> str:
    """Who sent or copied it; empty where it went out by itself."""
    sender = each.maker_name or each.one.data.get(SENT_BY, "")
    return f"from {named(sender)}" if sender else ""
