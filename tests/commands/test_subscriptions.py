"""Opting in and out: oneself, or a channel, for just what was said."""

from dataclasses import replace

import pytest

from commands.actions import subscribe_action
from commands.model import Channel, Subscription
from tests.commands.plain import buttons, plain, token
from tests.commands.world import CHANNEL, DIRECT, HERE, PLATFORM, SHARED, TENANT, World

SUBSCRIBE, UNSUBSCRIBE = "subscribe-lapses", "unsubscribe-lapses"


async def subscriptions(world: World) -> list[Subscription]:
    async with world.storage.reading() as uow:
        return list(await uow.subscriptions.all(world.organization.id))


async def audited(world: World) -> list[str]:
    async with world.storage.reading() as uow:
        return [entry.action for entry in reversed(await uow.audit.latest(world.organization.id, limit=50))]


@pytest.mark.behaviour("C-5")
@pytest.mark.parametrize(
    ("typed", "said", "wanted"),
    [
        ("all", "every lapse", [(None, None)]),
        ("tiktok", "TikTok lapses", [("tiktok", None)]),
        ("acme", "lapses of client Acme", [(None, "Acme")]),
        ("tt client:Acme", "TikTok lapses of client Acme", [("tiktok", "Acme")]),
        ("tiktok linkedin", "TikTok lapses and LinkedIn lapses", [("tiktok", None), ("linkedin", None)]),
    ],
)
async def test_one_opts_in_to_just_what_one_said(
    world: World, typed: str, said: str, wanted: list[tuple[str | None, str | None]]
) -> None:
    message = await world.typed("raj", SUBSCRIBE, typed)
    assert plain(message) == f"✅ From now on you hear of *{said}*, by direct message."
    got = {(each.network, each.client_id) for each in await subscriptions(world)}
    assert got == {(network, world.clients[client] if client else None) for network, client in wanted}
    assert await audited(world) == ["subscription.added"] * len(wanted)
    async with world.storage.reading() as uow:
        entries = await uow.audit.latest(world.organization.id, limit=50)
    details = {(each.detail["network"], each.detail["client"]) for each in entries}
    assert details == {(network or "all", client or "all") for network, client in wanted}, "the audit log says which"


@pytest.mark.behaviour("C-5")
async def test_asking_twice_changes_nothing_and_says_so(world: World) -> None:
    await world.typed("raj", SUBSCRIBE, "tiktok")
    said = plain(await world.typed("raj", SUBSCRIBE, "tiktok linkedin"))
    assert said == (
        "✅ From now on you hear of *LinkedIn lapses*, by direct message.\n"
        "You hear of *TikTok lapses* already; nothing changed."
    )
    assert len(await subscriptions(world)) == 2


@pytest.mark.behaviour("C-5")
async def test_no_words_show_what_there_is_and_offer_buttons(world: World) -> None:
    message = await world.typed("raj", SUBSCRIBE)
    assert plain(message).startswith("You hear of no lapses yet.")
    assert list(buttons(message)) == ["Tell me of every lapse", "LinkedIn lapses", "TikTok lapses"]
    assert await subscriptions(world) == []
    pressed = await world.pressed("raj", token(message, "TikTok lapses"))
    assert plain(pressed) == "✅ From now on you hear of *TikTok lapses*, by direct message."


@pytest.mark.behaviour("C-5")
async def test_list_shows_the_askers_own_and_changes_nothing(world: World) -> None:
    await world.typed("raj", SUBSCRIBE, "tiktok acme")
    await world.typed("ana", SUBSCRIBE, "all")
    said = plain(await world.typed("raj", SUBSCRIBE, "list"))
    assert "• *TikTok lapses of client Acme*, since <day Mon 23 Nov 09:00>" in said
    assert "every lapse" not in said.replace("/subscribe-lapses all", "")


@pytest.mark.behaviour("C-5")
@pytest.mark.behaviour("N-9")
async def test_here_subscribes_the_channel_and_names_who_set_it_up(world: World) -> None:
    message = await world.typed("raj", SUBSCRIBE, "here tiktok")
    assert plain(message) == "✅ From now on this channel hears of *TikTok lapses*. Set up by Raj Patel."
    [made] = await subscriptions(world)
    assert made.channel == Channel(platform=PLATFORM, tenant=TENANT, external_id=CHANNEL)
    assert made.person_id == world.people["raj"].id
    listed = plain(await world.typed("ada", SUBSCRIBE, "here list"))
    assert "• *TikTok lapses*, since <day Mon 23 Nov 09:00>, set up by Raj Patel" in listed


@pytest.mark.behaviour("C-5")
@pytest.mark.parametrize("command", [SUBSCRIBE, UNSUBSCRIBE])
async def test_an_owner_does_not_speak_for_a_channel(world: World, command: str) -> None:
    said = plain(await world.typed("ana", command, "here all"))
    assert said == "What a channel hears is set by staff and administrators. Ask Ada King."
    assert await subscriptions(world) == []


