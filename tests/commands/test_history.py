"""An account's past, and the figures of all lapses that the asker may see."""

from datetime import UTC, datetime, timedelta

import pytest

from commands.actions import history_action, history_page_action
from commands.handlers.history import MOST, NOTES
from commands.ids import NoteId, new_id
from commands.messages import Message, Picture
from commands.model import LapseNote, Role, Verdict
from tests.commands.plain import buttons, paging, plain, token
from tests.commands.world import World, open_world


async def note(world: World, account: str, by: str, words: str) -> None:
    person = world.people[by]
    async with world.storage.transaction() as uow:
        await uow.lapses.add_note(
            LapseNote(
                id=NoteId(new_id(world.clock.now())),
                organization_id=world.organization.id,
                lapse_id=world.lapses[account],
                person_id=person.id,
                person_name=person.name,
                text=words,
                at=world.clock.now(),
            )
        )


@pytest.mark.behaviour("C-4")
async def test_history_tells_each_lapse_with_cause_notes_who_mended_it_and_how_long_it_took(world: World) -> None:
    await note(world, "Acme DE", "ana", "The client has a new <b>password</b>.")
    world.clock.advance(timedelta(minutes=20))
    await world.restore("Acme DE", by="raj")
    world.clock.advance(timedelta(days=3))
    await world.lapse("Acme DE", Verdict.CREDENTIAL_CHANGED)
    assert plain(await world.typed("ada", "lapsed", "history acme de")).splitlines() == [
        "🔒 *TikTok · Acme DE* · `7012345678901234560` · client Acme",
        "*2 lapses* · mended after 3 h 20 min.",
        "• <day Thu 26 Nov 06:20>: password changed, still open",
        "• <day Mon 23 Nov 06:00>: access removed, reconnected by @Raj Patel after 3 h 20 min",
        "“The client has a new <b>password</b>.” · Ana Ruiz, <day Mon 23 Nov 09:00>",
        "Data may be missing from <time Mon 23 Nov 05:00> until <time Mon 23 Nov 09:20>. "
        "How far back TikTok gives out data is not known here.",
        "To copy: `Acme DE (TikTok, 7012345678901234560): data may be missing from 2026-11-23 05:00 to "
        "2026-11-23 09:20 UTC (access removed)`",
        "[Details] [▾ Add a note, Who can reconnect it]",
    ]


@pytest.mark.behaviour("C-4")
async def test_the_history_button_of_the_details_tells_the_same(world: World) -> None:
    details = await world.typed("ana", "lapsed", "who acme de")
    pressed = await world.pressed("ana", token(details, "History"))
    assert pressed == await world.typed("ana", "lapsed", "history acme de")
    again = await world.pressed("ana", token(pressed, "Details"))
    assert plain(again) == plain(details)


@pytest.mark.behaviour("C-3", "C-4")
async def test_the_details_tell_the_notes_of_the_open_lapse(world: World) -> None:
    await note(world, "Acme DE", "ana", "Waiting for the client.")
    said = plain(await world.typed("olga", "lapsed", "who acme de"))
    assert "Notes: “Waiting for the client.” · Ana Ruiz, <day Mon 23 Nov 09:00>" in said


@pytest.mark.behaviour("C-4")
async def test_what_a_long_history_leaves_out_is_said(world: World) -> None:
    for number in range(NOTES + 2):
        await note(world, "Acme DE", "ana", f"note {number}")
        world.clock.advance(timedelta(minutes=1))
    said = plain(await world.typed("ada", "lapsed", "history acme de"))
    assert "2 earlier notes left out." in said
    assert "note 1" not in said
    assert f"note {NOTES + 1}" in said
    for _ in range(MOST + 1):
        world.clock.advance(timedelta(days=1))
        await world.restore("Acme DE")
        world.clock.advance(timedelta(days=1))
        await world.lapse("Acme DE")
    said = plain(await world.typed("ada", "lapsed", "history acme de"))
    assert f"*More than {MOST} lapses*" in said
    assert said.count("• ") == MOST


@pytest.mark.behaviour("C-4")
async def test_a_long_history_has_pages_to_its_beginning(world: World) -> None:
    for _ in range(MOST + 1):
        world.clock.advance(timedelta(days=1))
        await world.restore("Acme DE")
        world.clock.advance(timedelta(days=1))
        await world.lapse("Acme DE", Verdict.CREDENTIAL_CHANGED)
    first = await world.typed("ada", "lapsed", "history acme de")
    assert f"1–{MOST} ›" in plain(first)
    second = await world.pressed("ada", paging(first).following)
    said = plain(second)
    assert "*Earlier lapses*" in said
    assert f"‹ {MOST + 1}–{MOST + 2}" in said
    assert said.count("• ") == 2
    assert "access removed" in said, "the first of all"
    assert await world.pressed("ada", paging(second).previous) == first
    assert plain(await world.pressed("sam", history_page_action(world.connections["Brio Shop"], MOST))).startswith(
        "This is gone, or not yours to see."
    )
    beyond = plain(await world.pressed("ada", history_page_action(world.connections["Acme DE"], 400)))
    assert "There are no lapses before those." in beyond


