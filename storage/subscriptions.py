"""Opt-ins."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, delete, select, tuple_
from sqlalchemy.sql import ColumnElement

from commands.ids import ClientId, OrganizationId, PersonId, SubscriptionId
from commands.model import Channel, Subscription
from storage.engine import insert
from storage.tables import NOBODY, subscriptions
from storage.work import Work, portions

_COLUMNS = (
    subscriptions.c.id,
    subscriptions.c.organization_id,
    subscriptions.c.person_id,
    subscriptions.c.platform,
    subscriptions.c.tenant,
    subscriptions.c.channel,
    subscriptions.c.network,
    subscriptions.c.client_id,
    subscriptions.c.created_at,
)
_UNIQUE = ("organization_id", "reader_id", "platform", "tenant", "channel", "network", "client_key")

_OF_READERS = select(*_COLUMNS).where(
    subscriptions.c.organization_id == bindparam("organization"),
    tuple_(subscriptions.c.reader_id, subscriptions.c.platform, subscriptions.c.tenant, subscriptions.c.channel).in_(
        bindparam("readers", expanding=True)
    ),
)


class SqlSubscriptions:
    """Implements `Subscriptions`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def add(self, subscription: Subscription) -> bool:
        added = await self._work.row(
            insert(subscriptions)
            .values(
                id=subscription.id,
                organization_id=subscription.organization_id,
                person_id=subscription.person_id,
                network=subscription.network or "",
                client_id=subscription.client_id,
                client_key=subscription.client_id or NOBODY,
                created_at=subscription.created_at,
                **_reader_values(subscription.person_id, subscription.channel),
            )
            .on_conflict_do_nothing(index_elements=_UNIQUE)
            .returning(subscriptions.c.id)
        )
        return added is not None

    async def remove(
        self,
        organization_id: OrganizationId,
        *,
        person_id: PersonId | None,
        channel: Channel | None,
        network: str | None,
        client_id: ClientId | None,
        everything: bool,
    ) -> int:
        conditions = _of_reader(organization_id, person_id, channel)
        if not everything:
            conditions += [
                subscriptions.c.network == (network or ""),
                subscriptions.c.client_key == (client_id or NOBODY),
            ]
        return len(await self._work.rows(delete(subscriptions).where(*conditions).returning(subscriptions.c.id)))

    async def of(
        self, organization_id: OrganizationId, *, person_id: PersonId | None, channel: Channel | None
    ) -> Sequence[Subscription]:
        return await self._some(*_of_reader(organization_id, person_id, channel))

    async def of_readers(
        self, organization_id: OrganizationId, readers: Sequence[tuple[PersonId, Channel | None]]
    ) -> Sequence[Subscription]:
        wanted = set(readers)
        # A channel's are found by the channel, whoever set them up.
        keys = sorted({tuple(_reader_values(*reader).values()) for reader in wanted})
        found: list[Subscription] = []
        for portion in portions(keys, each=4):
            rows = await self._work.rows(_OF_READERS, {"organization": organization_id, "readers": list(portion)})
            found += [_subscription_of(row) for row in rows]
        return [subscription for subscription in found if (subscription.person_id, subscription.channel) in wanted]

    async def all(self, organization_id: OrganizationId) -> Sequence[Subscription]:
        return await self._some(subscriptions.c.organization_id == organization_id)

    async def _some(self, *conditions: ColumnElement[bool]) -> Sequence[Subscription]:
        found = await self._work.rows(
            select(*_COLUMNS).where(*conditions).order_by(subscriptions.c.created_at, subscriptions.c.id)
        )
        return [_subscription_of(row) for row in found]


def _reader_values(person_id: PersonId | None, channel: Channel | None) -> dict[str, Any]:
    if channel is None:
        return {"reader_id": person_id, "platform": "", "tenant": "", "channel": ""}
    return {
        "reader_id": NOBODY,
        "platform": channel.platform,
        "tenant": channel.tenant,
        "channel": channel.external_id,
    }


def _of_reader(
    organization_id: OrganizationId, person_id: PersonId | None, channel: Channel | None
) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [subscriptions.c.organization_id == organization_id]
    conditions += [subscriptions.c[name] == value for name, value in _reader_values(person_id, channel).items()]
    return conditions


def _subscription_of(values: Sequence[Any]) -> Subscription:
    row_id, organization_id, person_id, platform, tenant, channel, network, client_id, created_at = values
    return Subscription(
        id=SubscriptionId(row_id),
        organization_id=OrganizationId(organization_id),
        person_id=PersonId(person_id),
        channel=Channel(platform=platform, tenant=tenant, external_id=channel) if channel else None,
        network=network or None,
        client_id=client_id,
        created_at=created_at,
    )
