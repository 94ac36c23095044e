"""Accounts of Google Ads as a login reaches them: directly, or through the manager accounts that they are linked under.

A part of `google_ads`, not a network of its own: it has no SPEC, and asks nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from commands.errors import NetworkError
from commands.model import Evidence, Finding, Parent, Verdict
from commands.ports.network import Expected, ReachedAccount
from platform_adapters.networks.answers import (
    Reply,
    healthy,
    log_unknown,
    malformed,
    number,
    part,
    rows,
    text,
)

CUSTOMER, CLIENTS = "customer", "customer_client"
"""Resources of the query language, and the names of the checks."""

_STATUSES: Mapping[str, Verdict] = {
    "ENABLED": Verdict.HEALTHY,
    "CANCELED": Verdict.ACCOUNT_DISABLED,
    "SUSPENDED": Verdict.ACCOUNT_DISABLED,
    "CLOSED": Verdict.ACCOUNT_GONE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """An account as Google Ads lists it."""

    id: str
    name: str
    manager: bool
    status: str
    level: int = 0
    """How far below the manager account that listed it."""

    @property
    def finding(self) -> Finding:
        """What its status says."""
        verdict = _STATUSES.get(self.status, Verdict.UNCLEAR)
        if verdict is Verdict.UNCLEAR:
            log_unknown("Google Ads", CUSTOMER, "status", self.status)
        evidence = Evidence(check=CUSTOMER, code=None if verdict is Verdict.HEALTHY else self.status or "malformed")
        return Finding(verdict=verdict, evidence=evidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance:
    """An account that the login may enter directly, and, if it is a manager account, what is linked under it."""

    id: str
    itself: Customer | None = None
    clients: Mapping[str, Customer] = field(default_factory=dict)
    refused: Finding | None = None
    """Why it cannot be entered after all: a cancelled account is listed and then refused."""

    @property
    def parent(self) -> Parent:
        return Parent(id=self.id, name=(self.itself.name if self.itself else "") or self.id)


def home(item: Expected) -> str:
    """The entrance that an account was connected through."""
    return item.parent.id if item.parent is not None else item.account_id


def as_before(item: Expected, entrances: Iterable[Entrance]) -> Finding | None:
    """What is to be said of an account at the entrance that it was connected through; None where it is not there."""
    for entrance in entrances:
        if entrance.id != home(item):
            continue
        if entrance.refused is not None:
            return entrance.refused
        there = entrance.clients.get(item.account_id) if item.parent is not None else entrance.itself
        return there.finding if there is not None else None
    return None


def elsewhere(item: Expected, entrances: Sequence[Entrance]) -> Finding | None:
    """What is to be said of an account that the login reaches another way than before; None where it does not."""
    ways = [entrance for entrance in entrances if item.account_id in entrance.clients]
    if ways:
        nearest = min(ways, key=lambda entrance: entrance.clients[item.account_id].level)
        if item.parent is None:
            return nearest.clients[item.account_id].finding
        evidence = Evidence(check=CLIENTS, moved_to=nearest.parent)
        return Finding(verdict=Verdict.ACCOUNT_MOVED, evidence=evidence)
    direct = any(entrance.id == item.account_id and entrance.itself is not None for entrance in entrances)
    return Finding(verdict=Verdict.ACCOUNT_MOVED, evidence=Evidence(check=CUSTOMER)) if direct else None


def reached_accounts(entrances: Sequence[Entrance]) -> Iterator[ReachedAccount]:
    """Each account once, under the manager account nearest to it; manager accounts themselves are none."""
    nearest: dict[str, tuple[Customer, Parent]] = {}
    for entrance in entrances:
        for client in entrance.clients.values():
            known = nearest.get(client.id)
            if not client.manager and (known is None or client.level < known[0].level):
                nearest[client.id] = (client, entrance.parent)
    for client, parent in nearest.values():
        yield ReachedAccount(account_id=client.id, name=client.name, parent=parent, finding=client.finding)
    for entrance in entrances:
        one = entrance.itself
        if entrance.id in nearest or (one is not None and one.manager):
            continue
        finding = one.finding if one is not None else entrance.refused or healthy(CUSTOMER)
        yield ReachedAccount(account_id=entrance.id, name=entrance.parent.name, parent=None, finding=finding)


def customers_in(reply: Reply, resource: str) -> Sequence[Customer]:
    """The rows of an answer. Raises NetworkError where it is not one; an answer without rows has no list of them."""
    if not isinstance(reply.body.get("results"), list) and not text(reply.body, "fieldMask"):
        raise NetworkError(malformed(reply))
    told = [part(row, resource) for row in rows(reply.body, "results")]
    if not all(text(row, "id") for row in told):
        raise NetworkError(malformed(reply))
    return [
        Customer(
            id=text(row, "id"),
            name=text(row, "descriptiveName") or text(row, "id"),
            manager=row.get("manager") is True,
            status=text(row, "status"),
            level=int(number(row, "level") or 0),
        )
        for row in told
    ]
