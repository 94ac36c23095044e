"""`/lapse-admin` about whoever leaves or becomes something else: what hangs on them, and what they were handed out."""

import pytest

from commands import actions
from commands.model import Role
from commands.ports.events import EventKind
from commands.ports.reconnecting import PassPurpose
from tests.commands.admin import events, says
from tests.commands.plain import plain
from tests.commands.world import World


@pytest.mark.behaviour("A-5", "X-6")
async def test_whoever_leaves_is_ended_here_and_what_hangs_on_them_is_told_and_offered(world: World) -> None:
    await world.typed("raj", "subscribe-lapses", "all")
    await world.typed("raj", "subscribe-lapses", "here tiktok")
    await world.typed("ada", "lapse-admin", "transfer Brio Live to raj")
    said = await says(world, "ada", "leaves raj to ana")
    assert said.splitlines()[:8] == [
        "✅ *Raj Patel* has left: they can see and do nothing here any more, and hear of nothing.",
        "2 logins of theirs keep 3 accounts connected:",
        "• *TikTok* · Raj Patel: Brio 2",
        "• *LinkedIn* · Raj Patel: Acme 1",
        "It goes on working for now. Ana Ruiz is asked to take it over.",
        "Raj Patel owns 1 account; to pass them on, one business at a time:",
        "`/lapse-admin transfer ACCOUNT to Ana Ruiz`",
        "Channel `C1` no longer hears of TikTok lapses: it heard as far as Raj Patel could see.",
    ]
    async with world.storage.reading() as uow:
        left = await uow.people.get(world.organization.id, world.people["raj"].id)
        subscriptions = await uow.subscriptions.all(world.organization.id)
    assert left.left_at is not None
    assert left.deputy_id == world.people["ana"].id
    assert subscriptions == []
    assert plain(await world.typed("raj", "lapsed")).startswith("I don't know who you are yet.")
    (gone,) = await events(world, EventKind.PERSON_GONE)
    assert gone.person_id == left.id
    async with world.storage.reading() as uow:
        entries = await uow.audit.latest(world.organization.id, limit=99)
    (parting,) = [each for each in entries if each.action == "person.left"]
    assert parting.detail["opt_ins_ended"] == "2"
    assert {each.detail["network"] for each in entries if each.action == "subscription.ended"} == {"all", "tiktok"}


@pytest.mark.behaviour("A-5")
async def test_personal_links_of_whoever_leaves_end(world: World) -> None:
    await world.pressed("ada", actions.copy_link_action(world.people["olga"].id))
    await says(world, "ada", "leaves olga")
    async with world.storage.reading() as uow:
        passes = await uow.passes.of(world.organization.id, world.people["olga"].id, PassPurpose.ACCOUNTS)
    assert all(one.withdrawn_at is not None for one in passes)


@pytest.mark.behaviour("A-1", "P-6")
@pytest.mark.parametrize("change", ["leaves otto@example.com", "role otto@example.com staff"])
async def test_links_that_an_administrator_handed_out_end_when_they_are_none_any_more(
    world: World, change: str
) -> None:
    await world.add_person("Otto Admin", Role.ADMINISTRATOR)
    await world.typed("otto", "lapse-admin", "link olga")
    await world.pressed("otto", actions.copy_link_action(world.people["olga"].id))
    assert await handed_out(world, "olga") == [True, True]
    await says(world, "ada", change)
    assert await handed_out(world, "olga") == [False, False]


@pytest.mark.behaviour("A-1", "P-6")
async def test_links_handed_out_for_somebody_end_when_they_become_primary_administrator(world: World) -> None:
    await world.add_person("Eva Next", Role.ADMINISTRATOR)
    await says(world, "ada", "link eva@example.com")
    await world.pressed("ada", actions.copy_link_action(world.people["eva"].id))
    assert await handed_out(world, "eva") == [True, True]
    await says(world, "ada", "role eva@example.com primary administrator")
    assert await handed_out(world, "eva") == [False, False]


async def handed_out(world: World, who: str) -> list[bool]:
    """Whether each link that was made for a person's hand works, one-time links first."""
    async with world.storage.reading() as uow:
        made = [
            one
            for purpose in (PassPurpose.IDENTITY, PassPurpose.ACCOUNTS)
            for one in await uow.passes.of(world.organization.id, world.people[who].id, purpose)
        ]
    return [one.withdrawn_at is None for one in made]


@pytest.mark.behaviour("A-5")
async def test_somebody_who_left_is_nobody_to_give_things_to_but_can_come_back(world: World) -> None:
    await says(world, "ada", "leaves raj")
    for words in ("transfer Brio Live to raj", "send-link raj", "assign Acme DE to raj"):
        assert "*Raj Patel* has left." in await says(world, "ada", words)
    assert "has left" in plain(await world.pressed("ada", actions.send_link_action(world.people["raj"].id)))
    assert "✅ *Raj Patel* is back, and is staff" in await says(world, "ada", "role raj staff")
    assert "Needs connecting" in plain(await world.typed("raj", "lapsed"))


@pytest.mark.behaviour("X-6")
async def test_the_radar_shows_what_hangs_on_each_person_by_client(world: World) -> None:
    said = await says(world, "ada", "people")
    assert "Of 6 accounts, most depend on Raj Patel (3) and Ana Ruiz (2)." in said
    assert "👤 *Ana Ruiz* · ana@example.com · owner · 1 TikTok: Acme 1, Brio 1 [Change] [Accounts]" in said
    one = await says(world, "ada", "people ana")
    assert "1 login of theirs keeps 2 accounts connected:\n• *TikTok* · Ana Ruiz: Acme 1, Brio 1" in one
    assert "Chat accounts: 1 linked" in one
