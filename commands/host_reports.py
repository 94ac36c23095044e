"""What the host product reports of connections that it holds itself: lapsed, restored, gap filled (D-7, X-9).

Each report counts once, by the host's own id of it. Reports may arrive in any order: of two about one connection the
later one in time holds, whichever came first.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from commands.auditing import Actor, entry
from commands.causes import SAID_LIMIT
from commands.ids import ConnectionId, LapseId, PersonId, new_id, to_wire
from commands.model import CLEAR_LAPSES, ConnectionState, ConnectionView, Evidence, Lapse, LapseEnd, Verdict
from commands.ports.events import Event, EventKind
from commands.ports.hosting import GapFilled
from commands.ports.network import NetworkKind, NetworkSpec
from commands.ports.storage import Storage, UnitOfWork
from commands.wording import shown

AHEAD = timedelta(minutes=5)
"""How far ahead of ours the host's clock may be."""
LONGEST_AGO = timedelta(days=366)
CHECK = "host report"
"""What evidence names as the check."""


class ReportKind(StrEnum):
    """What can be reported."""

    LAPSED = "lapsed"
    RESTORED = "restored"
    GAP_FILLED = "gap_filled"


class ReportOutcome(StrEnum):
    """What became of a report."""

    OPENED = "opened"
    CHANGED = "changed"
    """A lapse was open already; its reason is the new one."""
    ENDED = "ended"
    FILLED = "filled"
    UNCHANGED = "unchanged"
    """It says what is so already."""
    OUTDATED = "outdated"
    """A report of a later time came before it; nothing was changed."""


class ReportRefused(Exception):
    """A report that cannot be taken. The message says why, and what to do; nothing was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One report, its fields checked for their form."""

    event_id: str
    """The host's own id of it: sent again, it changes nothing."""
    kind: ReportKind
    at: datetime
    """When it happened at the host."""
    connection_id: ConnectionId | None = None
    network: str = ""
    account_id: str = ""
    """With `network`, in place of the connection's id."""
    lapse_id: LapseId | None = None
    """Which lapse's gap; None: that of the connection's last one that ended."""
    reason: str = ""
    """In plain words, for people."""
    cause: Verdict = Verdict.REPORTED
    by_email: str = ""
    """Who restored it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of a report."""

    outcome: ReportOutcome
    is_repeat: bool = False
    """It had been taken before; this is what became of it then."""


def checked_cause(word: str) -> Verdict:
    """A cause by its name; none is "reported". Raises ReportRefused."""
    if not word:
        return Verdict.REPORTED
    causes = {cause.value: cause for cause in CLEAR_LAPSES}
    if word not in causes:
        raise ReportRefused(f"cause must be one of {', '.join(sorted(causes))}, or left out")
    return causes[word]


async def take_report(
    storage: Storage, caller: Actor, report: Report, *, specs: Mapping[str, NetworkSpec], now: datetime
) -> Taken:
    """Take one report in, in one transaction. Raises ReportRefused, having written nothing."""
    if report.at > now + AHEAD:
        raise ReportRefused("at is in the future; look at the clock of the machine that reports")
    if report.at < now - LONGEST_AGO:
        raise ReportRefused("at is more than a year ago")
    async with storage.transaction() as uow:
        before = await uow.host_reports.begin(caller.organization_id, report.event_id, now)
        if before is not None:
            return Taken(outcome=ReportOutcome(before), is_repeat=True)
        view = await _view(uow, caller, report)
        taking = _Taking(uow=uow, caller=caller, report=report, view=view, now=now)
        if report.kind is ReportKind.GAP_FILLED:
            outcome = await taking.gap_filled()
        else:
            _held_by_host(view, specs)
            outcome = await taking.state()
        await uow.host_reports.finish(caller.organization_id, report.event_id, outcome.value)
    return Taken(outcome=outcome)


async def _view(uow: UnitOfWork, caller: Actor, report: Report) -> ConnectionView:
    organization_id = caller.organization_id
    if report.connection_id is not None:
        view = await uow.connections.view(organization_id, report.connection_id)
    elif report.network and report.account_id:
        found = await uow.connections.of_accounts(organization_id, report.network, [report.account_id])
        view = found[0] if found else None
    else:
        raise ReportRefused("say which connection: its id, or network and account_id")
    if view is None:
        raise ReportRefused("there is no such connection here; add it first, with POST /connections")
    return view


