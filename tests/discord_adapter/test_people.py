"""What a user is now, and the servers that let the bot in or put it out."""

import asyncio

import pytest

from commands.errors import DeliveryError, DeliveryErrorKind
from commands.ports.chat import AccountKind, InstallationChanged, Profile
from tests.discord_adapter.loopback import ANA, GUILD, MEI, OTHER_GUILD, ROBOT, Answering, Loopback


@pytest.mark.behaviour("A-5")
async def test_somebody_who_left_the_server_is_gone(discord: Loopback) -> None:
    """With the name that Discord still has of them; back again, they are a member."""
    here = str(GUILD)
    ana = Profile(kind=AccountKind.MEMBER, name="Ana Ruiz")
    assert await discord.platform.profile(here, str(ANA)) == ana
    await discord.people.remove_member(GUILD, ANA)
    assert await discord.platform.profile(here, str(ANA)) == Profile(kind=AccountKind.GONE, name="Ana Ruiz")
    await discord.people.add_member(GUILD, ANA)
    assert await discord.platform.profile(here, str(ANA)) == ana


async def test_a_bot_is_one_and_an_account_that_was_deleted_is_gone(discord: Loopback) -> None:
    """Row 26."""
    assert (await discord.platform.profile(str(GUILD), str(ROBOT))).kind is AccountKind.BOT
    assert await discord.platform.profile(str(GUILD), "1") == Profile(kind=AccountKind.GONE, name="")
    assert await discord.platform.profile("", "1") == Profile(kind=AccountKind.GONE, name="")


async def test_without_a_server_the_account_itself_is_asked_for(discord: Loopback) -> None:
    """A Discord account belongs to no server: it is there until it is deleted."""
    assert await discord.platform.profile("", str(MEI)) == Profile(kind=AccountKind.MEMBER, name="Mei Lin")
    assert (await discord.platform.profile("", str(ROBOT))).kind is AccountKind.BOT


async def test_a_server_that_put_the_bot_out_tells_nothing_of_its_people(discord: Loopback) -> None:
    """That we are not let in says nothing about anybody: it is an error, not a verdict."""
    await discord.people.kick_bot(GUILD)
    with pytest.raises(DeliveryError) as raised:
        await discord.platform.profile(str(GUILD), str(ANA))
    assert raised.value.code == "10004"


async def test_an_outage_says_nothing_about_anybody(discord: Loopback) -> None:
    await discord.people.fault("error", "GET /guilds/*", status=503, times=5)
    with pytest.raises(DeliveryError) as raised:
        await discord.platform.profile(str(GUILD), str(ANA))
    assert raised.value.kind is DeliveryErrorKind.RETRY


async def _signalled(inbound: Answering) -> InstallationChanged:
    await asyncio.wait_for(inbound.signalled.wait(), 5)
    inbound.signalled.clear()
    signal = inbound.signals[-1]
    assert isinstance(signal, InstallationChanged)
    return signal


@pytest.mark.behaviour("A-8")
async def test_being_put_out_of_a_server_and_let_in_is_told(discord: Loopback, inbound: Answering) -> None:
    """Rows 25 and 34; an outage of a server is neither."""
    await discord.people.switch_guild(GUILD, available=False)
    await discord.people.switch_guild(GUILD, available=True)
    await discord.people.kick_bot(GUILD)
    put_out = await _signalled(inbound)
    assert (put_out.platform, put_out.tenant, put_out.alive) == ("discord", str(GUILD), False)
    assert put_out.at == discord.clock.now()
    await discord.people.install_bot(GUILD)
    assert (await _signalled(inbound)).alive
    await discord.people.install_bot(OTHER_GUILD)
    assert (await _signalled(inbound)).tenant == str(OTHER_GUILD)
    assert len(inbound.signals) == 3
