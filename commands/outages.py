"""Networks' own outages, as pages and answers warn of them (X-3)."""

from datetime import datetime

from commands.ids import OrganizationId
from commands.ports.outages import Outage
from commands.ports.storage import UnitOfWork


async def outage_of(uow: UnitOfWork, organization_id: OrganizationId, network: str, now: datetime) -> Outage | None:
    """The outage of this network that the organization was told of and that still is put down to the network; one
    statement. Whoever is about to reconnect is told to wait: a login may fail as well, and mends nothing.
    """
    standing = await uow.outages.standing(organization_id)
    return next((one for one in standing if one.network == network and one.holds(now)), None)
