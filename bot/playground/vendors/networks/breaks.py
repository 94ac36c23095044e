"""The ways in which a connection stops working at the network, each with its repair.

A break is made by name with a few arguments and returns the closure that undoes it. What the network then answers is
the network file's business: a break only changes the `World` (or sets a fault up).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count
from typing import TypeVar

from .faults import Fault, FaultDesk, FaultKind
from .wire import NetworkWire
from .world import AdAccount, Grant, IssuerMode, World

Repair = Callable[[], None]
Arguments = Mapping[str, object]


class BreakKind(StrEnum):
    """What happens at the network. The faults of `FaultKind` can be asked for by name as well."""

    REVOKE_GRANT = "revoke_grant"
    """The person removes the app. grant"""
    EXPIRE_GRANT = "expire_grant"
    """Every token of the grant is past its time. grant; only=access leaves refresh tokens alive"""
    EXPIRE_DATA_ACCESS = "expire_data_access"
    """The token lives on and returns nothing (Meta). grant"""
    CHANGE_PASSWORD = "change_password"
    """profile"""
    BLOCK_PROFILE = "block_profile"
    """A checkpoint stands before the person. profile"""
    UNTICK_PERMISSION = "untick_permission"
    """The person takes one permission back. grant, permission"""
    DROP_ACCOUNT = "drop_account"
    """The person takes one account out of the grant. grant, account"""
    LOWER_ROLE = "lower_role"
    """account, profile, role (left out: none)"""
    LOWER_BUSINESS_ROLE = "lower_business_role"
    """business, profile, role (left out: none)"""
    MOVE_ACCOUNT = "move_account"
    """account, business; keep_access=false takes the roles on the account away as well"""
    DELETE_ACCOUNT = "delete_account"
    """account"""
    DISABLE_ACCOUNT = "disable_account"
    """account; status: the network's own word or number, else its usual one for disabled"""
    WRONG_SECRET = "wrong_secret"
    """The app's secret is another than its owner believes. app (left out: the only one)"""
    FALSE_REVOKED = "false_revoked"
    """Young tokens are called revoked although they are not (LinkedIn). seconds"""
    WRONG_ISSUER = "wrong_issuer"
    """The callback names another issuer."""


