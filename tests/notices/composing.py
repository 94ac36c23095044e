"""Writing notices straight into a store, and composing their messages."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine, delete, event, update

from bot.notices.composer import Composer, Suppress
from commands.ids import AuthorizationId, DeliveryId, LapseId, NoticeId, new_id
from commands.messages import Message
from commands.model import Channel, Person
from commands.ports.chat import Address, AddressKind, MessageRef
from commands.ports.notices import Delivery, DeliveryState, Notice, NoticeKind, Part, Priority
from storage.tables import authorizations, deliveries, notice_authorizations, notice_lapses, notices
from tests.notices.world import PUBLIC_URL, World
from tests.support.chat import FakeChat

NEWS = Channel(platform="examplechat", tenant="T1", external_id="C1")


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


def composer(world: World) -> Composer:
    return Composer(networks=world.networks, clock=world.clock, public_url=PUBLIC_URL, platforms=world.chats)


async def compose(world: World) -> dict[str, list[Message | Suppress]]:
    """Compose everything that was planned, by address."""
    planned = await world.deliveries()
    async with world.storage.transaction() as uow:
        composed = await composer(world).compose(uow, planned)
    found: dict[str, list[Message | Suppress]] = {}
    for delivery in planned:
        found.setdefault(delivery.address.external_id, []).append(composed[delivery.id])
    return found


async def told(
    world: World,
    kind: NoticeKind,
    part: Part,
    reader: Person,
    *,
    lapses: list[LapseId] | None = None,
    data: Mapping[str, str] | None = None,
    channel: Channel | None = None,
    platform: str = "examplechat",
    authorization: AuthorizationId | None = None,
    shown: bool = False,
    state: DeliveryState = DeliveryState.SENDING,
    kind_of_address: AddressKind = AddressKind.DIRECT,
) -> Message | Suppress:
    """Write a notice in place of all others, and compose its message. `shown`: it was posted already."""
    for table in (deliveries, notice_authorizations, notice_lapses, notices):
        await write(world, delete(table))
    now = world.clock.now()
    notice = Notice(
        id=NoticeId(new_id(now)),
        organization_id=world.organization.id,
        kind=kind,
        part=part,
        person_id=reader.id,
        channel=channel,
        lapse_ids=tuple(lapses or ()),
        created_at=now,
        authorization_ids=(authorization,) if authorization is not None else (),
        data=data or {},
    )
    ref = MessageRef(platform=platform, tenant="T1", destination="D1", message="1") if shown else None
    delivery = Delivery(
        id=DeliveryId(new_id(now)),
        organization_id=world.organization.id,
        notice_id=notice.id,
        address=Address(
            platform=platform,
            tenant="T1",
            kind=AddressKind.CHANNEL if channel else kind_of_address,
            external_id=channel.external_id if channel else reader.name,
        ),
        lane=f"{platform}:T1",
        priority=Priority.FIRST,
        state=state,
        wanted=1,
        shown=0,
        ref=ref,
        attempts=0,
        next_at=now,
        created_at=now,
    )
    async with world.storage.transaction() as uow:
        await uow.notices.plan([notice], [delivery])
        return (await composer(world).compose(uow, [delivery]))[delivery.id]


def message(composed: Message | Suppress) -> Message:
    assert isinstance(composed, Message), composed
    return composed


async def write(world: World, statement: Any) -> None:
    async with world.storage.writing_work() as work:
        await work.run(statement)


def mail(world: World) -> str:
    """Add a platform whose readers may have no chat account."""
    world.chats["mail"] = FakeChat(
        name="mail", label="Email", personal_links=True, addressed_by_email=True, finds_by_email=False
    )
    return "mail"


async def ending(world: World, days: int = 7) -> tuple[AuthorizationId, str]:
    """A login that ends in so many days, with two accounts."""
    login = await world.login()
    for client in (world.acme, world.brio):
        await world.connection(login, client=client)
    ends = world.clock.now() + timedelta(days=days)
    await write(world, update(authorizations).where(authorizations.c.id == login).values(ends_at=ends))
    return login, ends.isoformat()
