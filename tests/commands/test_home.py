"""The list as the asker's home: tabs, what is new, the banner before other answers, and administrators' ways on."""

from dataclasses import replace
from datetime import timedelta

import pytest

from commands.actions import ListView, StateFilter, claim_action, feedback_action, list_action
from commands.messages import Button, FieldErrors, Message, Rows, Style, Tone
from commands.model import Verdict
from commands.ports.chat import HomeRequest
from tests.commands.plain import buttons, paging, plain, plain_line, token
from tests.commands.test_lapsed import add_many, counted
from tests.commands.world import DIRECT, HERE, World, unbannered

BANNER = "❗ 2 accounts of yours are lapsed.\n[Show them]"


async def home(world: World, name: str) -> Message:
    return await world.dispatcher.home(HomeRequest(user=world.user(name), place=DIRECT))


def marked_new(message: Message) -> list[str]:
    """The accounts that the list marks as new."""
    rows = next((part.rows for part in message.parts if isinstance(part, Rows)), ())
    return [plain_line(row.title).split("*")[1] for row in rows if plain_line(row.detail).startswith("*new* · ")]


@pytest.mark.behaviour("C-11", "N-7")
async def test_the_home_is_the_list_with_needs_connecting_first_and_its_number(world: World) -> None:
    message = await home(world, "ada")
    assert plain(message).startswith("*❗ Needs connecting: 4* of 6 · oldest ")
    first, second = list(buttons(message).values())[:2]
    assert isinstance(first, Button)
    assert (first.label, second.label) == ("Needs connecting (4)", "Active (2)")
    assert first.style is Style.PRIMARY
    active = await world.pressed("ada", token(message, "Active (2)"))
    assert plain(active).startswith("*✅ Active: 2*")
    assert "Next to expire: LinkedIn · Acme Page, <day Sat 28 Nov 09:00>." in plain(active)
    back = await world.pressed("ada", token(active, "Needs connecting (4)"))
    assert plain(back) == plain(message)


@pytest.mark.behaviour("C-11")
async def test_the_private_list_is_the_same_document(world: World) -> None:
    await home(world, "ana")  # what is new is new once
    assert await home(world, "ana") == await world.typed_whole("ana", "lapsed", {}, place=HERE)


@pytest.mark.behaviour("N-7")
async def test_what_lapsed_since_the_list_was_last_opened_is_marked_as_new(world: World) -> None:
    assert marked_new(await home(world, "ada")) == ["Acme DE", "Brio Shop", "Old Promo"], "never opened before"
    world.clock.advance(timedelta(hours=4))
    assert marked_new(await home(world, "ada")) == []
    world.clock.advance(timedelta(hours=4))
    await world.lapse("Brio Live")
    assert marked_new(await world.typed("ada", "lapsed")) == ["Brio Live"]
    assert marked_new(await home(world, "raj")) == ["Acme DE", "Brio Shop", "Old Promo", "Brio Live"], (
        "to each their own"
    )
    world.clock.advance(timedelta(hours=4))
    assert marked_new(await home(world, "ada")) == []


@pytest.mark.behaviour("N-7")
async def test_pages_and_tabs_of_one_opening_mark_the_same_as_new(world: World) -> None:
    await add_many(world, 9)
    first = await home(world, "ada")
    second = await world.pressed("ada", paging(first).following)
    again = await world.pressed("ada", paging(second).previous)
    assert marked_new(again) == marked_new(first) != []
    active = await world.pressed("ada", token(first, "Active (2)"))
    assert marked_new(await world.pressed("ada", token(active, "Needs connecting (13)"))) == marked_new(first)


@pytest.mark.behaviour("C-11", "C-1")
async def test_an_opening_writes_at_most_once(world: World) -> None:
    opening = await counted(lambda: home(world, "ada"))
    assert len(opening) <= 4
    assert sum(not statement.startswith(("SELECT", "WITH")) for statement in opening) == 1
    at_once = await counted(lambda: home(world, "ada"))
    assert all(statement.startswith(("SELECT", "WITH")) for statement in at_once)


@pytest.mark.behaviour("C-11")
async def test_where_nothing_needs_connecting_the_home_says_so_and_keeps_its_tabs(world: World) -> None:
    await world.restore("Acme DE")
    message = await home(world, "sam")
    assert plain(message).startswith("✅ Both connections that you can see work.")
    assert message.tone is Tone.GOOD
    assert "Needs connecting (0)" in buttons(message)
    nothing_written = await counted(lambda: home(world, "sam"))
    assert all(statement.startswith(("SELECT", "WITH")) for statement in nothing_written)


@pytest.mark.behaviour("C-11", "P-6")
async def test_a_strangers_home_is_the_sign_in_answer(world: World) -> None:
    assert plain(await home(world, "stranger")).startswith("I don't know who you are yet. Sign in once")


