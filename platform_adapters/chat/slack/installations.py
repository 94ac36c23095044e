"""Where the bot is installed: whose token serves a workspace, and what becomes of it when a token dies.

A workspace is served by the token of the settings, by its own installation in our store, or by its organization's
(Enterprise Grid), which reaches those workspaces that its administrators added the bot to.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from commands.errors import DeliveryError, DeliveryErrorKind
from commands.ports.clock import Clock
from commands.ports.installations import Installation
from commands.ports.installations import Installations as Store
from commands.ports.storage import StorageError
from commands.secret import Secret
from platform_adapters.chat.slack.api import Reply, SlackApi
from platform_adapters.chat.slack.spans import PLATFORM

_log = logging.getLogger(__name__)

LOST_CODES = frozenset({"token_revoked", "account_inactive", "token_expired"})
"""What says that a token is gone for good. `invalid_auth` does not: an address that is not allowed gets it too."""
_KEPT = timedelta(seconds=30)  # another process may have let the bot in, or seen it removed
_TEAMS_KEPT = timedelta(minutes=10)
_TEAMS_FRESH = timedelta(seconds=30)  # a workspace that is missed has the list read again, but not more often
_TEAMS_ON_PAGE, _MOST_PAGES = 200, 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """The bot in one workspace."""

    team_id: str
    team_name: str
    token: Secret
    scopes: tuple[str, ...]
    owner: str | None = None
    """Under which tenant it is in our store, the workspace's or its organization's; None: the token of the settings."""
    siblings: frozenset[str] = frozenset()
    """The workspaces of the same organization, as far as they are known."""

    def is_own(self, team: str) -> bool:
        """Whether people of that workspace (or with that organization's id for one) are no outsiders here."""
        return team in (self.team_id, self.owner) or team in self.siblings


@dataclass(frozen=True, slots=True)
class _Teams:
    names: Mapping[str, str]
    read_at: datetime


class Installations:
    """Finds the access to a workspace. Asks Slack whose the settings' token is when it is first wanted, not before."""

    def __init__(self, api: SlackApi, token: Secret | None, store: Store, clock: Clock) -> None:
        self._api = api
        self._token = token
        self._store = store
        self._clock = clock
        self._own: Access | None = None
        self._identifying = asyncio.Lock()
        self._found: dict[str, tuple[Access, datetime]] = {}
        self._teams: dict[str, _Teams] = {}

    @property
    def has_own_token(self) -> bool:
        """Whether the settings give a token."""
        return self._token is not None

    @property
    def own(self) -> Access | None:
        """The workspace of the settings' token, as soon as Slack said it."""
        return self._own

    async def identify(self) -> Access:
        """Ask Slack whose the settings' token is, once. Raises DeliveryError."""
        async with self._identifying:
            if self._own is None:
                self._own = await self.ask()
            return self._own

    async def ask(self) -> Access:
        """Ask Slack whose the settings' token is. Raises DeliveryError."""
        if self._token is None:
            raise DeliveryError(DeliveryErrorKind.ADDRESS_GONE, "no_token_in_settings")
        reply = await self._api.call("auth.test", token=self._token)
        team_id = reply.text("team_id")
        if not team_id:
            raise DeliveryError(DeliveryErrorKind.RETRY, "auth_without_team")
        return Access(team_id=team_id, team_name=reply.text("team"), token=self._token, scopes=reply.scopes)

    async def of(self, tenant: str) -> Access:
        """The access to a workspace. Raises DeliveryError: where the bot is not, or is not any more."""
        if self._own is not None and self._own.team_id == tenant:
            return self._own
        stored = await self._stored(tenant)
        if isinstance(stored, Access):
            return stored
        if self._token is not None and self._own is None and (own := await self.identify()).team_id == tenant:
            return own
        if access := await self._through_organization(tenant):
            return access
        if stored is not None:
            raise DeliveryError(DeliveryErrorKind.INSTALLATION_DEAD, stored.lost_reason or "uninstalled")
        raise DeliveryError(DeliveryErrorKind.ADDRESS_GONE, "not_installed_there")

    async def receiving(self, teams: Sequence[str], organization: str = "") -> Access | None:
        """The access of the first of the workspaces that a request may be from; `organization`: its, if it came so.

        Calls nobody. In a channel shared with another company Slack may name that company's workspace: where all that
        there is is the settings' token, the request is still ours.
        """
        for team in teams:
            if self._own is not None and self._own.team_id == team:
                return self._own
            if isinstance(access := await self._stored(team), Access):
                return access
        whole = await self._stored(organization) if organization and teams else None
        if isinstance(whole, Access):
            names = self._teams[organization].names if organization in self._teams else {}
            team = teams[0]
            return replace(whole, team_id=team, team_name=names.get(team, ""), siblings=frozenset(names))
        return self._own if self._own is not None and not await self.all() else None

    async def all(self) -> Sequence[Installation]:
        """The installations in our store that are alive. Raises DeliveryError."""
        try:
            return await self._store.all(PLATFORM)
        except StorageError as error:
            raise DeliveryError(DeliveryErrorKind.RETRY, "storage") from error

    async def call(self, access: Access, method: str, *, json: Mapping[str, object]) -> Reply:
        """Call a method that takes JSON. Raises DeliveryError; a token that is gone for good is noted."""
        return await self._calling(access, method, json=json)

    async def call_form(self, access: Access, method: str, **form: str) -> Reply:
        """The same for a method that takes no JSON."""
        return await self._calling(access, method, form=form)

    async def _calling(
        self,
        access: Access,
        method: str,
        *,
        json: Mapping[str, object] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> Reply:
        began = self._clock.now()
        try:
            return await self._api.call(method, token=access.token, tenant=access.team_id, json=json, form=form)
        except DeliveryError as error:
            if error.kind is not DeliveryErrorKind.INSTALLATION_DEAD or access.owner is None:
                raise
            newer = await self._after_death(access, error.code, began)
            if newer is None:
                raise
        return await self._api.call(method, token=newer.token, tenant=access.team_id, json=json, form=form)

    async def _after_death(self, access: Access, code: str, began: datetime) -> Access | None:
        """Another token that somebody else's process has stored meanwhile; else note that there is none any more."""
        owner = access.owner or ""
        self._found.pop(owner, None)
        if code == "team_access_not_granted":
            self._teams.pop(owner, None)
            return None
        stored = await self._stored(owner)
        if isinstance(stored, Access) and stored.token.reveal() != access.token.reveal():
            return stored
        if code in LOST_CODES:
            await self.lose(owner, at=began, reason=code)
        return None

    async def lose(self, owner: str, *, at: datetime, reason: str) -> bool:
        """Note that an installation does not work since `at`; False where that is known, or older than its token."""
        self._found.pop(owner, None)
        try:
            lost = await self._store.lose(PLATFORM, owner, at=at, reason=reason)
        except StorageError as error:
            _log.error("the loss of an installation in Slack could not be noted: %s", type(error).__name__)
            return False
        if lost:
            _log.error("the bot's installation in Slack's %s is lost: %s", owner, reason)
        return lost

    async def keep(self, installation: Installation) -> None:
        """Store a new installation. Raises StorageError."""
        await self._store.save(installation)
        self._found.pop(installation.tenant, None)
        self._teams.pop(installation.tenant, None)

    async def still_works(self, owner: str) -> bool | None:
        """Ask Slack whether the stored token of a tenant works; None where neither can be said."""
        self._found.pop(owner, None)
        stored = await self._stored(owner)
        if not isinstance(stored, Access):
            return None
        try:
            await self._api.call("auth.test", token=stored.token, tenant=owner)
        except DeliveryError as error:
            return False if error.code in LOST_CODES else None
        return True

    async def teams(self, organization: str, *, fresh: bool = False) -> Mapping[str, str]:
        """The workspaces that an organization's installation reaches, with their names. Raises DeliveryError."""
        now = self._clock.now()
        known = self._teams.get(organization)
        if known is not None and now - known.read_at < (_TEAMS_FRESH if fresh else _TEAMS_KEPT):
            return known.names
        whole = await self._stored(organization)
        if not isinstance(whole, Access):
            return {}
        names = await self._read_teams(whole)
        self._teams[organization] = _Teams(names, now)
        return names

    def known_teams(self, organization: str) -> Sequence[str]:
        """The same as it was last read, without asking anybody."""
        known = self._teams.get(organization)
        return list(known.names) if known is not None else ()

    def forget_teams(self, organization: str) -> None:
        """The organization's administrators changed where the bot is."""
        self._teams.pop(organization, None)

    async def _read_teams(self, whole: Access) -> Mapping[str, str]:
        names: dict[str, str] = {}
        cursor = ""
        for _ in range(_MOST_PAGES):
            form = {"limit": str(_TEAMS_ON_PAGE), **({"cursor": cursor} if cursor else {})}
            reply = await self._calling(whole, "auth.teams.list", form=form)
            teams, metadata = reply.body.get("teams"), reply.body.get("response_metadata")
            for each in teams if isinstance(teams, list) else []:
                if isinstance(each, Mapping) and isinstance(team := each.get("id"), str):
                    names[team] = str(each.get("name") or "")
            following = metadata.get("next_cursor") if isinstance(metadata, Mapping) else None
            if not isinstance(following, str) or not following:
                break
            cursor = following
        return names

    async def _through_organization(self, tenant: str) -> Access | None:
        for installation in await self.all():
            if not installation.is_org_wide:
                continue
            organization = installation.tenant
            teams = await self.teams(organization)
            if tenant not in teams:
                teams = await self.teams(organization, fresh=True)
            if tenant in teams:
                return Access(
                    team_id=tenant,
                    team_name=teams[tenant],
                    token=installation.bot_token,
                    scopes=tuple(sorted(installation.scopes)),
                    owner=organization,
                    siblings=frozenset(teams),
                )
        return None

    async def _stored(self, tenant: str) -> Access | Installation | None:
        """What our store has of a tenant: a living access, a lost installation, nothing. Raises DeliveryError."""
        now = self._clock.now()
        kept = self._found.get(tenant)
        if kept is not None and now - kept[1] < _KEPT:
            return kept[0]
        try:
            found = await self._store.find(PLATFORM, tenant)
        except StorageError as error:
            raise DeliveryError(DeliveryErrorKind.RETRY, "installation_unreadable") from error
        if found is None or found.lost_at is not None:
            self._found.pop(tenant, None)
            return found
        access = Access(
            team_id=found.tenant,
            team_name=found.name,
            token=found.bot_token,
            scopes=tuple(sorted(found.scopes)),
            owner=found.tenant,
        )
        self._found[tenant] = access, now
        return access
