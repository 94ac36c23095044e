"""One drawing of connections for lists, details and notices, and the small things of language."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.drawing import account_line, connection_row, mark_of, mending_label, network_name
from commands.messages import Mark
from commands.model import ConnectionView, LapseEnd
from commands.wording import clean, duration, listed, named, nearest, number_of, shown
from tests.commands.plain import plain_line
from tests.commands.world import World


async def view_of(world: World, name: str) -> ConnectionView:
    async with world.storage.reading() as uow:
        view = await uow.connections.view(world.organization.id, world.connections[name])
    assert view is not None
    return view


@pytest.mark.behaviour("C-12")
@pytest.mark.parametrize(
    ("name", "mark", "detail", "label"),
    [
        ("Acme DE", Mark.LAPSED, "lapsed since <time Mon 23 Nov 06:00> · access removed · Ana Ruiz", "Reconnect"),
        ("Acme Page", Mark.EXPIRING, "expires <day Sat 28 Nov 09:00> · Raj Patel", "Renew"),
        ("Brio Live", Mark.GOOD, "active · Raj Patel", None),
        ("Cato Page", Mark.UNCONNECTED, "not connected yet · Olga Berg", "Connect"),
        ("Acme Attic", Mark.RETIRED, "retired", None),
    ],
)
async def test_each_state_has_its_mark_its_word_and_the_accounts_name(
    world: World, name: str, mark: Mark, detail: str, label: str | None
) -> None:
    view, now = await view_of(world, name), world.clock.now()
    networks = world.services.networks
    row = connection_row(view, networks, now)
    assert (row.mark, plain_line(row.detail), mending_label(view, networks, now)) == (mark, detail, label)
    assert f"*{name}*" in plain_line(row.title)


@pytest.mark.behaviour("C-12")
@pytest.mark.parametrize("name", ["Acme DE", "Cato Page"])
async def test_a_connection_under_way_is_marked_reconnecting(world: World, name: str) -> None:
    view = replace(await view_of(world, name), reconnecting_by="Ana Ruiz")
    row = connection_row(view, world.services.networks, world.clock.now())
    assert row.mark is Mark.RECONNECTING
    assert plain_line(row.detail).endswith("🔄 Ana Ruiz is reconnecting it")


@pytest.mark.behaviour("C-12")
async def test_an_end_further_away_than_two_weeks_is_not_marked_yet(world: World) -> None:
    view = await view_of(world, "Acme Page")
    assert mark_of(view, world.clock.now() - timedelta(days=10)) is Mark.GOOD
    assert mark_of(view, world.clock.now() - timedelta(days=9)) is Mark.EXPIRING


async def test_a_lapse_that_ended_is_not_drawn_as_open(world: World) -> None:
    view = await view_of(world, "Acme DE")
    assert view.lapse is not None
    ended = replace(view.lapse, ended_at=world.clock.now(), ended_how=LapseEnd.RECOVERED)
    row = connection_row(replace(view, lapse=ended), world.services.networks, world.clock.now())
    assert "access removed" not in plain_line(row.detail)


@pytest.mark.behaviour("N-17")
async def test_the_first_line_names_network_account_id_and_client(world: World) -> None:
    line = plain_line(account_line(await view_of(world, "Acme DE"), world.services.networks))
    assert line == "*TikTok · Acme DE* · `7012345678901234560` · client Acme"


async def test_a_network_without_credentials_still_has_a_name(world: World) -> None:
    assert network_name({}, "google_ads") == "Google ads"


@given(text=st.text(max_size=400), limit=st.integers(1, 100))
def test_shown_text_is_short_visible_and_can_be_written(text: str, limit: int) -> None:
    result = shown(text, limit)
    assert len(result) <= limit
    assert result == clean(result)
    assert not set(result) & set("\x00\n\r\u202e\u200b\u2066\ufeff")
    result.encode()


def test_joiners_that_scripts_need_are_kept() -> None:
    assert shown("نامه\u200cها") == "نامه\u200cها"


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(0, "less than a minute"), (20, "20 min"), (180, "3 h"), (200, "3 h 20 min"), (60 * 24 * 6, "6 days")],
)
def test_durations_are_told_in_words(minutes: int, words: str) -> None:
    assert duration(timedelta(minutes=minutes)) == words


def test_counts_lists_and_guesses() -> None:
    assert number_of(1, "account") == "1 account"
    assert number_of(1204, "account") == "1,204 accounts"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed([]) == ""
    assert named("\u200b\u202e") == "(no name)"
    assert nearest("TICTOK", ["TikTok", "LinkedIn"]) == "TikTok"
    assert nearest("zzz", ["TikTok"]) is None
