"""The banner: one line with a button before a private answer, for whoever has something to mend (C-11)."""

from collections.abc import Awaitable
from dataclasses import replace
from typing import TypeVar

from commands.actions import ListView, list_action
from commands.command import Asker, Services
from commands.errors import CommandError
from commands.handlers.seeing import NotYours
from commands.messages import Button, Buttons, Mark, Message, Part, text
from commands.model import Scope
from commands.wording import number_of

A = TypeVar("A")
SHOW_THEM = "Show them"


async def under_banner(
    services: Services, asker: Asker, answering: Awaitable[A], *, only_refusals: bool = False
) -> A | Message:
    """Put the banner before an answer, or, with `only_refusals`, before a refusal, if something that the asker
    connected or owns is lapsed: one statement, from counters. What is no message stays as it is. Raises NotYours, since
    another organization of the asker's may have the row.
    """
    answer: A | Message
    try:
        answer = await answering
    except NotYours:
        raise
    except CommandError as refused:
        answer, only_refusals = refused.answer, False
    if only_refusals or not isinstance(answer, Message):
        return answer
    mine = Scope(client_ids=frozenset(), person_id=asker.person.id, within=asker.person.within)
    async with services.storage.reading() as uow:
        counts = await uow.connections.counts(asker.organization_id, mine)
    lapsed = sum(count.lapsed for count in counts)
    return replace(answer, parts=(*_banner(lapsed), *answer.parts)) if lapsed else answer


def _banner(lapsed: int) -> tuple[Part, ...]:
    are = "is" if lapsed == 1 else "are"
    words = text(f"{Mark.URGENT} {number_of(lapsed, 'account')} of yours {are} lapsed.")
    show = list_action(ListView(mine=True))
    return (words, Buttons((Button(SHOW_THEM, show),))) if show is not None else (words,)
