"""Accounts that moved to another business: where to, and who here is connected through that one (X-2)."""

from collections.abc import Iterable, Mapping

from bot.notices.letter import Entry, Letter
from bot.notices.phrases import people
from commands.access import move_accepted
from commands.ids import OrganizationId
from commands.messages import Line, line
from commands.model import ConnectionView, Person
from commands.moves import HOLDERS, moved_to
from commands.ports.storage import UnitOfWork
from commands.whereabouts import where_to
from commands.wording import named


async def connected_through(
    uow: UnitOfWork, organization_id: OrganizationId, views: Iterable[ConnectionView]
) -> Mapping[tuple[str, str], tuple[Person, ...]]:
    """Who is connected through the businesses that these accounts moved to, by network and business: nothing is asked
    where none moved, else a statement for each network, and one for the people.
    """
    wanted: dict[str, set[str]] = {}
    for view in views:
        to = moved_to(view)
        if to is not None:
            wanted.setdefault(view.connection.network, set()).add(to.id)
    found = {
        (network, parent): ids[:HOLDERS]
        for network, parents in sorted(wanted.items())
        for parent, ids in (await uow.connections.others_under(organization_id, network, sorted(parents))).items()
    }
    everybody = sorted({one for ids in found.values() for one in ids})
    known = await uow.people.many(organization_id, everybody) if everybody else {}
    return {key: tuple(known[one] for one in ids if one in known) for key, ids in found.items()}


def where_it_went(letter: Letter, entry: Entry) -> Line:
    """Which business it left for, and whom that leads to, as far as the reader may see."""
    view, to = entry.view, moved_to(entry.view)
    accepted = move_accepted(view)
    where = where_to(entry.spec, entry.spec.name, None if accepted else view.connection.parent, to)
    if to is None:
        return (*where, *line(" "))
    through = [one for one in letter.through.get((entry.spec.slug, to.id), ()) if not letter.is_reader(one.id)]
    is_are = "is" if len(through) == 1 else "are"
    ask = line(" ", *people(letter, through), f" {is_are} connected through it already.") if through else ()
    done = line(f" The move was accepted: a login of {named(to.name)} brings it back.") if accepted else ()
    return (*where, *ask, *done, *line(" "))