@pytest.mark.behaviour("C-4")
@pytest.mark.parametrize(
    ("account", "said"),
    [
        ("brio live", "✅ It has never lapsed since it was connected."),
        ("cato page", "It has not been connected yet, so nothing has happened to it."),
    ],
)
async def test_an_account_without_a_past_is_told_calmly(world: World, account: str, said: str) -> None:
    assert said in plain(await world.typed("ada", "lapsed", f"history {account}"))


@pytest.mark.behaviour("P-5", "N-8")
async def test_the_history_of_what_one_may_not_see_is_not_told(world: World) -> None:
    hidden = await world.pressed("sam", history_action(world.connections["Brio Shop"]))
    assert plain(hidden).startswith("This is gone, or not yours to see.")
    assert plain(await world.typed("sam", "lapsed", "history brio shop")).startswith("I don't know an account")
    assert plain(await world.typed("sam", "lapsed", "history")).startswith("Which account?")


def picture(message: Message) -> Picture:
    return next(part for part in message.parts if isinstance(part, Picture))


@pytest.mark.behaviour("C-4")
async def test_stats_are_two_charts_with_every_figure_as_text_beside_them(world: World) -> None:
    world.clock.advance(timedelta(minutes=20))
    await world.restore("Acme DE", by="raj")
    world.clock.advance(timedelta(days=8))
    await world.restore("Brio Shop")
    await world.lapse("Brio Live", Verdict.CREDENTIAL_CHANGED)
    world.clock.advance(timedelta(minutes=1))
    message = await world.typed("ada", "lapsed", "stats")
    by_week, by_wait = picture(message).charts
    assert by_week.categories[0] == "14 Sep"
    assert by_week.categories[-2:] == ("23 Nov", "30 Nov")
    assert {series.name: series.values[-2:] for series in by_week.series} == {
        "access removed": (2.0, 0.0),
        "account not found": (1.0, 0.0),
        "password changed": (0.0, 1.0),
    }
    assert dict(zip(by_wait.categories, by_wait.series[0].values, strict=True)) == {
        "under 1 h": 0,
        "1 to 4 h": 1,
        "4 to 24 h": 0,
        "1 to 3 days": 0,
        "3 to 7 days": 0,
        "over 7 days": 1,
    }
    said = plain(message)
    assert said.startswith("*4 lapses* in the last 12 weeks\n2 came back, half of them in *less than 4 hours*.")
    assert "Week of 23 Nov: 3 (access removed 2, account not found 1)" in said
    assert "Week of 30 Nov: 1 (password changed 1)" in said
    assert "Weeks without any: 10" in said
    assert "By cause: access removed 2 · account not found 1 · password changed 1" in said
    assert "Time to reconnect: under 1 h 0 · 1 to 4 h 1 · 4 to 24 h 0" in said
    assert "4 lapses over 12 weeks by cause" in picture(message).description


@pytest.mark.behaviour("C-4")
@pytest.mark.behaviour("N-8")
@pytest.mark.parametrize(
    ("name", "typed", "said"),
    [
        ("sam", "stats", "*1 lapse* in the last 12 weeks · as far as you may see"),
        ("ana", "stats mine", "*2 lapses* in the last 12 weeks · yours"),
        ("ada", "stats acme", "*1 lapse* in the last 12 weeks · client Acme"),
        ("ada", "tiktok stats client:brio", "*2 lapses* in the last 12 weeks · TikTok · client Brio"),
        ("ada", "stats linkedin", "✅ No lapse in the last 12 weeks · LinkedIn: there is nothing to count."),
        ("sam", "stats brio", "I don't know a client called “brio”."),
    ],
)
async def test_stats_count_only_what_the_asker_may_see_and_names(
    world: World, name: str, typed: str, said: str
) -> None:
    told = plain(await world.typed(name, "lapsed", typed))
    assert told.startswith(said)
    if name == "sam":
        assert "account not found" not in told


@pytest.mark.behaviour("C-4")
async def test_before_anything_lapsed_stats_are_one_calm_sentence(sqlite_database_url: str) -> None:
    async with open_world(sqlite_database_url) as world:
        await world.add_person("Ada King", Role.PRIMARY_ADMINISTRATOR)
        message = await world.typed("ada", "lapsed", "stats")
    assert plain(message) == "✅ No lapse in the last 12 weeks: there is nothing to count."
    assert buttons(message) == {}


@pytest.mark.behaviour("C-4")
async def test_weeks_begin_on_mondays_over_the_turn_of_a_year(world: World) -> None:
    world.clock.advance(datetime(2027, 1, 3, 23, 30, tzinfo=UTC) - world.clock.now())
    message = await world.typed("ada", "lapsed", "stats")
    assert picture(message).charts[0].categories[-1] == "28 Dec"
    assert picture(message).charts[0].categories[0] == "12 Oct"


@pytest.mark.behaviour("C-4")
async def test_rarer_causes_are_one_colour_and_still_figures(world: World) -> None:
    await world.add_authorization("tiktok", "olga")
    causes = [cause for cause in Verdict if cause.value.startswith(("user", "permission", "role", "admin", "exp"))]
    for index, cause in enumerate(causes):
        await world.add_connection(f"Many {index}", "tiktok", "Cato", connector="olga", cause=cause)
    message = await world.typed("ada", "lapsed", "stats")
    series = [each.name for each in picture(message).charts[0].series]
    assert series[-1] == "other causes"
    assert len(series) == 6
    assert "blocked by company policy 1" in plain(message)
