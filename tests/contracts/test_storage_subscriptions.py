"""Opt-ins, over both databases."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from commands.ids import SubscriptionId, new_id
from commands.model import (
    Channel,
    Subscription,
)
from storage import SqlStorage
from tests.support.clock import FakeClock
from tests.support.seed import fresh_storage, seed


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def storage(database_url: str, clock: FakeClock) -> AsyncIterator[SqlStorage]:
    async with fresh_storage(database_url, clock) as opened:
        yield opened


@pytest.mark.behaviour("C-5")
async def test_opting_in_twice_changes_nothing(storage: SqlStorage, clock: FakeClock) -> None:
    seeded = await seed(storage, clock.now())
    channel = Channel(platform="slack", tenant="T1", external_id="C1")

    def wish(**changes: object) -> Subscription:
        plain: dict[str, object] = {
            "id": SubscriptionId(new_id(clock.now())),
            "organization_id": seeded.organization_id,
            "person_id": seeded.ana.id,
            "channel": None,
            "network": None,
            "client_id": None,
            "created_at": clock.advance(timedelta(seconds=1)),
        }
        return Subscription(**{**plain, **changes})  # type: ignore[arg-type]  # a test names the fields

    everything, tiktok = wish(), wish(network="tiktok")
    acme = wish(network="tiktok", client_id=seeded.acme.id)
    here = wish(channel=channel, person_id=seeded.raj.id)
    async with storage.transaction() as uow:
        for new in (everything, tiktok, acme, here):
            assert await uow.subscriptions.add(new)
        assert not await uow.subscriptions.add(wish())
        assert not await uow.subscriptions.add(wish(network="tiktok", client_id=seeded.acme.id))
        assert not await uow.subscriptions.add(wish(channel=channel)), "the channel reads it already, whoever asks"
        organization_id = seeded.organization_id
        assert await uow.subscriptions.of(organization_id, person_id=seeded.ana.id, channel=None) == [
            everything,
            tiktok,
            acme,
        ]
        assert await uow.subscriptions.of(organization_id, person_id=None, channel=channel) == [here]
        assert len(await uow.subscriptions.all(organization_id)) == 4
        of_readers = uow.subscriptions.of_readers
        assert await of_readers(organization_id, []) == []
        asked = [(seeded.ana.id, None), (seeded.raj.id, channel), (seeded.raj.id, channel), (seeded.bo.id, None)]
        assert set(await of_readers(organization_id, asked)) == {everything, tiktok, acme, here}
        assert await of_readers(organization_id, [(seeded.raj.id, None), (seeded.ana.id, channel)]) == []

        async def remove(network: str | None, *, everything: bool = False, of: Channel | None = None) -> int:
            return await uow.subscriptions.remove(
                organization_id,
                person_id=seeded.ana.id,
                channel=of,
                network=network,
                client_id=None,
                everything=everything,
            )

        assert await remove("tiktok") == 1
        assert await remove("tiktok") == 0
        assert await remove(None, everything=True) == 2
        assert await remove(None, everything=True, of=channel) == 1
