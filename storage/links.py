"""Links: addresses of one person, for one connection or for new accounts of one network."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_, update

from commands.ids import ConnectionId, LinkId, OrganizationId, PersonId
from commands.ports.reconnecting import Link
from commands.ports.storage import StorageError
from storage.engine import insert
from storage.rows import columns
from storage.secrets import Keyring, secret_hash
from storage.tables import NEW_ACCOUNTS, links
from storage.work import Work, portions

LINK = ("id", "organization_id", "person_id", "connection_id", "network", "created_at")


class SqlLinks:
    """Implements `Links`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def ensure(self, link: Link) -> str:
        if link.connection_id is None:
            return await self._ensure_for_network(link)
        return (await self.ensure_many((link,)))[link.person_id, link.connection_id]

    async def ensure_many(self, links: tuple[Link, ...]) -> dict[tuple[PersonId, ConnectionId], str]:
        located: dict[tuple[PersonId, ConnectionId], str] = {}
        # Two parameters for each link, and one key for the same wish twice. In order, so that nobody waits in a circle.
        wanted: dict[tuple[PersonId, ConnectionId], Link] = {}
        for link in links:
            if link.connection_id is None:
                raise StorageError("a link for new accounts is made alone")
            wanted[link.person_id, link.connection_id] = link
        for portion in portions(sorted(wanted.items())):
            located |= await self._ensure_portion(dict(portion))
        return located

    async def _ensure_for_network(self, link: Link) -> str:
        keyring = self._work.keyring
        await self._work.run(
            insert(links).on_conflict_do_nothing(
                index_elements=["organization_id", "person_id", "network"], index_where=NEW_ACCOUNTS
            ),
            _link_values(link, keyring),
        )
        found = await self._work.row(
            select(links.c.id, links.c.key_id).where(
                NEW_ACCOUNTS,
                links.c.organization_id == link.organization_id,
                links.c.person_id == link.person_id,
                links.c.network == link.network,
            )
        )
        if found is None:
            raise StorageError("a link could not be made")
        row_id, key_id = found
        return keyring.locator(row_id, key_id) or await self._derive_anew(row_id)

    async def _ensure_portion(
        self, wanted: Mapping[tuple[PersonId, ConnectionId], Link]
    ) -> dict[tuple[PersonId, ConnectionId], str]:
        keyring = self._work.keyring
        await self._work.run(
            insert(_links).on_conflict_do_nothing(index_elements=["organization_id", "person_id", "connection_id"]),
            [_link_values(link, keyring) for link in wanted.values()],
        )
        organization_ids = {link.organization_id for link in wanted.values()}
        found = await self._work.rows(
            select(_links.c.id, _links.c.person_id, _links.c.connection_id, _links.c.key_id).where(
                _links.c.organization_id.in_(organization_ids),
                tuple_(_links.c.person_id, _links.c.connection_id).in_(list(wanted)),
            )
        )
        located: dict[tuple[PersonId, ConnectionId], str] = {}
        for row_id, person_id, connection_id, key_id in found:
            locator = keyring.locator(row_id, key_id) or await self._derive_anew(row_id)
            located[PersonId(person_id), ConnectionId(connection_id)] = locator
        return located

    async def _derive_anew(self, link_id: UUID) -> str:
        """Give a link whose key was taken away a new address; the one that was posted stops working."""
        keyring = self._work.keyring
        locator = keyring.locator(link_id, keyring.primary)
        if locator is None:
            raise StorageError("the primary key derives no locator")
        await self._work.run(
            update(_links)
            .where(_links.c.id == link_id)
            .values(key_id=keyring.primary, locator_hash=secret_hash(locator))
        )
        return locator

    async def get(self, organization_id: OrganizationId, link_id: LinkId) -> Link | None:
        found = await self._work.row(
            select(*columns(_links, LINK)).where(_links.c.organization_id == organization_id, _links.c.id == link_id)
        )
        return None if found is None else link_of(found)

    async def locator(self, organization_id: OrganizationId, link_id: LinkId) -> str | None:
        found = await self._work.row(
            select(_links.c.key_id).where(_links.c.organization_id == organization_id, _links.c.id == link_id)
        )
        return None if found is None else self._work.keyring.locator(link_id, found[0])


_links = links  # the port names its argument so


def link_of(values: Sequence[Any]) -> Link:
    row_id, organization_id, person_id, connection_id, network, created_at = values
    return Link(
        id=LinkId(row_id),
        organization_id=OrganizationId(organization_id),
        person_id=PersonId(person_id),
        connection_id=connection_id,
        created_at=created_at,
        network=network,
    )


def _link_values(link: Link, keyring: Keyring) -> dict[str, Any]:
    locator = keyring.locator(link.id, keyring.primary)
    if locator is None:
        raise StorageError("the primary key derives no locator")
    return {
        "id": link.id,
        "organization_id": link.organization_id,
        "person_id": link.person_id,
        "connection_id": link.connection_id,
        "network": link.network,
        "created_at": link.created_at,
        "key_id": keyring.primary,
        "locator_hash": secret_hash(locator),
    }