def _held_by_host(view: ConnectionView, specs: Mapping[str, NetworkSpec]) -> None:
    spec = specs.get(view.connection.network)
    if spec is None or spec.kind is not NetworkKind.HOSTED:
        name = spec.name if spec is not None else view.connection.network
        raise ReportRefused(f"lapsebot watches {name} itself; only connections that you hold are reported")
    if view.connection.state is ConnectionState.RETIRED:
        raise ReportRefused("this connection is retired; nothing is watched or told of it")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taking:
    """One report being written down, in its transaction."""

    uow: UnitOfWork
    caller: Actor
    report: Report
    view: ConnectionView
    now: datetime

    async def state(self) -> ReportOutcome:
        """Open or end a lapse, unless a later report did."""
        connection = self.view.connection
        if not await self.uow.host_reports.advance(connection.organization_id, connection.id, self.report.at):
            return ReportOutcome.OUTDATED
        # Read again: from here on no other report about this connection is taken until this one is written.
        view = await self.uow.connections.view(connection.organization_id, connection.id) or self.view
        if self.report.kind is ReportKind.LAPSED:
            return await self._lapsed(view)
        return await self._restored(view)

    async def _lapsed(self, view: ConnectionView) -> ReportOutcome:
        connection, report = view.connection, self.report
        evidence = Evidence(check=CHECK, said=shown(report.reason, SAID_LIMIT))
        if view.lapse is not None:
            return await self._changed(view.lapse, evidence)
        lapse = Lapse(
            id=LapseId(new_id(self.now)),
            organization_id=connection.organization_id,
            connection_id=connection.id,
            authorization_id=connection.authorization_id,
            cause=report.cause,
            evidence=evidence,
            last_good_at=min(connection.last_good_at, report.at) if connection.last_good_at else None,
            opened_at=report.at,
        )
        if not await self.uow.lapses.open(lapse):
            return ReportOutcome.UNCHANGED
        await self.uow.connections.set_state(connection.organization_id, connection.id, ConnectionState.LAPSED)
        await self._record(EventKind.LAPSE_OPENED, lapse)
        return ReportOutcome.OPENED

    async def _changed(self, lapse: Lapse, evidence: Evidence) -> ReportOutcome:
        if (lapse.cause, lapse.evidence.said) == (self.report.cause, evidence.said):
            return ReportOutcome.UNCHANGED
        changed = replace(lapse, cause=self.report.cause, evidence=evidence)
        await self.uow.lapses.update_cause(changed)
        await self._record(EventKind.LAPSE_CHANGED, changed)
        return ReportOutcome.CHANGED

    async def _restored(self, view: ConnectionView) -> ReportOutcome:
        connection, at = view.connection, self.report.at
        organization_id = connection.organization_id
        await self.uow.connections.record_check(organization_id, connection.id, good_at=at, doubt=None)
        if view.lapse is None:
            changed = await self.uow.connections.set_state(organization_id, connection.id, ConnectionState.ACTIVE)
            return ReportOutcome.ENDED if changed else ReportOutcome.UNCHANGED
        by = await self._by()
        ended = await self.uow.lapses.end(
            organization_id,
            connection.id,
            at=max(at, view.lapse.opened_at),
            how=LapseEnd.RECOVERED if by is None else LapseEnd.RECONNECTED,
            by=by,
        )
        await self.uow.connections.set_state(organization_id, connection.id, ConnectionState.ACTIVE)
        if ended is None:
            return ReportOutcome.UNCHANGED
        await self._record(EventKind.LAPSE_ENDED, ended, by)
        return ReportOutcome.ENDED

    async def gap_filled(self) -> ReportOutcome:
        """Note that what was missing has been fetched."""
        lapse = await self._lapse_of_gap()
        filled = GapFilled(
            lapse_id=lapse.id,
            organization_id=lapse.organization_id,
            at=self.report.at,
            note=shown(self.report.reason, SAID_LIMIT),
        )
        if not await self.uow.host_reports.fill(filled):
            return ReportOutcome.UNCHANGED
        await self._audit("gap.filled", f"lapse {to_wire(lapse.id)}")
        return ReportOutcome.FILLED

    async def _lapse_of_gap(self) -> Lapse:
        connection = self.view.connection
        if self.report.lapse_id is not None:
            lapse = await self.uow.lapses.get(connection.organization_id, self.report.lapse_id)
        else:
            lapse = await self.uow.lapses.last_ended(connection.organization_id, connection.id)
        if lapse is None or lapse.connection_id != connection.id:
            raise ReportRefused("this connection has no such lapse")
        if lapse.ended_at is None:
            raise ReportRefused("this lapse is still open; a gap can be filled once it has ended")
        return lapse

    async def _by(self) -> PersonId | None:
        if not self.report.by_email:
            return None
        person = await self.uow.people.by_email(self.caller.organization_id, self.report.by_email.lower())
        return person.id if person is not None else None

    async def _record(self, kind: EventKind, lapse: Lapse, by: PersonId | None = None) -> None:
        await self.uow.notices.record([Event.of_lapse(kind, lapse, self.now, by=by)])
        await self._audit(f"host.{self.report.kind.value}", f"connection {to_wire(lapse.connection_id)}")

    async def _audit(self, action: str, subject: str) -> None:
        at = self.report.at.isoformat(timespec="seconds")
        detail = {"report": self.report.event_id, "at": at}
        await self.uow.audit.write(entry(self.caller, self.now, action, subject, **detail))
