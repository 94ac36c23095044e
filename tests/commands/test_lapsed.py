"""The list that `/lapsed` answers with, its filters and its pages."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event

from commands.actions import ListView, StateFilter, list_action
from commands.ids import OutageId, new_id
from commands.messages import Message, Rows, Tone
from commands.model import ConnectionState, Role, Verdict
from commands.ports.outages import Outage
from tests.commands.plain import buttons, paging, plain, plain_line, token
from tests.commands.world import NOWHERE, World, open_world


def names(message: Message) -> list[str]:
    """The accounts of the list's rows, in order."""
    rows = next((part.rows for part in message.parts if isinstance(part, Rows)), ())
    return [plain_line(row.title).split("*")[1] for row in rows]


async def counted(work: Callable[[], Awaitable[object]]) -> list[str]:
    """The statements that some work takes; beginning a transaction is none."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith("BEGIN"):
            statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        await work()
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    return statements


async def standing_outage(world: World, network: str, *, since: timedelta) -> None:
    """A network fails by itself, and the organization was told of it."""
    now = world.clock.now()
    outage = Outage(
        id=OutageId(new_id(now)),
        network=network,
        region="",
        since=now - since,
        opened_at=now - since,
        held_until=now + timedelta(days=1),
        checked=25,
        failing=23,
        sampled_at=now,
        turn_at=now,
    )
    assert await world.storage.outages.open(outage)
    async with world.storage.transaction() as uow:
        assert await uow.outages.tell(world.organization.id, outage.id, failing=23, now=now, apart=timedelta(0))


@pytest.mark.behaviour("C-1")
async def test_the_list_opens_with_counts_in_all_by_network_and_by_client(world: World) -> None:
    said = plain(await world.typed("ada", "lapsed")).splitlines()
    assert said[0] == "*❗ Needs connecting: 4* of 6 · oldest 3 h"
    assert said[1] == "[Needs connecting (4)] [Active (2)]"
    assert said[2] == "By network: TikTok 3 (1 active) · LinkedIn 1 (1 active)"
    assert said[3] == "By client: Brio 2 (1 active) · Acme 1 (1 active) · Cato 1 (0 active)"


@pytest.mark.behaviour("C-1")
async def test_rows_come_most_urgent_first_each_with_the_action_it_needs(world: World) -> None:
    message = await world.typed("ada", "lapsed")
    assert names(message) == ["Acme DE", "Brio Shop", "Old Promo", "Cato Page"]
    said = plain(message)
    assert (
        "🔒 TikTok · *Acme DE* · Acme · *new* · lapsed since <time Mon 23 Nov 06:00> · access removed · Ana Ruiz"
        " [Reconnect] [Details]"
    ) in said
    assert "account not found · Raj Patel [Details]" in said, "reconnecting does not mend an account that is gone"
    assert "🔌 LinkedIn · *Cato Page* · Cato · not connected yet · Olga Berg [Connect] [Details]" in said


@pytest.mark.behaviour("C-1")
async def test_with_nothing_lapsed_it_says_so_and_what_expires_next(world: World) -> None:
    for name in ("Acme DE", "Brio Shop", "Old Promo"):
        await world.restore(name)
    async with world.storage.transaction() as uow:
        await uow.connections.set_state(world.organization.id, world.connections["Cato Page"], ConnectionState.RETIRED)
    message = await world.typed("ada", "lapsed")
    assert plain(message) == (
        "✅ All 5 connections work. Next to expire: LinkedIn · Acme Page, <day Sat 28 Nov 09:00>.\n"
        "[Needs connecting (0)] [Active (5)]"
    )
    assert message.tone is Tone.GOOD


@pytest.mark.behaviour("C-1")
async def test_an_agency_without_connections_is_told_so(sqlite_database_url: str) -> None:
    async with open_world(sqlite_database_url) as world:
        await world.add_person("Ada King", Role.PRIMARY_ADMINISTRATOR)
        assert plain(await world.typed("ada", "lapsed")) == "There are no connections here yet."


@pytest.mark.behaviour("C-1")
async def test_the_list_takes_four_statements(world: World) -> None:
    statements = await counted(lambda: world.typed("ada", "lapsed"))
    assert len(statements) == 4, statements
    assert statements[-1].startswith("UPDATE people SET list_seen_at")
    assert len(await counted(lambda: world.typed("ada", "lapsed"))) == 3, "nothing is written twice in a visit"


@pytest.mark.behaviour("C-1", "X-3")
async def test_a_network_that_fails_by_itself_is_said_above_the_list_in_the_same_four_statements(world: World) -> None:
    await standing_outage(world, "tiktok", since=timedelta(hours=1))
    statements = await counted(lambda: world.typed("ada", "lapsed"))
    assert len(statements) == 4, statements
    told = "⏸ Held: TikTok has been failing since <time Mon 23 Nov 08:00>. Nothing of yours is broken; please do not"
    assert told in plain(await world.typed("ada", "lapsed"))
    assert told in plain(await world.typed("ada", "lapsed", "tiktok"))
    assert "Held" not in plain(await world.typed("ada", "lapsed", "linkedin")), "a network that is not asked about"
    for name in ("Acme DE", "Brio Shop", "Old Promo", "Cato Page"):
        await world.restore(name)
    await standing_outage(world, "linkedin", since=timedelta(0))
    assert "LinkedIn and TikTok have been failing, the first since" in plain(await world.typed("ada", "lapsed"))


@pytest.mark.behaviour("C-2")
@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("tiktok", ["Acme DE", "Brio Shop", "Old Promo"]),
        ("li", ["Cato Page"]),
        ("client:brio", ["Brio Shop", "Old Promo"]),
        ("acme", ["Acme DE"]),
        ("mine", []),
        ("@U-ana", ["Acme DE", "Brio Shop"]),
        ("person:olga", ["Acme DE", "Cato Page"]),
        ("lapsed", ["Acme DE", "Brio Shop", "Old Promo"]),
        ("expiring", ["Acme Page"]),
        ("active", ["Acme Page", "Brio Live"]),
        ("unconnected", ["Cato Page"]),
        ("retired", ["Acme Attic"]),
        ("all", ["Acme DE", "Brio Shop", "Old Promo", "Cato Page", "Acme Page", "Brio Live", "Acme Attic"]),
        ("page", ["Cato Page", "Acme Page"]),
        ("all tiktok page", []),
        ("7012345678901234560", ["Acme DE"]),
        ("client:acme de", ["Acme DE"]),
    ],
)
async def test_filters_narrow_the_list(world: World, typed: str, expected: list[str]) -> None:
    assert names(await world.typed("ada", "lapsed", typed)) == expected


@pytest.mark.behaviour("C-2")
async def test_an_account_is_told_from_many_of_its_name_by_its_network_and_client(world: World) -> None:
    for number in range(60):
        await world.add_connection(f"Zeta {number:02}", "linkedin", "Cato")
    await world.add_connection("Zeta tok", "tiktok", "Brio")
    for words in ("who zeta tiktok", "who zeta client:Brio"):
        assert plain(await world.typed("ada", "lapsed", words)).startswith("✅ *TikTok · Zeta tok*"), words


async def test_mine_is_what_the_asker_connected_or_owns(world: World) -> None:
    assert names(await world.typed("raj", "lapsed", "mine")) == ["Old Promo"]
    assert names(await world.typed("olga", "lapsed", {"mine": "yes"})) == ["Acme DE", "Cato Page"]


@pytest.mark.behaviour("C-12")
async def test_an_expiring_connection_carries_the_clock_its_date_and_renew(world: World) -> None:
    said = plain(await world.typed("ada", "lapsed", "expiring"))
    assert "🕒 LinkedIn · *Acme Page* · Acme · expires <day Sat 28 Nov 09:00> · Raj Patel [Renew] [Details]" in said


@pytest.mark.behaviour("C-12")
async def test_a_lapse_whose_term_is_over_carries_the_clock_as_well(world: World) -> None:
    world.clock.advance(timedelta(days=9))
    await world.lapse("Acme Page", Verdict.EXPIRED)
    said = plain(await world.typed("ada", "lapsed", "linkedin"))
    assert "🔒 LinkedIn · *Acme Page* · Acme · lapsed since <time Wed 02 Dec 06:00> · 🕒 term over" in said


@pytest.mark.behaviour("N-8")
async def test_limited_staff_see_and_count_only_their_clients(world: World) -> None:
    message = await world.typed("sam", "lapsed")
    said = plain(message)
    assert said.startswith("*❗ Needs connecting: 1* of 2")
    assert names(message) == ["Acme DE"]
    assert "Brio" not in said
    assert "Brio" not in plain(await world.typed("sam", "lapsed", "all"))
    assert plain(await world.typed("sam", "lapsed", "client:Brio")).startswith("I don't know a client called “Brio”.")


@pytest.mark.behaviour("C-10")
async def test_a_word_that_matches_nothing_is_met_with_the_nearest_one(world: World) -> None:
    assert plain(await world.typed("ada", "lapsed", "tictok")) == (
        "I don't know “tictok”. Did you mean *tiktok*?\n"
        "Try `/lapsed linkedin`, `/lapsed mine`, `/lapsed who 7012345678901234567` or `/lapsed help`."
    )
    assert "Did you mean *Cato*?" in plain(await world.typed("ada", "lapsed", {"client": "Kato"}))


@pytest.mark.behaviour("C-9")
@pytest.mark.parametrize(
    ("words", "options"),
    [
        ("", {}),
        ("tiktok", {"network": "tt"}),
        ("all client:Acme", {"state": "all", "client": "acme"}),
        ("who Acme DE", {"show": "who", "account": "acme de"}),
        ("check Acme DE", {"show": "check", "account": "acme de"}),
        ("why tiktok", {"show": "why", "network": "tiktok"}),
    ],
)
async def test_both_forms_are_answered_alike(world: World, words: str, options: dict[str, str]) -> None:
    await world.typed("ada", "lapsed")  # what is new is new once
    assert await world.typed("ada", "lapsed", words) == await world.typed("ada", "lapsed", options)


async def add_many(world: World, number: int, prefix: str = "Shop") -> None:
    for index in range(number):
        await world.add_connection(
            f"{prefix} {index:02}", "tiktok", "Cato", owner="olga", state=ConnectionState.UNCONNECTED
        )


@pytest.mark.behaviour("C-1")
async def test_a_long_list_has_pages_that_keep_its_filters(world: World) -> None:
    await add_many(world, 18)
    first = await world.typed("ada", "lapsed", "unconnected client:Cato tiktok")
    assert paging(first).label == "1–8 of 18"
    assert paging(first).previous is None
    second = await world.pressed("ada", paging(first).following)
    third = await world.pressed("ada", paging(second).following)
    assert paging(third).label == "17–18 of 18"
    assert paging(third).following is None
    shown = names(first) + names(second) + names(third)
    assert shown == [f"Shop {index:02}" for index in range(18)]
    assert names(await world.pressed("ada", paging(third).previous)) == names(second)


@pytest.mark.behaviour("C-1")
async def test_a_page_beyond_the_end_shows_the_last_one(world: World) -> None:
    action = list_action(ListView(state=StateFilter.ALL, offset=800))
    assert names(await world.pressed("ada", action))[0] == "Acme DE"


@pytest.mark.behaviour("C-2")
async def test_a_search_too_long_for_a_button_says_how_many_are_left(world: World) -> None:
    await add_many(world, 10, "An account with a name of great length that goes on and on until no button can hold it")
    message = await world.typed(
        "ada", "lapsed", "account with a name of great length that goes on and on until no button"
    )
    assert "and 2 more" in plain(message)
    assert "Search for fewer letters" in plain(message)


@pytest.mark.behaviour("P-5")
async def test_a_page_button_shows_its_presser_only_what_they_may_see(world: World) -> None:
    everything = list_action(ListView(state=StateFilter.ALL))
    assert names(await world.pressed("sam", everything)) == ["Acme DE", "Acme Page", "Acme Attic"]
    brio = list_action(ListView(client_id=world.clients["Brio"]))
    assert plain(await world.pressed("sam", brio)).startswith("This button is out of date.")
    assert names(await world.pressed("olga", list_action(ListView(mine=True)))) == ["Acme DE", "Cato Page"]


@pytest.mark.behaviour("C-1")
async def test_buttons_lead_to_ones_own_and_back_to_everything(world: World) -> None:
    mine = await world.pressed("raj", token(await world.typed("raj", "lapsed"), "Only mine"))
    assert names(mine) == ["Old Promo"]
    assert len(names(await world.pressed("raj", token(mine, "Everything that needs connecting")))) == 4


@pytest.mark.behaviour("C-1")
async def test_the_menu_of_a_long_list_offers_what_needs_the_most(world: World) -> None:
    await add_many(world, 9)
    message = await world.typed("ada", "lapsed")
    assert "TikTok: 12" in buttons(message)
    assert "Client Cato: 10" in buttons(message)
    narrowed = await world.pressed("ada", token(message, "Client Cato: 10"))
    assert set(names(narrowed)) <= {"Cato Page", *(f"Shop {index:02}" for index in range(9))}


async def test_a_direct_message_of_no_workspace_finds_the_one_organization(world: World) -> None:
    assert len(names(await world.typed("ada", "lapsed", place=NOWHERE))) == 4


@pytest.mark.parametrize("name", ["<!channel> @everyone **x**", "\u202egnp.exe\u0000", "n" * 3000, "漢字" * 400])
async def test_hostile_names_stay_inert_and_short(world: World, name: str) -> None:
    await world.add_connection(name.replace("\x00", ""), "tiktok", "Cato", state=ConnectionState.UNCONNECTED)
    said = plain(await world.typed("ada", "lapsed"))
    assert "\u202e" not in said
    assert len(said) < 1500


@pytest.mark.behaviour("C-2")
async def test_an_account_whose_name_begins_like_a_mention_is_found(world: World) -> None:
    await world.add_connection("@acme_eu", "tiktok", "Acme", owner="olga", state=ConnectionState.UNCONNECTED)
    assert names(await world.typed("ada", "lapsed", "@acme_eu")) == ["@acme_eu"]
    assert plain(await world.typed("ada", "lapsed", "who @acme_eu")).startswith("🔌 *TikTok · @acme_eu*")


@pytest.mark.behaviour("C-10")
@pytest.mark.parametrize(
    ("name", "typed"), [("ada", "@U-nobody"), ("ada", "person:nobody"), ("ada", "person:a"), ("sam", "person:ada")]
)
async def test_a_person_who_is_not_clear_is_asked_for_again(world: World, name: str, typed: str) -> None:
    """Nobody, several (Ada, Ana) and somebody whom the asker may not know of are answered alike."""
    said = plain(await world.typed(name, "lapsed", typed))
    assert said.startswith("I don't know whom you mean by “")
    assert "Ana" not in said


@pytest.mark.behaviour("N-8")
async def test_limited_staff_learn_only_of_people_whose_connections_they_see(world: World) -> None:
    await world.add_person("Cara Cato", Role.OWNER)
    await world.add_connection("Cato Shop", "tiktok", "Cato", owner="cara", state=ConnectionState.UNCONNECTED)
    for typed in ("@U-cara", "person:cara", "person:Cara Cato", {"person": "@U-cara"}):
        said = plain(await world.typed("sam", "lapsed", typed))
        assert said.startswith("I don't know whom you mean by “")
        assert "Cara Cato" not in said.partition("”")[2]
    button = list_action(ListView(person_id=world.people["cara"].id))
    assert "Cara" not in plain(await world.pressed("sam", button))
    assert names(await world.typed("raj", "lapsed", "@U-cara")) == ["Cato Shop"]
    assert names(await world.typed("sam", "lapsed", "person:olga")) == ["Acme DE"]
    assert "of Sam Lee" in plain(await world.typed("sam", "lapsed", "person:sam"))


@pytest.mark.parametrize(
    "typed", ["x" * 3000, "\x00" * 3000, "\u202e<!channel>", "%_%", "who \ud800 %", "check " + "y " * 1500]
)
async def test_any_words_are_answered_with_a_sentence(world: World, typed: str) -> None:
    said = plain(await world.typed("ada", "lapsed", typed))
    assert "Something went wrong" not in said
    assert len(said) < 1500


@pytest.mark.behaviour("C-10")
@pytest.mark.parametrize(
    ("typed", "guess"),
    [
        ("histroy acme de", "history"),
        ("tictok", "tiktok"),
        ("statz tiktok", "stats"),
        ("whocan acme de", "who-can"),
        ("expirng", "expiring"),
        ("Acmee", "Acme"),
    ],
)
async def test_a_mistyped_word_is_met_with_the_nearest_one(world: World, typed: str, guess: str) -> None:
    said = plain(await world.typed("ada", "lapsed", typed))
    assert f"Did you mean *{guess}*?" in said
    assert "Try `/lapsed linkedin`, `/lapsed mine`," in said
