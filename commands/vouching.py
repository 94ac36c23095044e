"""Whether a claimed workspace vouches for a signed-in chat account: asked of the platform before an account is linked.

No transaction is held meanwhile.
"""

import asyncio
import logging
from collections.abc import Sequence
from enum import StrEnum

from commands.command import Services
from commands.errors import DeliveryError
from commands.ids import OrganizationId
from commands.model import Workspace
from commands.ports.chat import AccountKind, ChatPlatform
from commands.ports.reconnecting import Session

logger = logging.getLogger(__name__)

ASK_WITHIN = 15.0
"""Seconds that a platform has for all questions about one account: a person is waiting."""


class Vouch(StrEnum):
    """What an account is to the organization's workspaces on its platform."""

    MEMBER = "member"
    GUEST = "guest"
    """Let into a part of the workspace. Guests may be linked; they have just what their role gives."""
    BOT = "bot"
    GONE = "gone"
    """Deactivated, or no longer in the workspace."""
    OTHER_WORKSPACE = "other_workspace"
    """Of a workspace that is not the organization's; so are outsiders of a shared channel."""
    NOT_A_MEMBER = "not_a_member"
    """On a platform whose accounts are of no workspace: in none of the organization's."""
    CANNOT_TELL = "cannot_tell"
    """The platform does not answer at the moment."""


_KINDS = {AccountKind.MEMBER: Vouch.MEMBER, AccountKind.GUEST: Vouch.GUEST, AccountKind.BOT: Vouch.BOT}
_BEST_FIRST = (Vouch.MEMBER, Vouch.GUEST, Vouch.BOT, Vouch.CANNOT_TELL, Vouch.GONE)


async def vouched_for(
    services: Services, platform: ChatPlatform | None, session: Session, organization_id: OrganizationId
) -> Vouch:
    """Ask the session's platform what its account is now. `platform` None: it is not set up here any more."""
    async with services.storage.reading() as uow:
        claimed = [w for w in await uow.organizations.workspaces(organization_id) if w.platform == session.platform]
    ours = [workspace for workspace in claimed if session.tenant in ("", workspace.external_id)]
    if not ours or platform is None:
        return Vouch.OTHER_WORKSPACE if session.tenant else Vouch.NOT_A_MEMBER
    answers = await _asked(platform, ours, session)
    found = next(vouch for vouch in _BEST_FIRST if vouch in answers)
    if session.tenant:
        # Its sign-in has just proved that it is of this workspace; only a plain answer says otherwise.
        return Vouch.MEMBER if found is Vouch.CANNOT_TELL else found
    return Vouch.NOT_A_MEMBER if found is Vouch.GONE else found


async def _asked(platform: ChatPlatform, workspaces: Sequence[Workspace], session: Session) -> set[Vouch]:
    answers: set[Vouch] = set()
    try:
        async with asyncio.timeout(ASK_WITHIN):
            for workspace in workspaces:
                answers.add(await _kind(platform, workspace, session.user))
                if Vouch.MEMBER in answers:
                    break
    except TimeoutError:
        answers.add(Vouch.CANNOT_TELL)
    return answers


async def _kind(platform: ChatPlatform, workspace: Workspace, user: str) -> Vouch:
    try:
        profile = await platform.profile(workspace.external_id, user)
    except DeliveryError as error:
        logger.warning("%s does not say what an account is: %s", platform.name, error.code)
        return Vouch.CANNOT_TELL
    return _KINDS.get(profile.kind, Vouch.GONE)