class BadBreak(Exception):
    """The break cannot be made as asked; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """A break that stands."""

    id: str
    kind: str
    arguments: dict[str, object]
    repair: Repair
    grants: tuple[Grant, ...] = ()
    """The grants that the person just removed, of which the network may send word."""


@dataclass(slots=True)
class _Made:
    repair: Repair
    grants: tuple[Grant, ...] = field(default=())


class BreakDesk:
    """Makes and repairs breaks in one network."""

    def __init__(self, wire: NetworkWire, faults: FaultDesk) -> None:
        self.standing: dict[str, Break] = {}
        self._wire = wire
        self._world: World = wire.world
        self._faults = faults
        self._numbers = count(1)
        self._makers: dict[BreakKind, Callable[[Arguments], _Made]] = {
            BreakKind.REVOKE_GRANT: self._revoke_grant,
            BreakKind.EXPIRE_GRANT: self._expire_grant,
            BreakKind.EXPIRE_DATA_ACCESS: self._expire_data_access,
            BreakKind.CHANGE_PASSWORD: self._change_password,
            BreakKind.BLOCK_PROFILE: self._block_profile,
            BreakKind.UNTICK_PERMISSION: self._untick_permission,
            BreakKind.DROP_ACCOUNT: self._drop_account,
            BreakKind.LOWER_ROLE: self._lower_role,
            BreakKind.LOWER_BUSINESS_ROLE: self._lower_business_role,
            BreakKind.MOVE_ACCOUNT: self._move_account,
            BreakKind.DELETE_ACCOUNT: self._delete_account,
            BreakKind.DISABLE_ACCOUNT: self._disable_account,
            BreakKind.WRONG_SECRET: self._wrong_secret,
            BreakKind.FALSE_REVOKED: self._false_revoked,
            BreakKind.WRONG_ISSUER: self._wrong_issuer,
        }

    def make(self, kind: str, arguments: Arguments) -> Break:
        """Break something. Raises `BadBreak` for an unknown kind or target."""
        if kind in set(FaultKind):
            made = self._fault(FaultKind(kind), arguments)
        elif kind in set(BreakKind):
            made = self._makers[BreakKind(kind)](arguments)
        else:
            raise BadBreak(f"unknown kind {kind!r}; known: {', '.join([*BreakKind, *FaultKind])}")
        entry = Break(
            id=f"b{next(self._numbers)}", kind=kind, arguments=dict(arguments), repair=made.repair, grants=made.grants
        )
        self.standing[entry.id] = entry
        return entry

    def repair(self, break_id: str) -> None:
        """Undo one break. Raises `BadBreak` when there is none of that id."""
        entry = self.standing.pop(break_id, None)
        if entry is None:
            raise BadBreak(f"no break {break_id!r}")
        entry.repair()

    def repair_all(self) -> None:
        """Undo every break, the newest first, so that overlapping ones end where they began."""
        for break_id in reversed(list(self.standing)):
            self.repair(break_id)

    def _fault(self, kind: FaultKind, arguments: Arguments) -> _Made:
        unknown = set(arguments) - {"endpoint", "times", "skip", "seconds", "size"}
        if unknown:
            raise BadBreak(f"a fault has no {', '.join(sorted(unknown))}")
        fault = Fault(kind=kind, **arguments)  # type: ignore[arg-type]  # names checked above, values are the caller's
        self._faults.standing.append(fault)

        def repair() -> None:
            self._faults.standing.remove(fault)

        return _Made(repair)

    def _revoke_grant(self, arguments: Arguments) -> _Made:
        family = [g for g in self._wire.family(_one(self._world.grants, arguments, "grant")) if g.revoked_at is None]
        for grant in family:
            grant.revoked_at = self._world.now()

        def repair() -> None:
            for grant in family:
                grant.revoked_at = None

        return _Made(repair, tuple(family))

    def _expire_grant(self, arguments: Arguments) -> _Made:
        grant = _one(self._world.grants, arguments, "grant")
        only = arguments.get("only")
        tokens = [t for t in self._world.tokens_of(grant.id) if only in (None, t.kind)]
        return _Made(_set_each(tokens, "expires_at", self._world.now()))

    def _expire_data_access(self, arguments: Arguments) -> _Made:
        grant = _one(self._world.grants, arguments, "grant")
        return _Made(_set_each([grant], "data_access_expires_at", self._world.now()))

    def _change_password(self, arguments: Arguments) -> _Made:
        profile = _one(self._world.profiles, arguments, "profile")
        grants = {grant.id for grant in self._world.grants.values() if grant.profile_id == profile.id}
        tokens = [token for token in self._world.tokens.values() if token.grant_id in grants]
        dated = _set_each([profile], "password_changed_at", self._world.now())
        outdated = _set_each(tokens, "outdated", True)

        def repair() -> None:
            outdated()
            dated()

        return _Made(repair)

    def _block_profile(self, arguments: Arguments) -> _Made:
        return _Made(_set_each([_one(self._world.profiles, arguments, "profile")], "blocked", True))

    def _untick_permission(self, arguments: Arguments) -> _Made:
        grant = _one(self._world.grants, arguments, "grant")
        permission = str(arguments.get("permission"))
        if permission not in grant.permissions:
            raise BadBreak(f"permission {permission!r} is not granted; granted: {', '.join(sorted(grant.permissions))}")
        grant.permissions.discard(permission)
        grant.declined.add(permission)

        def repair() -> None:
            grant.permissions.add(permission)
            grant.declined.discard(permission)

        return _Made(repair)

    def _drop_account(self, arguments: Arguments) -> _Made:
        grant = _one(self._world.grants, arguments, "grant")
        account: AdAccount = _one(self._world.accounts, arguments, "account")
        kept = {reached.id for reached in self._wire.reach(grant)} if grant.accounts is None else grant.accounts
        return _Made(_set_each([grant], "accounts", kept - {account.id}))

    def _lower_role(self, arguments: Arguments) -> _Made:
        account: AdAccount = _one(self._world.accounts, arguments, "account")
        profile = _one(self._world.profiles, arguments, "profile")
        return _Made(_set_each([account], "roles", {**account.roles, profile.id: str(arguments.get("role") or "")}))

    def _lower_business_role(self, arguments: Arguments) -> _Made:
        business = _one(self._world.businesses, arguments, "business")
        profile = _one(self._world.profiles, arguments, "profile")
        return _Made(_set_each([business], "roles", {**business.roles, profile.id: str(arguments.get("role") or "")}))

    def _move_account(self, arguments: Arguments) -> _Made:
        account: AdAccount = _one(self._world.accounts, arguments, "account")
        business = _one(self._world.businesses, arguments, "business")
        move = _set_each([account], "business_id", business.id)
        keep = _set_each([account], "roles", account.roles if arguments.get("keep_access", True) else {})

        def repair() -> None:
            keep()
            move()

        return _Made(repair)

    def _delete_account(self, arguments: Arguments) -> _Made:
        return _Made(_set_each([_one(self._world.accounts, arguments, "account")], "deleted", True))

    def _disable_account(self, arguments: Arguments) -> _Made:
        account: AdAccount = _one(self._world.accounts, arguments, "account")
        return _Made(_set_each([account], "status", str(arguments.get("status") or self._wire.disabled_status)))

    def _wrong_secret(self, arguments: Arguments) -> _Made:
        apps = self._world.apps
        only = arguments if "app" in arguments or len(apps) != 1 else {"app": next(iter(apps))}
        return _Made(_set_each([_one(apps, only, "app")], "secret", "another-secret-since"))

    def _false_revoked(self, arguments: Arguments) -> _Made:
        seconds = float(str(arguments.get("seconds", 300)))
        return _Made(_set_each([self._world.settings], "false_revoked_seconds", seconds))

    def _wrong_issuer(self, arguments: Arguments) -> _Made:
        return _Made(_set_each([self._world.settings], "issuer", IssuerMode.WRONG))


T = TypeVar("T")


def _one(known: Mapping[str, T], arguments: Arguments, name: str) -> T:
    found = known.get(str(arguments.get(name)))
    if found is None:
        raise BadBreak(f"no {name} {arguments.get(name)!r}")
    return found


def _set_each(targets: Sequence[object], name: str, value: object) -> Repair:
    before = [(target, getattr(target, name)) for target in targets]
    for target in targets:
        setattr(target, name, value)

    def repair() -> None:
        for target, old in before:
            setattr(target, name, old)

    return repair
