"""Which channels people of other companies read (Slack Connect): commands do not say it, and `here` must know."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

from commands.errors import DeliveryError
from commands.ports.clock import Clock
from platform_adapters.chat.slack.installations import Installations

_PATIENCE = 2.0  # seconds that an answer may be held up for it
_KEPT = timedelta(minutes=10)
_MOST_KEPT = 5000


class SharedChannels:
    """Asks Slack, and remembers for a while what it said; a failure is not remembered."""

    def __init__(self, installations: Installations, clock: Clock) -> None:
        self._installations = installations
        self._clock = clock
        self._known: dict[tuple[str, str], tuple[bool, datetime]] = {}

    async def is_shared(self, tenant: str, channel: str) -> bool | None:
        """Whether outsiders read the channel; None where Slack does not say, or not in time."""
        now = self._clock.now()
        known = self._known.get((tenant, channel))
        if known is not None and now - known[1] < _KEPT:
            return known[0]
        try:
            async with asyncio.timeout(_PATIENCE):
                shared = await self._ask(tenant, channel)
        except (DeliveryError, TimeoutError):
            return None
        if shared is None:
            return None
        if len(self._known) >= _MOST_KEPT:
            self._known.clear()
        self._known[tenant, channel] = shared, now
        return shared

    async def _ask(self, tenant: str, channel: str) -> bool | None:
        access = await self._installations.of(tenant)
        reply = await self._installations.call_form(access, "conversations.info", channel=channel)
        found = reply.body.get("channel")
        if not isinstance(found, Mapping):
            return None
        return any(found.get(name) is True for name in ("is_ext_shared", "is_pending_ext_shared"))