@pytest.mark.behaviour("C-5")
async def test_a_channel_that_outsiders_read_needs_an_administrator(world: World) -> None:
    said = plain(await world.typed("raj", SUBSCRIBE, "here", place=SHARED))
    assert said == "People from outside read this channel, so an administrator has to set it up. Ask Ada King."
    assert await subscriptions(world) == []
    await world.typed("ada", SUBSCRIBE, "here", place=SHARED)
    assert len(await subscriptions(world)) == 1


@pytest.mark.behaviour("C-5")
async def test_a_channel_of_which_it_is_not_known_who_reads_it_needs_an_administrator(world: World) -> None:
    """And nobody is locked out of their own private answers by it."""
    unknown = replace(HERE, is_shared=None)
    said = plain(await world.typed("raj", SUBSCRIBE, "here", place=unknown))
    assert said == (
        "I could not find out whether people from outside read this channel, so an administrator has to set it up. "
        "Ask Ada King."
    )
    assert await subscriptions(world) == []
    assert "Acme DE" in plain(await world.typed("raj", "lapsed", place=unknown))
    assert "you hear of" in plain(await world.typed("raj", SUBSCRIBE, "tiktok", place=unknown))
    await world.typed("ada", SUBSCRIBE, "here", place=unknown)
    assert len(await subscriptions(world)) == 2


async def test_here_means_a_channel_not_a_direct_message(world: World) -> None:
    said = plain(await world.typed("raj", SUBSCRIBE, "here", place=DIRECT))
    assert said.startswith("“here” means a channel")


@pytest.mark.behaviour("N-8")
async def test_limited_staff_cannot_name_other_clients(world: World) -> None:
    assert plain(await world.typed("sam", SUBSCRIBE, "here client:Brio")).startswith(
        "I don't know a client called “Brio”."
    )
    assert plain(await world.pressed("sam", subscribe_action(None, world.clients["Brio"]))).startswith(
        "This button is out of date."
    )
    said = plain(await world.typed("sam", SUBSCRIBE, "here"))
    assert said == "✅ From now on this channel hears of *every lapse* that you may see. Set up by Sam Lee."


@pytest.mark.behaviour("N-8")
async def test_a_channels_list_leaves_out_clients_that_the_asker_may_not_see(world: World) -> None:
    await world.typed("raj", SUBSCRIBE, "here brio")
    said = plain(await world.typed("sam", SUBSCRIBE, "here list"))
    assert "Brio" not in said
    assert "more" not in said


@pytest.mark.behaviour("C-5")
async def test_opting_out_ends_just_what_was_said(world: World) -> None:
    await world.typed("raj", SUBSCRIBE, "tiktok linkedin")
    said = plain(await world.typed("raj", UNSUBSCRIBE, "tiktok"))
    assert said == "You no longer hear of *TikTok lapses*.\nYou hear of 1 other thing still."
    assert [each.network for each in await subscriptions(world)] == ["linkedin"]
    assert (await audited(world)).count("subscription.ended") == 1


@pytest.mark.behaviour("C-5")
async def test_opting_out_of_what_was_not_subscribed_says_so(world: World) -> None:
    await world.typed("raj", SUBSCRIBE, "tiktok")
    said = plain(await world.typed("raj", UNSUBSCRIBE, "linkedin"))
    assert said.startswith("You were not subscribed to *LinkedIn lapses*; nothing changed.")
    assert len(await subscriptions(world)) == 1


@pytest.mark.behaviour("C-5")
async def test_everything_ends_all_of_the_readers_own(world: World) -> None:
    await world.typed("raj", SUBSCRIBE, "tiktok linkedin")
    await world.typed("raj", SUBSCRIBE, "here")
    await world.typed("raj", UNSUBSCRIBE, "everything")
    assert [each.channel is not None for each in await subscriptions(world)] == [True]
    await world.typed("raj", UNSUBSCRIBE, {"here": "yes", "everything": "yes"})
    assert await subscriptions(world) == []
    assert plain(await world.typed("raj", UNSUBSCRIBE, "everything")) == "There was nothing to end; nothing changed."


@pytest.mark.behaviour("P-5")
async def test_limited_staff_do_not_end_what_reaches_beyond_them(world: World) -> None:
    await world.typed("raj", SUBSCRIBE, "here")
    said = plain(await world.typed("sam", UNSUBSCRIBE, "here everything"))
    assert said.startswith("Some of this was set up for more than you may see")
    assert len(await subscriptions(world)) == 1


@pytest.mark.behaviour("C-9")
async def test_both_forms_subscribe_alike(world: World) -> None:
    by_words = await world.typed("raj", SUBSCRIBE, "tiktok client:Acme")
    by_options = await world.typed("ana", SUBSCRIBE, {"network": "tiktok", "client": "Acme"})
    assert plain(by_words).split("*")[1] == "TikTok lapses of client Acme"
    assert "Acme" in plain(by_options)


async def test_too_many_at_once_are_refused(world: World) -> None:
    for index in range(30):
        await world.add_client(f"Client{index}")
    names = " ".join(f"Client{index}" for index in range(30))
    assert plain(await world.typed("raj", SUBSCRIBE, names)).startswith("That is 30 subscriptions at once")
