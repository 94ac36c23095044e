"""Whose checks go first when there are more than can be done at once: no organization waits for all of another's."""

from collections.abc import Sequence
from datetime import datetime

from commands.ids import AuthorizationId, OrganizationId
from commands.ports.storage import Queues

ORGANIZATIONS_AT_ONCE = 32
"""How many organizations are asked for their longest due check in one look: what one look may cost."""


class FairTurns:
    """The turns of one process. While it keeps up, the longest due goes first and nothing more is asked.

    When it falls behind, half of what it leases goes by turn through the organizations, so that one with three checks
    waits for one of its own turns and not for a hundred thousand of another's.
    """

    def __init__(self, queues: Queues, *, at_once: int = ORGANIZATIONS_AT_ONCE) -> None:
        self._queues = queues
        self._at_once = at_once
        self._is_behind = False
        self._after: OrganizationId | None = None

    async def first(self, networks: Sequence[str], *, now: datetime, limit: int) -> Sequence[AuthorizationId]:
        """What is to be leased before what is longest due; at most half of `limit`, and one of one."""
        if not self._is_behind:
            return []
        wanted, found = max(limit // 2, 1), list[AuthorizationId]()
        heads = await self._queues.longest_due_of_each(
            now=now, networks=networks, after=self._after, limit=self._at_once
        )
        reached = None
        for head in heads:
            if len(found) + len(head.authorization_ids) > wanted and found:
                break
            found += head.authorization_ids
            reached = head.organization_id
        came_round = len(heads) < self._at_once and (not heads or reached == heads[-1].organization_id)
        self._after = None if came_round else reached
        return found[:wanted]

    def leased(self, number: int, *, limit: int) -> None:
        """Hear how many there were: as many as were asked for means that there are more."""
        self._is_behind = number >= limit
