"""Messages composed at the moment of sending, from what holds then."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event, update

from bot.notices.composer import Composer, Suppress
from commands.messages import Message
from commands.model import Role
from commands.ports.chat import AddressKind
from commands.ports.notices import DeliveryState
from storage.tables import people
from tests.commands.plain import plain
from tests.notices.world import PUBLIC_URL, World


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements that reach the database meanwhile."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", note)


async def compose(world: World) -> dict[str, list[Message | Suppress]]:
    """Compose everything that was planned, by address."""
    composer = Composer(networks=world.networks, clock=world.clock, public_url=PUBLIC_URL)
    deliveries = await world.deliveries()
    async with world.storage.transaction() as uow:
        composed = await composer.compose(uow, deliveries)
    found: dict[str, list[Message | Suppress]] = {}
    for delivery in deliveries:
        found.setdefault(delivery.address.external_id, []).append(composed[delivery.id])
    return found


async def test_a_batch_costs_as_many_statements_as_one_message(world: World) -> None:
    mei = await world.person("Mei", Role.STAFF)
    await world.subscribe(mei, "C0")
    await world.lapse(*await world.connections(1))
    await world.plan()
    with counted() as few:
        await compose(world)
    for number in range(1, 30):
        await world.subscribe(mei, f"C{number}")
    await world.lapse(*await world.connections(3))
    await world.plan()
    with counted() as many:
        assert sum(map(len, (await compose(world)).values())) == 2 + 3 * 31
    assert len(many) == len(few)
    assert len(few) <= 14


@pytest.mark.behaviour("N-8")
async def test_staff_limited_to_a_client_read_of_no_other(world: World) -> None:
    lee = await world.person("Lee", Role.STAFF, client_ids=frozenset({world.brio}))
    await world.subscribe(lee, "C1")
    login = await world.login()
    await world.lapse(
        *[await world.connection(login) for _ in range(2)],
        *[await world.connection(login, client=world.brio) for _ in "12"],
    )
    await world.plan()
    texts = [plain(message) for message in (await compose(world))["C1"] if isinstance(message, Message)]
    assert len(texts) == 2
    assert all("Brio" in text and "Acme" not in text for text in texts)
    assert all("2 accounts, 1 client" in text for text in texts)


async def test_a_link_is_the_readers_own_and_stays_the_same(world: World) -> None:
    otto = await world.person("Otto")
    login = await world.login()
    await world.lapse(await world.connection(login, owner=otto))
    await world.plan()
    first, again = await compose(world), await compose(world)
    assert first == again
    assert first["Ana"] != first["Otto"]
    locator = str(first["Otto"]).split(f"{PUBLIC_URL}/r/")[1][:22]
    link = await world.storage.directory.link(locator)
    assert link is not None
    assert link.person_id == otto.id


async def test_nothing_is_said_of_a_network_that_we_have_no_longer(world: World) -> None:
    world.networks.clear()
    await world.lapse(*await world.connections(1))
    await world.plan()
    assert await compose(world) == {"Ana": [Suppress("the reader may not see it any more")]}


async def test_an_address_by_email_is_direct_enough_for_a_personal_link(world: World) -> None:
    raj = await world.person("Raj", chat=None)
    await world.lapse(await world.connection(await world.login(raj), connector=raj))
    await world.plan()
    (delivery,) = await world.deliveries()
    assert delivery.address.kind is AddressKind.BY_EMAIL
    assert f"{PUBLIC_URL}/r/" in str(await compose(world))


@pytest.mark.behaviour("P-5", "N-8")
async def test_a_reader_whose_right_was_taken_away_before_the_message_left_is_sent_nothing(world: World) -> None:
    (connection,) = await world.connections(1)
    sam = await world.person("Sam", Role.STAFF)
    await world.subscribe(sam)
    await world.lapse(connection)
    await world.plan()
    async with world.storage.writing_work() as work:
        await work.run(update(people).where(people.c.id == sam.id).values(client_ids=[]))
    await world.loop().run_once()
    assert [post.address.external_id for post in world.chat.posts] == ["Ana"]
    assert (await world.outcomes())["Sam"] == [(DeliveryState.SUPPRESSED, "the reader may not see it any more")]
