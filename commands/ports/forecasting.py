"""What is read of consents whose end is known and still to come (X-7). Every call names the organization."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from commands.ids import AuthorizationId, ConnectionId, OrganizationId, PersonId
from commands.model import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class EndingLogin:
    """A login whose consent ends at a known time, with what works by it as far as the scope goes."""

    authorization_id: AuthorizationId
    network: str
    subject_name: str
    connector_id: PersonId
    connector_name: str
    connector_left: bool
    ends_at: datetime
    obtained_at: datetime
    generation: int
    """Grows with every change of the login."""
    connection_id: ConnectionId
    """One of its accounts: whoever renews it renews all."""
    accounts: int
    clients: tuple[str, ...]
    """By name."""


class Forecasts(Protocol):
    """Logins by the time at which they end."""

    async def ending(
        self,
        organization_id: OrganizationId,
        scope: Scope,
        *,
        after: datetime,
        before: datetime,
        person_id: PersonId | None = None,
        network: str | None = None,
        limit: int,
    ) -> Sequence[EndingLogin]:
        """Logins that something active in scope hangs on, the first to end first; in three statements. `person_id`:
        only by what this person connected or owns.
        """
        ...
