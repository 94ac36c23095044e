"""The words for an account that moved: which business it left for, and who here is connected through that one (X-2)."""

from commands.drawing import Identities, mention, separated
from commands.messages import Bold, Code, Line, line
from commands.model import Parent
from commands.moves import Move
from commands.ports.network import NetworkSpec
from commands.wording import named, shown


def business(parent: Parent) -> Line:
    """A business by its name, with its id to copy."""
    return line(Bold(named(parent.name)), " (", Code(shown(parent.id)), ")")


def where_to(spec: NetworkSpec | None, network: str, came_from: Parent | None, to: Parent | None) -> Line:
    """Which business it left for; where the network does not tell, just that."""
    label = spec.parent_label if spec is not None and spec.parent_label else "business"
    if to is None:
        return line(f"{network} does not say which {label} it is in now; whoever runs the account there can say.")
    left = line(f"It left the {label} ", *business(came_from), " for ") if came_from is not None else ()
    return (*(left or line(f"It is now in the {label} ")), *business(to), *line("."))


def whom_to_ask(move: Move, identities: Identities) -> Line:
    """Who is connected through the new business, as far as the reader may see; nothing where it is not known."""
    if move.to is None:
        return ()
    if not move.holders:
        return line("Nobody that you could ask is connected through it yet.")
    people = separated([line(mention(person, identities)) for person in move.holders], ", ")
    return line("Connected through it already: ", *people, ".")


def what_next(move: Move) -> Line:
    """What can be done now, besides asking."""
    if move.accepted:
        name = named(move.to.name) if move.to is not None else "its new business"
        return line(f"The move was accepted: a login of {name} brings it back.")
    if move.may_accept:
        return line("If the move was meant, accept it; if not, move the account back.")
    return line("If the move was meant, an administrator here can accept it; if not, move the account back.")
