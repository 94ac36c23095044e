"""Whose checks go first when there are more than can be done at once: no organization waits for all of another's."""

from collections.abc import Sequence
from datetime import datetime

from commands.ids import AuthorizationId, OrganizationId
from commands.ports.storage import Queues

ORGANIZATIONS_AT_ONCE = 32
"""How many organizations are asked for their longest due check in one look: what one look may cost."""


class FairTurns:
    """The turns of one process. While it keeps up, the longest due goes first and nothing more is asked.

    Where it falls behind, half of what it leases goes by turn through the organizations, so that one with three checks
    waits for one of its own turns and not for a hundred thousand of another's. Each network is behind by itself: that
    nothing of another one is due says nothing of it.
    """

    def __init__(self, queues: Queues, *, at_once: int = ORGANIZATIONS_AT_ONCE) -> None:
        self._queues = queues
        self._at_once = at_once
        self._behind: frozenset[str] = frozenset()
        self._after: dict[tuple[str, ...], OrganizationId | None] = {}
        """How far the turns of networks that are asked for together have come."""

    async def first(self, networks: Sequence[str], *, now: datetime, limit: int) -> Sequence[AuthorizationId]:
        """What is to be leased before what is longest due; at most half of `limit`, and one of one."""
        behind = tuple(sorted(self._behind.intersection(networks)))
        if not behind:
            return []
        wanted, found = max(limit // 2, 1), list[AuthorizationId]()
        heads = await self._queues.longest_due_of_each(
            now=now, networks=behind, after=self._after.get(behind), limit=self._at_once
        )
        reached = None
        for head in heads:
            if len(found) + len(head.authorization_ids) > wanted and found:
                break
            found += head.authorization_ids
            reached = head.organization_id
        came_round = len(heads) < self._at_once and (not heads or reached == heads[-1].organization_id)
        self._after[behind] = None if came_round else reached
        return found[:wanted]

    def leased(self, networks: Sequence[str], found: Sequence[str], *, limit: int) -> None:
        """Hear of which networks that were asked for there was something, once for each check: as many as were asked
        for means that there are more.
        """
        full = found if len(found) >= limit else ()
        self._behind = self._behind.difference(networks).union(full)
