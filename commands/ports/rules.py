"""What is remembered of an organization's rules, its people's preferences and its drills."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from commands.ids import DrillId, OrganizationId, PersonId
from commands.model import Drill, Preference
from commands.rules import RuleSet


class RuleSets(Protocol):
    """What organizations changed of the rules for notices."""

    async def all(self, organization_id: OrganizationId) -> Sequence[RuleSet]:
        """That for every network first, then by network."""
        ...

    async def put(self, rule_set: RuleSet) -> None:
        """Write what is changed for one network, or for all; fields that are None go back to what they would be
        without.
        """
        ...


class Preferences(Protocol):
    """How often people want to hear (N-16)."""

    async def of(self, organization_id: OrganizationId, person_ids: Sequence[PersonId]) -> Sequence[Preference]: ...

    async def put(self, organization_id: OrganizationId, preference: Preference) -> bool:
        """Write a preference in place of the one for the same topic, network and client. False if it was that
        already.
        """
        ...


class Drills(Protocol):
    """Fire drills (X-12)."""

    async def add(self, drill: Drill) -> bool:
        """False, and nothing is written, while another drill of the organization has not been reported."""
        ...

    async def get(self, organization_id: OrganizationId, drill_id: DrillId) -> Drill | None: ...

    async def latest(self, organization_id: OrganizationId) -> Drill | None: ...

    async def answer(
        self, organization_id: OrganizationId, drill_id: DrillId, person_id: PersonId, at: datetime
    ) -> bool:
        """Note that somebody confirmed that they heard. False if they had already."""
        ...

    async def answers(self, organization_id: OrganizationId, drill_id: DrillId) -> dict[PersonId, datetime]:
        """Who confirmed, and when."""
        ...

    async def reported(self, organization_id: OrganizationId, drill_id: DrillId, at: datetime) -> bool:
        """Close a drill. False if another process did."""
        ...
