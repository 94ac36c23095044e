"""A network whose lapses reach fewer than two people is told so, once a week (N-13)."""

from datetime import timedelta
from uuid import uuid4

import pytest

from bot.notices.audience import Circle
from bot.notices.data import NAMES, NETWORKS, WEEK
from bot.notices.drills import Played, cast
from bot.notices.reach import thin_networks
from commands.ids import ClientId, ConnectionId, PersonId, WorkspaceId
from commands.model import Channel, Connection, ConnectionState, ConnectionView, Person, Role, Subscription, Workspace
from commands.ports.notices import NoticeKind
from tests.notices.cases import ACME, BRIO, NEWS, person, subscription
from tests.notices.world import World

ANA, OTTO, MEI, CHIEF = person(1), person(2), person(3, Role.STAFF), person(4, Role.PRIMARY_ADMINISTRATOR)
LEE = person(5, Role.STAFF, client_ids=frozenset({BRIO}))
EVERYBODY = {one.id: one for one in (ANA, OTTO, MEI, CHIEF, LEE)}


def row(connector: Person | None = None, owner: Person | None = None, network: str = "examplenet") -> Played:
    connection = Connection(
        id=ConnectionId(uuid4()),
        organization_id=ANA.organization_id,
        client_id=ACME,
        network=network,
        account_id="",
        account_name="",
        state=ConnectionState.LAPSED,
        connector_id=connector.id if connector else None,
        owner_id=owner.id if owner else None,
    )
    view = ConnectionView(connection=connection, client_name="", connector=connector, owner=owner, lapse=None)
    return Played(view, 3)


def workspace(channel: Channel, *clients: ClientId) -> Workspace:
    return Workspace(
        id=WorkspaceId(uuid4()),
        organization_id=ANA.organization_id,
        platform=channel.platform,
        external_id=channel.tenant,
        name="A client's own",
        client_ids=frozenset(clients),
    )


def thin(
    *rows: Played,
    administrators: tuple[Person, ...] = (),
    subscriptions: tuple[Subscription, ...] = (),
    workspaces: tuple[Workspace, ...] = (),
    lost: frozenset[PersonId] = frozenset(),
) -> list[str]:
    circle = Circle(
        administrators=administrators, subscriptions=subscriptions, subscribers=EVERYBODY, workspaces=workspaces
    )
    return thin_networks(cast(rows, circle), reachable=EVERYBODY.keys() - lost)


@pytest.mark.behaviour("N-13")
def test_fewer_than_two_readers_are_thin() -> None:
    assert thin(row(ANA)) == ["examplenet"]
    assert thin(row(ANA, ANA)) == ["examplenet"], "one person in two parts is one person"
    assert thin(row(ANA, OTTO)) == []
    assert thin(row(ANA, OTTO), lost=frozenset({OTTO.id})) == ["examplenet"], "whom nothing reaches does not count"
    assert thin(row(ANA), administrators=(CHIEF,)) == []
    assert thin(row(ANA), administrators=(ANA,)) == ["examplenet"]
    assert thin(row(ANA, OTTO), row(ANA, network="othernet")) == ["othernet"]


@pytest.mark.behaviour("N-13")
def test_opt_ins_count_for_what_they_cover_and_their_reader_may_see() -> None:
    assert thin(row(ANA), subscriptions=(subscription(1, MEI),)) == []
    assert thin(row(ANA), subscriptions=(subscription(1, MEI, channel=NEWS),)) == []
    assert thin(row(ANA), subscriptions=(subscription(1, MEI, network="othernet"),)) == ["examplenet"]
    assert thin(row(ANA), subscriptions=(subscription(1, MEI, client=BRIO),)) == ["examplenet"]
    assert thin(row(ANA), subscriptions=(subscription(1, LEE),)) == ["examplenet"]
    assert thin(row(ANA), subscriptions=(subscription(1, OTTO),)) == ["examplenet"], "owners see only their own"


@pytest.mark.behaviour("N-13", "X-11")
def test_a_channel_of_a_workspace_narrowed_to_other_clients_hears_nothing() -> None:
    opted_in = (subscription(1, MEI, channel=NEWS),)
    assert thin(row(ANA), subscriptions=opted_in, workspaces=(workspace(NEWS, ACME),)) == []
    assert thin(row(ANA), subscriptions=opted_in, workspaces=(workspace(NEWS, BRIO),)) == ["examplenet"]


@pytest.mark.behaviour("N-13")
def test_a_channel_hears_though_nothing_reaches_whoever_set_it_up() -> None:
    opted_in = (subscription(1, MEI, channel=NEWS),)
    assert thin(row(ANA), subscriptions=opted_in, lost=frozenset({MEI.id})) == []


@pytest.mark.behaviour("N-13")
async def test_administrators_are_told_once_a_week_in_working_hours(world: World) -> None:
    await world.connections(1)
    for _ in range(3):
        await world.reach().run_once()
        await world.plan()
    assert await world.notices(NoticeKind.THIN_REACH) == [], "there is nobody to tell"
    await world.person("Raj", Role.ADMINISTRATOR, email=None, chat=None, immediate_notices=False)
    world.clock.advance(timedelta(days=7))
    chief = await world.person("Chief", Role.PRIMARY_ADMINISTRATOR)
    await world.gone(world.ana)
    await world.change(world.ana, email=None)
    for _ in range(3):
        await world.reach().run_once()
        await world.plan()
    (notice,) = await world.notices(NoticeKind.THIN_REACH)
    assert (notice.person_id, notice.data) == (chief.id, {NETWORKS: "examplenet", WEEK: "2026-W49"})
    assert set(notice.data) <= NAMES[NoticeKind.THIN_REACH]
    world.clock.advance(timedelta(days=7, hours=12))
    await world.reach().run_once()
    await world.plan()
    assert len(await world.notices(NoticeKind.THIN_REACH)) == 1, "it is night"
    world.clock.advance(timedelta(hours=12))
    await world.reach().run_once()
    await world.plan()
    assert len(await world.notices(NoticeKind.THIN_REACH)) == 2
