"""`/lapse-admin audit`: who did what, from where, when; the latest first, by words or by person (A-4)."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from commands.actions import OutOfDate, admin_list_action
from commands.auditing import LogPage, read_page
from commands.command import Asker, Services
from commands.handlers.asked import Asked, is_mention
from commands.handlers.gate import only_administrators
from commands.handlers.naming import person_meant
from commands.ids import WIRE_LENGTH, ConnectionId, LapseId, PersonId, from_wire, to_wire
from commands.messages import Bold, Heading, Line, Message, Moment, Note, Paging, Part, Plain, Text, line, text
from commands.parsing import Token
from commands.ports.auditing import AuditEntry
from commands.ports.storage import UnitOfWork
from commands.wording import clean, listed, named, shown

AUDIT = "audit"
PAGE_SIZE = 10
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_WIRE = re.compile(rf"[0-9A-Za-z]{{{WIRE_LENGTH}}}")
_NOBODY = "-"
_NAMED = 3  # accounts or people that one act is told with


def person_then_words(tokens: list[Token]) -> Mapping[str, str]:
    """A mentioned user is whose entries are meant; all else is what they must contain."""
    mentioned = [token.text for token in tokens if is_mention(token)]
    words = " ".join(token.text for token in tokens if not is_mention(token) or token.text not in mentioned[:1])
    return {option: value for option, value in (("person", "".join(mentioned[:1])), ("words", words)) if value}


async def audit(services: Services, asker: Asker, asked: Asked) -> Message:
    """Answer with the latest entries that match."""
    whom, words = asked.get("person"), asked.get("words")
    async with services.storage.reading() as uow:
        person = await person_meant(uow, asker, asked, whom, left=True) if whom is not None else None
    actor_id = person.id if person is not None else None
    return await _page(services, asker, actor_id=actor_id, words=clean(words or ""), before=None)


async def turn(services: Services, asker: Asker, position: int, carried: str) -> Message:
    """Show an older part of the same; `position` is the microsecond before which it begins, 0 the present."""
    await only_administrators(services, asker)
    actor, _, words = carried.partition(" ")
    try:
        actor_id = PersonId(from_wire(actor)) if actor not in ("", _NOBODY) else None
        before = _EPOCH + position * _MICROSECOND if position else None
    except (ValueError, OverflowError) as error:
        raise OutOfDate from error
    return await _page(services, asker, actor_id=actor_id, words=words, before=before)


async def _page(
    services: Services, asker: Asker, *, actor_id: PersonId | None, words: str, before: datetime | None
) -> Message:
    async with services.storage.reading() as uow:
        found = await read_page(
            uow, asker.organization_id, limit=PAGE_SIZE, before=before, actor_id=actor_id, words=words or None
        )
        groups = _together(found.entries)
        names = await _names(uow, asker, [one for group in groups for one in group[:_NAMED]], actor_id)
    if not found.entries:
        about = f" with “{shown(words, 40)}”" if words else ""
        by = f" by {names[actor_id]}" if actor_id is not None and actor_id in names else ""
        return Message((text(f"Nothing{about}{by} is in the log{' before that' if before else ''}."),))
    parts: list[Part] = [Heading(_heading(names, actor_id, words))]
    parts += [Text(_told(group, names)) for group in groups]
    parts += _paging(found, actor_id, words, before)
    parts.append(Note(line("All of it: whoever runs lapsebot can export it.")))
    return Message(tuple(parts))


def _heading(names: Mapping[UUID, str], actor_id: PersonId | None, words: str) -> Line:
    by = f" by {names.get(actor_id, 'somebody')}" if actor_id is not None else ""
    about = f" with “{shown(words, 40)}”" if words else ""
    return line(Bold("Changes"), f"{by}{about}, the latest first")


def _paging(found: LogPage, actor_id: PersonId | None, words: str, before: datetime | None) -> list[Part]:
    carried = f"{to_wire(actor_id) if actor_id is not None else _NOBODY} {words}"
    older = found.next_before
    position = (older - _EPOCH) // _MICROSECOND if older is not None else 0
    following = admin_list_action(AUDIT, position, carried) if position else None
    newest = admin_list_action(AUDIT, 0, carried) if before is not None else None
    if following is None and newest is None:
        return (
            [text("There is more, further back: say more about what you are looking for.")] if older is not None else []
        )
    return [Paging("newest · older", newest, following)]


def _together(entries: Sequence[AuditEntry]) -> list[list[AuditEntry]]:
    """What was written by one act, of which there may be hundreds of entries: a transfer of all of a client's."""
    groups: dict[tuple[datetime, PersonId | None, str, str], list[AuditEntry]] = {}
    for one in entries:
        groups.setdefault((one.at, one.actor_id, one.origin, one.action), []).append(one)
    return list(groups.values())


def _told(group: Sequence[AuditEntry], names: Mapping[UUID, str]) -> Line:
    """One act: "Mon 14:00 · Ada King · connection transferred · Acme DE · to Ana Ruiz · chatter T1/U1"."""
    one = group[0]
    who = names.get(one.actor_id, "somebody") if one.actor_id is not None else "lapsebot"
    what = one.action.replace(".", " ").replace("_", " ")
    subjects = list(dict.fromkeys(_readable(each.subject, names) for each in group[:_NAMED]))
    if len(group) > _NAMED:
        subjects.append(f"{len(group) - _NAMED:,} more")
    details = [
        f"{key.replace('_', ' ')} {readable}"
        for key, value in one.detail.items()
        if all(each.detail.get(key) == value for each in group)
        and (readable := _readable(value, names)) not in ("", *subjects)
    ]
    rest = [part for part in (listed(subjects), *details, one.origin) if part]
    return (Moment(one.at), Plain(" · "), Bold(shown(who)), Plain(f" · {what} · {shown(' · '.join(rest), 300)}"))


def _readable(written: str, names: Mapping[UUID, str]) -> str:
    """With the names of what ids stand for, where they are known."""

    def name(match: re.Match[str]) -> str:
        try:
            return names.get(from_wire(match[0]), match[0])
        except ValueError:
            return match[0]

    for noun in ("connection ", "person ", "lapse "):
        if written.startswith(noun) and _WIRE.sub(name, written) != written:
            return _WIRE.sub(name, written.removeprefix(noun))
    return _WIRE.sub(name, written)


async def _names(
    uow: UnitOfWork, asker: Asker, entries: Sequence[AuditEntry], actor_id: PersonId | None
) -> Mapping[UUID, str]:
    """The names of the people, accounts and lapses that the entries speak of, in a fixed number of statements."""
    spoken = {
        from_wire(match)
        for one in entries
        for written in (one.subject, *one.detail.values())
        for match in _WIRE.findall(written)
        if _is_wire(match)
    }
    people = {PersonId(one) for one in spoken} | {one.actor_id for one in entries if one.actor_id is not None}
    found = await uow.people.many(asker.organization_id, [*people, *([actor_id] if actor_id is not None else [])])
    names: dict[UUID, str] = {person_id: named(person.name) for person_id, person in found.items()}
    left = [one for one in spoken if one not in names]
    for view in await uow.connections.views(asker.organization_id, [ConnectionId(one) for one in left]):
        names[view.connection.id] = named(view.connection.account_name)
    for view in await uow.lapses.views(asker.organization_id, [LapseId(one) for one in left if one not in names]):
        if view.lapse is not None:
            names[view.lapse.id] = named(view.connection.account_name)
    return names


def _is_wire(word: str) -> bool:
    try:
        from_wire(word)
    except ValueError:
        return False
    return True
