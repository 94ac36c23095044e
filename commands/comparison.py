"""What a login brought back, held against what was expected of it.

Pure: nothing is asked and nothing is written, so that it can be done before anything is (R-16). Accounts are compared,
not persons: who is at the page was settled by the sign-in, and what their login reaches is settled here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from commands.model import Connection, ConnectionState, Parent, Verdict
from commands.ports.network import Discovery, NetworkSpec, Permission, ReachedAccount


class AccountResult(StrEnum):
    """What became of one account."""

    RESTORED = "restored"
    """Reached under the business expected, and proved readable."""
    MISSING_PERMISSION = "missing_permission"
    NOT_REACHED = "not_reached"
    """This login does not show it. That says nothing of the account itself."""
    MOVED = "moved"
    """Reached, but it is under another business than the one it was connected under."""
    DISABLED = "disabled"
    UNREADABLE = "unreadable"
    """Reached, but refused for another reason; the verdict tells which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountOutcome:
    """One connection beside what the login showed of it."""

    connection: Connection
    result: AccountResult
    verdict: Verdict
    """What the network said of the account; ACCOUNT_GONE where the login does not show it."""
    reached: ReachedAccount | None = None
    missing: tuple[str, ...] = ()
    """Labels of the permissions that reading it lacks."""
    moved_to: Parent | None = None

    @property
    def proved(self) -> bool:
        """Whether the account can be read with this login."""
        return self.result is AccountResult.RESTORED

    @property
    def needed(self) -> bool:
        """Whether the connection was waiting for this login, rather than working all along."""
        return self.connection.state is not ConnectionState.ACTIVE


class ComparisonKind(StrEnum):
    """What the login comes to, for those that waited for it."""

    RESTORED = "restored"
    PARTIAL = "partial"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A login beside all that was expected of it."""

    same_login: bool
    """It is the login that the authorization was made with."""
    expected: tuple[AccountOutcome, ...]
    joining: tuple[AccountOutcome, ...]
    """Further connections that were waiting and that this login happens to reach; all of them proved."""
    granted: tuple[str, ...]
    missing: tuple[str, ...]
    """Labels of required permissions, granted and not."""

    @property
    def proved(self) -> tuple[AccountOutcome, ...]:
        """All that can be read with this login."""
        return tuple(outcome for outcome in (*self.expected, *self.joining) if outcome.proved)

    @property
    def waiting(self) -> tuple[AccountOutcome, ...]:
        """Those that this login was made for; where all worked, the one that was asked for."""
        return tuple(outcome for outcome in self.expected if outcome.needed) or self.expected[:1]

    @property
    def concerned(self) -> tuple[AccountOutcome, ...]:
        """Those whose outcome counts: another login leaves alone what works with the old one."""
        return self.expected if self.same_login else self.waiting

    @property
    def kind(self) -> ComparisonKind:
        """NOTHING where none of those is proved that waited for this login; RESTORED where all concerned are."""
        if not any(outcome.proved for outcome in self.waiting):
            return ComparisonKind.NOTHING
        whole = all(outcome.proved for outcome in self.concerned)
        return ComparisonKind.RESTORED if whole else ComparisonKind.PARTIAL

    @property
    def wrong_login(self) -> bool:
        """Whether this is another login than before, and reaches nothing of what was expected (R-6)."""
        return not self.same_login and all(o.result is AccountResult.NOT_REACHED for o in self.expected)


def compare(
    spec: NetworkSpec,
    discovery: Discovery,
    *,
    subject_id: str | None,
    expected: Sequence[Connection],
    optional: Sequence[Connection] = (),
) -> Comparison:
    """Hold a login against what was expected.

    `subject_id` is who logged in last time, None for a first connecting. `expected` are the connections that this login
    should reach, the one that was asked for foremost; `optional` are others that wait for some login, and join if this
    one proves them.
    """
    granted, missing = granted_and_missing(spec, discovery)
    reached = {account.account_id: account for account in discovery.accounts}
    named = {connection.id for connection in expected}
    joining = (_outcome(c, reached.get(c.account_id), missing) for c in optional if c.id not in named)
    return Comparison(
        same_login=subject_id is not None and subject_id == discovery.subject_id,
        expected=tuple(_outcome(c, reached.get(c.account_id), missing) for c in expected),
        joining=tuple(outcome for outcome in joining if outcome.proved),
        granted=granted,
        missing=missing,
    )


def granted_and_missing(spec: NetworkSpec, discovery: Discovery) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Labels of the permissions that reading needs: those that this login gave, and those that it did not."""
    granted = tuple(p.label for p in spec.permissions if _granted(p, discovery))
    return granted, tuple(p.label for p in spec.permissions if p.label not in granted)


def _granted(permission: Permission, discovery: Discovery) -> bool:
    return not permission.satisfied_by.isdisjoint(discovery.granted)


_RESULTS = {
    Verdict.PERMISSION_MISSING: AccountResult.MISSING_PERMISSION,
    Verdict.ACCOUNT_GONE: AccountResult.NOT_REACHED,
    Verdict.ACCOUNT_MOVED: AccountResult.MOVED,
    Verdict.ACCOUNT_DISABLED: AccountResult.DISABLED,
}


def _outcome(connection: Connection, reached: ReachedAccount | None, missing: tuple[str, ...]) -> AccountOutcome:
    if reached is None:
        return AccountOutcome(
            connection=connection, result=AccountResult.NOT_REACHED, verdict=Verdict.ACCOUNT_GONE, missing=missing
        )
    evidence = reached.finding.evidence
    verdict = reached.finding.verdict
    result = _RESULTS.get(verdict, AccountResult.UNREADABLE)
    moved_to = evidence.moved_to
    if verdict is Verdict.HEALTHY:
        result = AccountResult.RESTORED
        if elsewhere(connection, reached):
            result, verdict, moved_to = AccountResult.MOVED, Verdict.ACCOUNT_MOVED, reached.parent
        elif (
            missing
        ):  # nothing is called restored on a grant that lacks what reading needs, whatever one call said
            result, verdict = AccountResult.MISSING_PERMISSION, Verdict.PERMISSION_MISSING
    return AccountOutcome(
        connection=connection,
        result=result,
        verdict=verdict,
        reached=reached,
        missing=tuple(dict.fromkeys((*missing, *evidence.missing))),
        moved_to=moved_to if result is AccountResult.MOVED else None,
    )


def elsewhere(connection: Connection, reached: ReachedAccount) -> bool:
    """Whether both businesses are known, and differ."""
    return connection.parent is not None and reached.parent is not None and connection.parent.id != reached.parent.id
