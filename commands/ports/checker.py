"""Having a connection checked now (D-8)."""

from typing import Protocol

from commands.ids import AuthorizationId, OrganizationId


class Checker(Protocol):
    """Asks a network about an authorization now, and writes down what it found."""

    async def check(self, organization_id: OrganizationId, authorization_id: AuthorizationId) -> bool:
        """Probe and record; the caller reads the outcome from storage. False: somebody else is checking it this
        moment.
        """
        ...
