"""What a platform says by itself."""

from datetime import timedelta

import pytest

from commands import signals
from commands.ports.chat import AccountChanged
from tests.commands.world import PLATFORM, TENANT, World


@pytest.mark.behaviour("X-6")
async def test_a_change_to_an_account_that_is_gone_has_it_looked_at_again(world: World) -> None:
    organization_id, person_id = world.organization.id, world.people["raj"].id
    later = world.clock.now() + timedelta(days=30)
    async with world.storage.transaction() as uow:
        (identity,) = (await uow.people.identities(organization_id, [person_id]))[person_id]
        await uow.people.looked_at(organization_id, identity.id, at=world.clock.now(), gone=True, time_zone=None)
    due = await world.storage.queues.due_profiles(looked_before=later, limit=99)
    assert identity.id not in [each.id for each in due]
    changed = AccountChanged(platform=PLATFORM, tenant=TENANT, user=identity.user)
    for _ in range(2):
        await signals.take(world.services, changed)
    due = await world.storage.queues.due_profiles(looked_before=later, limit=99)
    assert identity.id in [each.id for each in due]
