"""Where somebody was on the way to when they had to sign in: a link or a workspace. Never a free address."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bot.web.site import Site
from commands.ids import OrganizationId, WorkspaceId, from_wire, to_wire
from commands.model import Workspace
from commands.passes import find_pass, pass_path
from commands.ports.reconnecting import Link, Pass, PassPurpose, PendingSignIn

DAY = "day"
"""Stands in place of a locator where somebody is on the way to Reconnect day in a workspace (X-7)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Exactly one of a link, a one-time link (each with the locator or secret that leads to it) and a workspace."""

    link: Link | None = None
    one_time: Pass | None = None
    locator: str | None = None
    workspace: Workspace | None = None

    @property
    def path(self) -> str:
        """Its page."""
        if self.workspace is not None:
            return f"/{DAY if self.locator == DAY else 'sign-in'}/{to_wire(self.workspace.id)}"
        if self.one_time is not None:
            return pass_path(PassPurpose.IDENTITY, self.locator or "")
        return f"/r/{self.locator}"

    @property
    def organization_id(self) -> OrganizationId:
        """Whose it is."""
        found = self.link or self.one_time or self.workspace
        assert found is not None, "a place is one of three"  # noqa: S101 - what the constructors below promise
        return found.organization_id

    @property
    def fields(self) -> dict[str, str]:
        """How a form carries it."""
        if self.workspace is not None:
            return {"workspace": to_wire(self.workspace.id), **({"then": DAY} if self.locator == DAY else {})}
        return {"locator": self.locator or ""}


async def place_of_link(site: Site, locator: str | None) -> Place | None:
    """A Reconnect link's place, if there is such a link."""
    link = await site.services.storage.directory.link(locator) if locator else None
    return Place(link=link, locator=locator) if link else None


async def place_of_one_time_link(site: Site, secret: str | None) -> Place | None:
    """A one-time link's place, while it works."""
    one = await find_pass(site.services, PassPurpose.IDENTITY, secret) if secret else None
    return Place(one_time=one, locator=secret) if one else None


async def place_of_workspace(site: Site, wire: str | None) -> Place | None:
    """A claimed workspace's place."""
    try:
        workspace_id = WorkspaceId(from_wire(wire or ""))
    except ValueError:
        return None
    workspace = await site.services.storage.directory.workspace_by_id(workspace_id)
    return Place(workspace=workspace) if workspace else None


async def place_of_form(site: Site, fields: Mapping[str, str]) -> Place | None:
    """What a form carried."""
    found = await _place_of_locator(site, fields.get("locator"))
    return found or _then(await place_of_workspace(site, fields.get("workspace")), fields.get("then"))


async def place_of_sign_in(site: Site, pending: PendingSignIn) -> Place | None:
    """Where a sign-in came from."""
    if pending.workspace_id is not None:
        return _then(await place_of_workspace(site, to_wire(pending.workspace_id)), pending.locator)
    return await _place_of_locator(site, pending.locator)


def _then(place: Place | None, then: str | None) -> Place | None:
    return replace(place, locator=DAY) if place is not None and then == DAY else place


async def _place_of_locator(site: Site, locator: str | None) -> Place | None:
    """Locators and secrets are 128 random bits each, so that none is both."""
    return await place_of_link(site, locator) or await place_of_one_time_link(site, locator)
