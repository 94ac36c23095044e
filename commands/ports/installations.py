"""Where the bot was let in: installations of platforms on which each workspace gives us an access of its own.

They belong to no organization: a workspace may let the bot in before anybody claimed it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from commands.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """One workspace's (or, org-wide, one enterprise's) access for the bot."""

    platform: str
    tenant: str
    """The Slack team; for an org-wide installation the enterprise."""
    name: str
    is_org_wide: bool
    bot_token: Secret
    bot_user: str
    scopes: frozenset[str]
    installed_at: datetime
    lost_at: datetime | None = None
    """Since when the access does not work: uninstalled, revoked."""
    lost_reason: str = ""


class Installations(Protocol):
    """The installations; bot tokens are stored encrypted, bound to their row."""

    async def save(self, installation: Installation) -> None:
        """Write an installation, in place of an earlier one of the same tenant: it is alive again."""
        ...

    async def find(self, platform: str, tenant: str) -> Installation | None:
        """A tenant's installation, lost or not. Raises Unreadable if the token cannot be decrypted."""
        ...

    async def all(self, platform: str) -> Sequence[Installation]:
        """Those that are alive, by tenant."""
        ...

    async def lose(self, platform: str, tenant: str, *, at: datetime, reason: str) -> bool:
        """Note that the access does not work since `at`. False, and nothing is written, if it was installed after
        that, was lost already, or is not known: signals come late, twice and in any order.
        """
        ...
