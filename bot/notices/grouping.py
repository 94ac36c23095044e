"""How one reader's lapses are parted into notices, by each network's rules. Pure."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from commands.ids import AuthorizationId
from commands.model import ConnectionView
from commands.ports.network import Grouping
from commands.rules import Rules

MOST_APART = 3
"""An authorization that takes more accounts down than this is told once, as a list (N-4); and so is a network that
would have more notices than this for one reader at once.
"""

RulesFor = Callable[[str], Rules]
"""The rules that hold for a network, by its slug."""


@dataclass(frozen=True, slots=True)
class Group:
    """The views of one notice, never empty."""

    views: tuple[ConnectionView, ...]
    gathers: str | None = None
    """The network of which it gathers what would be too many notices; it may grow while more come in."""


def login_of(view: ConnectionView) -> AuthorizationId | None:
    """The authorization that a view's lapse is of; the connection itself may have moved to another since (R-16)."""
    return view.lapse.authorization_id if view.lapse is not None else view.connection.authorization_id


def group(
    views: Sequence[ConnectionView], rules: RulesFor, *, told_lately: Mapping[str, int] | None = None
) -> list[Group]:
    """Part what one reader is to hear into notices; every view is in exactly one, in the order given.

    `told_lately`: how many notices of a network the reader got a moment ago; they count as if they came now.
    """
    size = Counter(login_of(view) for view in views)
    parts: dict[Hashable, list[ConnectionView]] = {}
    for view in views:
        parts.setdefault(_key(view, size, rules), []).append(view)
    number = Counter(told_lately or {})
    number.update(part[0].connection.network for part in parts.values())
    groups: dict[Hashable, Group] = {}
    for key, part in parts.items():
        network = part[0].connection.network
        if number[network] <= MOST_APART:
            groups[key] = Group(tuple(part))
        else:
            gathered = groups.get(("gathered", network), Group(()))
            groups["gathered", network] = Group((*gathered.views, *part), network)
    return list(groups.values())


def beside(one: Group, views: Iterable[ConnectionView]) -> list[ConnectionView]:
    """The others of `views` that lapsed with the same authorization as a group of one, and are told beside it."""
    login = login_of(one.views[0])
    if len(one.views) != 1 or login is None:
        return []
    return [view for view in views if view is not one.views[0] and login_of(view) == login]


def _key(view: ConnectionView, size: Mapping[AuthorizationId | None, int], rules: RulesFor) -> Hashable:
    login = login_of(view)
    if login is not None and size[login] > MOST_APART:
        return login
    if rules(view.connection.network).grouping is Grouping.SUMMARY:
        return view.connection.network
    return view.connection.id
