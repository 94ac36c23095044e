"""What a platform says by itself: somebody's account changed, the bot was taken out of a workspace.

A signal is written down as work or as an event; it is looked up before anything follows from it.
"""

from typing import assert_never

from commands.command import Services
from commands.ids import EventId, new_id
from commands.ports.chat import AccountChanged, InstallationChanged, Signal
from commands.ports.events import Event, EventKind


async def take(services: Services, signal: Signal) -> None:
    """Note a signal. It may come twice, or out of order; about somebody or somewhere unknown it changes nothing."""
    match signal:
        case AccountChanged():
            await _account_changed(services, signal)
        case InstallationChanged():
            await _installation_changed(services, signal)
        case _:
            assert_never(signal)


async def _account_changed(services: Services, signal: AccountChanged) -> None:
    """Make the account due for a look at its profile, in every organization that knows it, also as gone: it may be
    back.
    """
    for identity in await services.storage.directory.identities(
        platform=signal.platform, tenant=signal.tenant, user=signal.user
    ):
        async with services.storage.transaction() as uow:
            await uow.people.look_again(identity.organization_id, identity.id)


async def _installation_changed(services: Services, signal: InstallationChanged) -> None:
    workspace = await services.storage.directory.workspace(signal.platform, signal.tenant)
    if workspace is None:
        return
    event = Event(
        id=EventId(new_id(services.clock.now())),
        organization_id=workspace.organization_id,
        kind=EventKind.INSTALLATION_BACK if signal.alive else EventKind.INSTALLATION_LOST,
        at=signal.at,
        data={"platform": signal.platform, "workspace": workspace.name, "tenant": signal.tenant},
    )
    async with services.storage.transaction() as uow:
        await uow.notices.record([event])
