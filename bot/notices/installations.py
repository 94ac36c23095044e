"""The bot's own installation, watched like a connection: a lost one is told to administrators another way (A-8)."""

from collections.abc import Sequence
from datetime import datetime

from bot.notices.asked import copied_administrators
from bot.notices.data import BACK, LOST, PLATFORM, STATE, TENANT, WORKSPACE
from bot.notices.desk import Desk
from bot.notices.outbox import Posting
from commands.ids import OrganizationId
from commands.once_a_day import event_id
from commands.ports.events import Event, EventKind
from commands.ports.notices import NoticeKind
from commands.ports.storage import UnitOfWork

_STATES = {EventKind.INSTALLATION_LOST: LOST, EventKind.INSTALLATION_BACK: BACK}


async def installations(desk: Desk, events: Sequence[Event]) -> list[Posting]:
    """Tell of installations that were lost, or are back, where that is not what was told last: platforms say it more
    than once, and so does every send that fails. The outbox leaves the lost workspace out of the ways to reach
    somebody.
    """
    last: dict[tuple[str, str], Event] = {}
    for event in sorted(events, key=lambda event: event.at):
        if event.kind in _STATES and event.data.get("platform") and event.data.get("tenant"):
            last[event.data["platform"], event.data["tenant"]] = event
    postings = []
    for (platform, tenant), event in last.items():
        state = _STATES[event.kind]
        if not await desk.uow.organizations.tell_of_workspace(
            desk.organization_id, platform, tenant, is_lost=state == LOST, at=event.at
        ):
            continue
        data = {PLATFORM: platform, TENANT: tenant, WORKSPACE: event.data.get("workspace", ""), STATE: state}
        postings += [
            desk.posting(reader, NoticeKind.INSTALLATION_LOST, data=data)
            for reader in await copied_administrators(desk)
        ]
    return postings


async def record_dead(
    uow: UnitOfWork, organization_id: OrganizationId, *, platform: str, tenant: str, now: datetime
) -> None:
    """Note that a platform refused us because it took the bot's access away. Asking again changes nothing, until the
    bot is back there. Where `tenant` is empty, as an address may have it, all of the organization's workspaces on that
    platform are meant.
    """
    for workspace in await uow.organizations.workspaces(organization_id):
        own = workspace.external_id
        if workspace.platform != platform or tenant not in ("", own) or workspace.is_lost:
            continue
        since = workspace.told_at.isoformat() if workspace.told_at is not None else "ever"
        await uow.notices.record_once(
            Event(
                id=event_id(organization_id, now.date(), "installation dead", platform, own, since),
                organization_id=organization_id,
                kind=EventKind.INSTALLATION_LOST,
                at=now,
                data={"platform": platform, "tenant": own, "workspace": workspace.name},
            )
        )
