"""How one reader's lapses are parted into notices. Pure."""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence

from commands.ids import AuthorizationId
from commands.model import ConnectionView
from commands.ports.network import Grouping, Networks

MOST_APART = 3
"""An authorization that takes more accounts down than this is told once, as a list (N-4)."""

Group = tuple[ConnectionView, ...]


def login_of(view: ConnectionView) -> AuthorizationId | None:
    """The authorization that a view's lapse is of; the connection itself may have moved to another since (R-16)."""
    return view.lapse.authorization_id if view.lapse is not None else view.connection.authorization_id


def group(views: Sequence[ConnectionView], networks: Networks) -> list[Group]:
    """Part what one reader is to hear into notices; every view is in exactly one, in the order given."""
    size = Counter(login_of(view) for view in views)
    groups: dict[Hashable, list[ConnectionView]] = {}
    for view in views:
        groups.setdefault(_key(view, size, networks), []).append(view)
    return [tuple(group) for group in groups.values()]


def beside(group: Group, views: Iterable[ConnectionView]) -> list[ConnectionView]:
    """The others of `views` that lapsed with the same authorization as a group of one, and are told beside it."""
    login = login_of(group[0])
    if len(group) != 1 or login is None:
        return []
    return [view for view in views if view is not group[0] and login_of(view) == login]


def _key(view: ConnectionView, size: Mapping[AuthorizationId | None, int], networks: Networks) -> Hashable:
    login = login_of(view)
    if login is not None and size[login] > MOST_APART:
        return login
    network = networks.get(view.connection.network)
    if network is not None and network.spec.grouping is Grouping.SUMMARY:
        return view.connection.network
    return view.connection.id
