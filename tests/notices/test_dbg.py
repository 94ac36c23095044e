from tests.notices.world import World
async def test_x(world: World) -> None:
    cs = await world.connections(1)
    await world.lapse(*cs)
    await world.tell()
    print(await world.deliveries())
    await world.end(*cs, by=world.ana)
    print(await world.plan())
    print(await world.deliveries())
    print(await world.storage.queues.lanes_due(world.clock.now()))
    l=world.loop(); print(await l.run_once(), world.chat.calls)
    print(await world.deliveries())