@pytest.mark.behaviour("C-11")
@pytest.mark.parametrize(
    ("command", "typed"),
    [
        ("lapsed", "who acme page"),
        ("lapsed", "help"),
        ("lapsed", "stats"),
        ("lapsed", "who"),
        ("lapsed", "why tictok"),
        ("subscribe-lapses", "list"),
        ("connect", "tiktok"),
        ("lapse-admin", "settings"),
    ],
)
async def test_private_answers_open_with_the_banner_while_something_of_ones_own_is_lapsed(
    world: World, command: str, typed: str
) -> None:
    message = await world.typed_whole("ana", command, typed)
    assert plain(message).startswith(BANNER)
    shown = await world.pressed("ana", token(message, "Show them"))
    assert plain(shown).startswith("*❗ Needs connecting: 2* · yours")
    below = await world.typed_whole("sam", command, typed)
    assert unbannered(below) == below, "nothing of his own is lapsed"


@pytest.mark.behaviour("C-11")
async def test_the_banner_goes_once_everything_of_ones_own_works(world: World) -> None:
    await world.restore("Brio Shop")
    assert plain(await world.typed_whole("ana", "lapsed", "help")).startswith("❗ 1 account of yours is lapsed.")
    assert plain(await world.typed_whole("olga", "lapsed", "help")).startswith("❗ 1 account of yours is lapsed.")
    await world.restore("Acme DE")
    for name in ("ana", "olga"):
        assert plain(await world.typed_whole(name, "lapsed", "help")).startswith("*What you can type*")


@pytest.mark.behaviour("C-11")
async def test_presses_and_forms_open_with_the_banner_and_lists_and_links_do_not(world: World) -> None:
    claimed = await world.pressed_whole("ana", claim_action(world.lapses["Acme DE"]))
    assert plain(claimed).startswith(BANNER)
    assert plain(await world.pressed_whole("ana", feedback_action("help", helped=True))).startswith(BANNER)
    listed = await world.pressed_whole("ana", list_action(ListView(state=StateFilter.ALL)))
    assert "[Show them]" not in plain(listed)
    for command, typed in (("lapsed", ""), ("lapsed", "tiktok"), ("reconnect", ""), ("reconnect", "brio shop")):
        assert "[Show them]" not in plain(await world.typed_whole("ana", command, typed))
    wrong = await world.sent_off("ana", "rhythm-form", {"rhythm": ("hourly",)})
    assert isinstance(wrong, FieldErrors), "an error stands at its field"


@pytest.mark.behaviour("C-11")
async def test_the_banner_costs_one_statement(world: World) -> None:
    with_banner = await counted(lambda: world.typed("ada", "lapsed", "help"))
    assert len(with_banner) == 2, "who asks, and what is theirs"


@pytest.mark.behaviour("X-11", "C-11")
async def test_where_only_some_clients_are_spoken_of_the_banner_counts_only_theirs(world: World) -> None:
    async with world.storage.transaction() as uow:
        [workspace] = await uow.organizations.workspaces(world.organization.id)
        narrowed = replace(workspace, client_ids=frozenset({world.clients["Acme"]}))
        await uow.organizations.update_workspace(narrowed)
    message = await world.typed_whole("ana", "lapsed", "help")
    assert plain(message).startswith("❗ 1 account of yours is lapsed.")
    everything = plain(await world.typed("ada", "lapsed", "all"))
    assert "Brio" not in everything
    assert "Acme DE" in everything
    assert plain(await world.typed("ada", "lapsed", "stats")).startswith("*1 lapse*")
    assert plain(await world.typed("ada", "subscribe-lapses", "client:Brio")).startswith("I don't know a client")


@pytest.mark.behaviour("N-7")
async def test_administrators_reach_owners_lists_and_copy_their_link(world: World) -> None:
    owners = await world.pressed("ada", token(await home(world, "ada"), "List of Olga Berg"))
    assert plain(owners).startswith("*❗ Needs connecting: 2* · of Olga Berg")
    copied = await world.pressed("ada", token(owners, "Copy personalised link"))
    assert "/p/" in plain(copied) or any("/p/" in getattr(one, "url", "") for one in buttons(copied).values())
    details = await world.typed("ada", "lapsed", "who acme de")
    who_can = await world.pressed("ada", token(details, "Who can reconnect it, assign it"))
    assert {"List of Olga Berg", "Copy link of Olga Berg"} <= set(buttons(who_can))
    for name in ("raj", "ana"):
        assert "List of Olga Berg" not in buttons(await home(world, name))
        assert "Copy personalised link" not in buttons(await world.typed(name, "lapsed", "person:olga"))
        for show in ("who", "who-can"):
            assert "Copy link of Olga Berg" not in buttons(await world.typed(name, "lapsed", f"{show} acme de"))


@pytest.mark.behaviour("C-12")
async def test_every_state_carries_its_mark_its_name_and_its_error(world: World) -> None:
    world.clock.advance(timedelta(days=9))
    await world.lapse("Acme Page", Verdict.EXPIRED)
    said = plain(await world.typed("ada", "lapsed", "all")).splitlines()
    assert any(each.startswith("🔒 TikTok · *Acme DE*") and "access removed" in each for each in said)
    assert any(each.startswith("🔒 LinkedIn · *Acme Page*") and "🕒 term over" in each for each in said)
    assert any(each.startswith("🔌 LinkedIn · *Cato Page*") and "not connected yet" in each for each in said)
    assert any(each.startswith("✅ TikTok · *Brio Live*") and "active" in each for each in said)
    assert any(each.startswith("🗄 TikTok · *Acme Attic*") and "retired" in each for each in said)
