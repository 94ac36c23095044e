"""An organization's rules for notices: defaults, what it changed for all networks, what it changed for one.

Rules are data: an administrator changes them while the bot runs.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from commands.ids import OrganizationId
from commands.ports.network import Grouping, NetworkSpec

REMINDER_DAYS = (2, 7, 12, 17, 22)
"""Days after the first notice on which connector and owner are reminded (N-6); the last one copies administrators."""
RESTART_DAY = 27
"""Day on which the series starts over with a first notice."""
WARNING_DAYS = (14, 7, 3, 1)
"""Days before a known end on which people are warned (D-2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadence:
    """When reminders of a lapse come, in days after its first notice."""

    days: tuple[int, ...] = REMINDER_DAYS
    """Rising, each at least 1; empty: no reminders."""
    restart: int | None = RESTART_DAY
    """Later than the last of `days`; None: the series ends there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """What an organization changed, for one network or for all. None: as it would be without."""

    organization_id: OrganizationId
    network: str | None
    """None: every network."""
    grouping: Grouping | None = None
    cadence: Cadence | None = None
    warning_days: tuple[int, ...] | None = None
    """Falling, each at least 1; empty: no warnings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The rules that hold for one network of one organization."""

    grouping: Grouping
    cadence: Cadence
    warning_days: tuple[int, ...]


def rules_for(network: str, spec: NetworkSpec | None, changed: Iterable[RuleSet]) -> Rules:
    """Lay what was changed over the defaults: the network's own rule, else that for every network, else the default.
    `spec` is None for a network that is not configured here.
    """
    sets = {rule_set.network: rule_set for rule_set in changed}
    layers = [one for one in (sets.get(network), sets.get(None)) if one is not None]
    grouping = next((one.grouping for one in layers if one.grouping is not None), None)
    cadence = next((one.cadence for one in layers if one.cadence is not None), None)
    warning_days = next((one.warning_days for one in layers if one.warning_days is not None), None)
    return Rules(
        grouping=grouping or (spec.grouping if spec is not None else Grouping.EACH),
        cadence=cadence or Cadence(),
        warning_days=WARNING_DAYS if warning_days is None else warning_days,
    )
