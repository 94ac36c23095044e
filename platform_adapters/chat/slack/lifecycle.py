"""What Slack says by itself of people and of the bot's installations; looked up where it can be, not believed.

Events come late, twice and in any order (docs.slack.dev/apis/events-api; bolt-js #673 for the order of an uninstall).
"""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime

from commands.errors import DeliveryError
from commands.ports.chat import AccountChanged, Inbound, InstallationChanged
from commands.ports.clock import Clock
from platform_adapters.chat.slack.installations import LOST_CODES, Installations
from platform_adapters.chat.slack.payloads import organization_of, part, text
from platform_adapters.chat.slack.signature import Json
from platform_adapters.chat.slack.spans import PLATFORM

_log = logging.getLogger(__name__)

REMOVED = ("app_uninstalled", "tokens_revoked")
GRANTED, WITHDRAWN = "team_access_granted", "team_access_revoked"
USER_CHANGED = "user_change"
LIFECYCLE_EVENTS = (*REMOVED, GRANTED, WITHDRAWN, USER_CHANGED)


class Lifecycle:
    """Turns these events into signals, each once."""

    def __init__(self, *, inbound: Inbound, installations: Installations, clock: Clock) -> None:
        self._inbound = inbound
        self._installations = installations
        self._clock = clock
        self._own_is_lost = False

    async def take(self, kind: str, body: Json) -> None:
        """Take note of an event. Raises DeliveryError where our store cannot be read."""
        event = part(body, "event")
        owner = organization_of(body) or text(body, "team_id")
        if kind == USER_CHANGED:
            await self._user_changed(event, body)
        elif kind == GRANTED:
            self._installations.forget_teams(owner)
            await self._changed(_ids(event.get("team_ids")), alive=True, at=self._at(body))
        elif kind == WITHDRAWN:
            self._installations.forget_teams(owner)
            await self._changed(_ids(event.get("team_ids")), alive=False, at=self._at(body))
        elif kind in REMOVED and (kind != "tokens_revoked" or _ids(part(event, "tokens").get("bot"))):
            await self._removed(kind, owner, self._at(body))

    async def _user_changed(self, event: Json, body: Json) -> None:
        person = part(event, "user")
        user = text(person, "id")
        tenants = dict.fromkeys((text(body, "team_id"), text(person, "team_id")))
        for tenant in (each for each in tenants if each and user):
            await self._inbound.signal(AccountChanged(platform=PLATFORM, tenant=tenant, user=user))

    async def _removed(self, kind: str, owner: str, at: datetime) -> None:
        own = self._installations.own
        if own is not None and own.team_id == owner:
            await self._own_removed(owner, at)
        began = self._clock.now()
        works = await self._installations.still_works(owner)
        if works:
            _log.info("Slack says late that the bot was removed from %s: it was let in again since", owner)
            return
        teams = self._installations.known_teams(owner) or (owner,)
        if await self._installations.lose(owner, at=at if works is None else began, reason=kind):
            self._installations.forget_teams(owner)
            await self._changed(teams, alive=False, at=at)

    async def _own_removed(self, team: str, at: datetime) -> None:
        """The token of the settings is not in our store; that it is gone is said once."""
        try:
            await self._installations.ask()
        except DeliveryError as error:
            if self._own_is_lost or error.code not in LOST_CODES:
                return
            self._own_is_lost = True
            _log.error("Slack says that the app was removed from workspace %s", team)
            await self._changed((team,), alive=False, at=at)
        else:
            self._own_is_lost = False

    async def _changed(self, teams: Sequence[str], *, alive: bool, at: datetime) -> None:
        for team in teams:
            await self._inbound.signal(InstallationChanged(platform=PLATFORM, tenant=team, alive=alive, at=at))

    def _at(self, body: Json) -> datetime:
        now, seconds = self._clock.now(), body.get("event_time")
        if not isinstance(seconds, int) or not 0 < seconds < now.timestamp():
            return now
        return datetime.fromtimestamp(seconds, UTC)


def _ids(value: object) -> Sequence[str]:
    return [each for each in value if isinstance(each, str) and each] if isinstance(value, list) else []
