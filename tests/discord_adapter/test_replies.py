"""What is told under a message: a reply to it, which outlives it."""

import pytest

from commands.errors import DeliveryError, DeliveryErrorKind
from commands.messages import say
from commands.ports.chat import AddressKind, MessageRef
from tests.discord_adapter.loopback import ANA, GENERAL, RAJ, Loopback
from tests.discord_adapter.test_post import delivery, to


@pytest.mark.behaviour("N-10")
async def test_a_claim_is_told_under_the_message_that_it_is_about(discord: Loopback) -> None:
    """As a reply, which pings nobody."""
    notice = await discord.platform.post(to(GENERAL), say("Lapsed: Acme"), delivery())
    reply = await discord.platform.post(to(GENERAL), say("Raj is on it"), delivery(), under=notice)
    seen = await discord.people.history(RAJ, GENERAL)
    assert [(one["id"], one["reply_to"]) for one in seen] == [(notice.message, None), (reply.message, notice.message)]
    assert await discord.people.pings() == []


async def test_a_reply_that_is_sent_again_shows_once(discord: Loopback) -> None:
    notice = await discord.platform.post(to(GENERAL), say("Lapsed: Acme"), delivery())
    one = delivery()
    refs = [await discord.platform.post(to(GENERAL), say("Raj is on it"), one, under=notice) for _ in range(2)]
    assert refs[0] == refs[1]
    assert len(await discord.people.history(ANA, GENERAL)) == 2


@pytest.mark.behaviour("N-10")
async def test_what_is_told_under_a_message_that_is_gone_stands_by_itself(discord: Loopback) -> None:
    """Somebody deleted the notice; that Raj is on it is still true."""
    notice = await discord.platform.post(to(GENERAL), say("Lapsed: Acme"), delivery())
    await discord.people.delete_message(notice.message)
    await discord.platform.post(to(GENERAL), say("Raj is on it"), delivery(), under=notice)
    (seen,) = await discord.people.history(ANA, GENERAL)
    assert (seen["text"], seen["reply_to"]) == ("Raj is on it", None)


async def test_a_message_of_another_channel_is_not_answered_here(discord: Loopback) -> None:
    notice = await discord.platform.post(to(GENERAL), say("Lapsed: Acme"), delivery())
    await discord.platform.post(to(ANA, AddressKind.DIRECT), say("Raj is on it"), delivery(), under=notice)
    (seen,) = await discord.people.history(ANA)
    assert seen["reply_to"] is None


async def test_a_reference_that_is_no_id_of_discords_is_not_asked_for(discord: Loopback) -> None:
    wrong = MessageRef(platform="discord", tenant="", destination=str(GENERAL), message="../1")
    with pytest.raises(DeliveryError) as raised:
        await discord.platform.post(to(GENERAL), say("x"), delivery(), under=wrong)
    assert raised.value.kind is DeliveryErrorKind.ADDRESS_GONE
