"""What chat says of networks that are read with keys, and of those that the host product keeps."""

import pytest

from commands.model import ConnectionState, Verdict
from commands.ports.network import KeyField, KeyForm, NetworkKind, OwnPage
from tests.commands.plain import address, plain
from tests.commands.world import World
from tests.support.network import FakeNetwork, spec

KEYED = spec(
    "letterly",
    name="Letterly",
    kind=NetworkKind.API_KEY,
    permissions=(),
    reconnect_requirement="the Owner role at Letterly",
    key_form=KeyForm(called="API key", fields=(KeyField(name="key", label="API key"),)),
)
HOSTED = spec(
    "suite",
    name="Suite Social",
    kind=NetworkKind.HOSTED,
    permissions=(),
    reconnect_requirement="an Acme Suite login",
    own_page=OwnPage(product="Acme Suite", reconnect_url="https://suite.example.com/{account_id}"),
)


@pytest.fixture
async def mixed(world: World) -> World:
    """The agency with two keys that were refused, Ana's and Raj's, and a hosted account of Ana's that was reported."""
    networks = world.services.networks
    assert isinstance(networks, dict)
    networks |= {one.slug: FakeNetwork(one) for one in (KEYED, HOSTED)}
    for client, connector in (("Acme", "ana"), ("Brio", "raj")):
        await world.add_authorization("letterly", connector)
        await world.add_connection(f"{client} Letters", "letterly", client, connector=connector, cause=Verdict.REVOKED)
    await world.add_connection("Acme Posts", "suite", "Acme", owner="ana")
    await world.lapse("Acme Posts", Verdict.REPORTED)
    return world


@pytest.mark.behaviour("R-9", "C-6")
async def test_every_key_has_a_link_of_its_own_that_says_enter_key(mixed: World) -> None:
    message = await mixed.typed("ada", "reconnect", "letterly")
    assert "one login repairs" not in plain(message)
    assert address(message, "Enter key 1") != address(message, "Enter key 2")


@pytest.mark.behaviour("R-9")
async def test_what_a_key_needs_is_said_without_a_word_of_logging_in(mixed: World) -> None:
    said = plain(await mixed.typed("ana", "reconnect", "acme letters"))
    assert "It is mended by entering a new API key, in about a minute. It takes the Owner role at Letterly." in said
    assert "Enter key" in said
    assert "log in with" not in said


@pytest.mark.behaviour("C-7")
async def test_connect_says_what_to_have_ready(mixed: World) -> None:
    assert "Have the API key of one account ready" in plain(await mixed.typed("ana", "connect", "letterly"))
    assert "Acme Suite keeps the connections of Suite Social." in plain(await mixed.typed("ana", "connect", "suite"))


@pytest.mark.behaviour("D-8")
async def test_a_hosted_connection_that_is_to_be_checked_now_says_who_keeps_it(mixed: World) -> None:
    said = plain(await mixed.typed("ana", "lapsed", "check acme posts"))
    assert "Acme Suite keeps this connection and tells us how it is, so we cannot check it ourselves." in said
    assert "It has not worked since" in said
    assert mixed.checker.asked == []


async def test_a_hosted_connection_is_reconnected_by_a_link_of_ours(mixed: World) -> None:
    said = plain(await mixed.typed("ana", "reconnect", "acme posts"))
    assert "It is mended in Acme Suite, which keeps the connection, in about a minute." in said
    assert "suite.example.com" not in said
    async with mixed.storage.reading() as uow:
        connection = await uow.connections.get(mixed.organization.id, mixed.connections["Acme Posts"])
    assert connection.state is ConnectionState.LAPSED
