"""TikTok's Business Centers as a login sees them, and which of them owns an ad account.

A part of `tiktok`, not a network of its own: it has no SPEC. Sources: those of `tiktok`.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from commands.errors import NetworkError
from commands.model import Finding, Parent, Verdict
from platform_adapters.networks.answers import Json, Reply, listed, part, text

NO_PERMISSION = "40001"
_ADMIN, _OWNER = "ADMIN", "OWNER_BC"


class Get(Protocol):
    """Asks TikTok as one login. Raises NetworkError."""

    async def __call__(self, path: str, **query: str) -> Reply: ...


def no_access(finding: Finding) -> bool:
    """Whether TikTok refuses the account or Business Center that was asked for, which says nothing of others."""
    worded = finding.verdict in (Verdict.ROLE_LOST, Verdict.ACCOUNT_GONE)
    return worded or (finding.verdict is Verdict.UNCLEAR and finding.evidence.code == NO_PERMISSION)


async def centers(get: Get) -> Mapping[str, Json]:
    """The person's Business Centers, by id. None where TikTok shows none: that takes a permission of its own, which
    reading does not. Raises NetworkError.
    """
    try:
        rows = await _pages(get, "/bc/get/")
    except NetworkError as error:
        if error.finding.verdict is Verdict.PERMISSION_MISSING or no_access(error.finding):
            return {}
        raise
    return {text(part(row, "bc_info"), "bc_id"): row for row in rows}


def is_admin(center: Json) -> bool:
    """Whether the person is an Admin of a Business Center, as far as TikTok tells."""
    return text(center, "user_role") in (_ADMIN, "")


async def parents(get: Get, details: Mapping[str, Json]) -> Mapping[str, Parent]:
    """The Business Center that owns each account, as far as TikTok tells. Raises NetworkError."""
    if not details:
        return {}
    known = await centers(get)
    names = {center_id: text(part(row, "bc_info"), "name") for center_id, row in known.items()}
    owners = {account_id: text(row, "owner_bc_id") for account_id, row in details.items()}
    if not all(owners.values()):
        owners |= {
            account_id: center_id
            for center_id in names
            for account_id in await _owned(get, center_id)
            if not owners.get(account_id)
        }
    return {
        account_id: Parent(id=center, name=names.get(center) or center)
        for account_id, center in owners.items()
        if center
    }


async def _owned(get: Get, center_id: str) -> Sequence[str]:
    """The accounts that a Business Center owns; it also lists those that partners share with it."""
    try:
        assets = await _pages(get, "/bc/asset/get/", bc_id=center_id, asset_type="ADVERTISER")
    except NetworkError as error:
        if no_access(error.finding):
            return []  # a member who may not look
        raise
    return [text(row, "asset_id") for row in assets if text(row, "relation_type") == _OWNER]


async def _pages(get: Get, path: str, **query: str) -> Sequence[Json]:
    found_so_far: list[Json] = []
    page = 1
    while True:
        reply = await get(path, page=str(page), page_size="50", **query)
        data = part(reply.body, "data")
        found_so_far += listed(reply, data, "list")
        total = part(data, "page_info").get("total_page")
        if not isinstance(total, int) or page >= total:
            return found_so_far
        page += 1
