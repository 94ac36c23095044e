"""Which account is meant: the one that was named, or, of several that match, one to be chosen."""

from collections.abc import Callable, Sequence

from commands import usage
from commands.command import Asker, Services
from commands.drawing import connection_row
from commands.errors import CommandError
from commands.handlers.seeing import accounts_called
from commands.ids import ConnectionId
from commands.messages import ActionRef, Bold, Button, Heading, Message, Part, Rows, Text, line, text
from commands.model import ConnectionView
from commands.parsing import Arguments, LapsedQuery, Show, network_names, unknown
from commands.ports.storage import UnitOfWork
from commands.usage import try_line
from commands.wording import shown

RowAction = Callable[[ConnectionId], ActionRef]
CHOICES = 8  # accounts to choose among before more of the name is asked for


async def called(
    uow: UnitOfWork,
    services: Services,
    asker: Asker,
    query: LapsedQuery,
    arguments: Arguments,
    *,
    limit: int,
    example: usage.Example,
) -> Sequence[ConnectionView]:
    """The accounts that a query names; at least one. Raises CommandError where it names none."""
    if query.account is None:
        raise CommandError(
            Message((text("Which account? Type its id, or part of its name."), Text(try_line(arguments, example))))
        )
    found = await accounts_called(uow, asker, query.account, network=query.network, client=query.client, limit=limit)
    if not found:
        known = (*network_names(services.networks), *Show)
        raise unknown(arguments, usage.LAPSED.here(services.networks), query.account, known, noun="an account ")
    return found


def which(
    services: Services, found: Sequence[ConnectionView], query: LapsedQuery, label: str, action: RowAction
) -> Message:
    """Ask which of several is meant; each row's button goes on with it."""
    now = services.clock.now()
    rows = tuple(
        connection_row(view, services.networks, now, button=Button(label, action(view.connection.id)))
        for view in found[:CHOICES]
    )
    parts: list[Part] = [Heading(line("Which one? ", Bold(f"“{shown(query.account or '', 40)}”"), " matches several."))]
    parts.append(Rows(rows))
    if len(found) > CHOICES:
        parts.append(text("And more: type more of the name, or the account's id."))
    return Message(tuple(parts))
