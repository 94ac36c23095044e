"""Having a connection checked now (D-8)."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from commands.ids import AuthorizationId, OrganizationId
from commands.ports.network import Expected


class CheckResult(StrEnum):
    """What became of a wish to have something checked. What the check found is in storage."""

    CHECKED = "checked"
    BUSY = "busy"
    """Somebody else is checking or reconnecting it this moment."""
    NOT_POSSIBLE = "not_possible"
    """Not from here, for a reason of ours: no credentials for its network, or tokens that cannot be read."""


class Checker(Protocol):
    """Asks a network about an authorization now, and writes down what it found."""

    async def check(self, organization_id: OrganizationId, authorization_id: AuthorizationId) -> CheckResult:
        """Probe and record; the caller reads the outcome from storage. Raises NotThere."""
        ...

    async def prove(
        self, organization_id: OrganizationId, authorization_id: AuthorizationId, accounts: Sequence[Expected]
    ) -> frozenset[str]:
        """Ask whether the login reaches accounts that do not hang on it: the ids of those that it can read. Writes
        nothing, and takes the stored tokens as they are: have it checked first. Raises NotThere.
        """
        ...
