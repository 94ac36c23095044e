"""Signed addresses of pictures: what is put in comes out, for an hour, and nothing else is drawn."""

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import ClientSession
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.web.app import create_web, listening
from bot.web.drawing import AT_ONCE, SIZE_LIMIT, WAITING
from bot.web.pictures import ADDRESS_LIMIT, picture_url, read_picture
from commands.messages import Chart, Picture, Series
from tests.web.rig import Alive, Rig

KEY = b"a key of this test"
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
BASE = "https://lapse.example"

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53).map(float)
charts = st.builds(
    Chart,
    title=words,
    categories=st.lists(words, max_size=6).map(tuple),
    series=st.lists(st.builds(Series, name=words, values=st.lists(numbers, max_size=6).map(tuple)), max_size=3).map(
        tuple
    ),
    value_label=words,
)
pictures = st.builds(Picture, charts=st.lists(charts, max_size=2).map(tuple), description=words)


def picture(weeks: int = 12) -> Picture:
    """What `/lapsed stats` draws."""
    causes = ("password changed", "permission missing", "expired")
    chart = Chart(
        title="Lapses per week",
        categories=tuple(f"week {number}" for number in range(weeks)),
        series=tuple(Series(name=cause, values=tuple(float(n % 5) for n in range(weeks))) for cause in causes),
        value_label="lapses",
    )
    return Picture(charts=(chart, chart), description="Lapses per week by cause")


def signed(url: str | None) -> str:
    assert url is not None
    return url.removeprefix(f"{BASE}/pictures/").removesuffix(".png")


@settings(deadline=None)
@given(pictures)
def test_what_is_put_into_an_address_comes_out_of_it(drawn: Picture) -> None:
    url = picture_url(BASE, drawn, key=KEY, now=NOW)
    if url is not None:
        assert len(url) <= ADDRESS_LIMIT
        assert read_picture(signed(url), key=KEY, now=NOW) == drawn


@settings(deadline=None)
@given(st.text(max_size=200) | st.binary(max_size=100).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_nothing_else_is_taken_for_one(text: str) -> None:
    assert read_picture(text, key=KEY, now=NOW) is None


def test_an_address_changed_in_any_place_or_of_another_key_is_refused() -> None:
    text = signed(picture_url(BASE, picture(), key=KEY, now=NOW))
    for place in range(0, len(text), 7):
        other = "A" if text[place] != "A" else "B"
        assert read_picture(text[:place] + other + text[place + 1 :], key=KEY, now=NOW) is None
    assert read_picture(text, key=b"another", now=NOW) is None


def test_it_works_for_an_hour() -> None:
    text = signed(picture_url(BASE, picture(), key=KEY, now=NOW))
    assert read_picture(text, key=KEY, now=NOW + timedelta(minutes=59)) is not None
    assert read_picture(text, key=KEY, now=NOW + timedelta(hours=1)) is None


@pytest.mark.behaviour("C-4")
def test_a_quarters_charts_fit_and_what_is_too_long_has_no_address() -> None:
    url = picture_url(BASE, picture(), key=KEY, now=NOW)
    assert url is not None
    assert len(url) < 1000
    noise = tuple(float(hash((n, "x")) % 10**15) for n in range(400))
    long = Chart(title="t", categories=(), series=(Series(name="s", values=noise),), value_label="v")
    assert picture_url(BASE, Picture(charts=(long,), description=""), key=KEY, now=NOW) is None
    repeated = Picture(charts=(), description="a" * 10**6)
    assert picture_url(BASE, repeated, key=KEY, now=NOW) is None


@dataclass
class Slow:
    """Draws when it is told to."""

    go: asyncio.Event = field(default_factory=asyncio.Event)
    drawn: list[Picture] = field(default_factory=list)
    at_once: int = 0
    most: int = 0
    size: int = 100

    async def __call__(self, one: Picture) -> bytes:
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        await self.go.wait()
        self.at_once -= 1
        self.drawn.append(one)
        return b"\x89PNG" + b"0" * self.size


@pytest.fixture
async def slow() -> Slow:
    return Slow()


@pytest.fixture
async def address(rig: Rig, slow: Slow) -> AsyncIterator[str]:
    app = create_web(services=rig.services, platforms={}, alive=Alive(), draw=slow, picture_key=KEY)
    async with listening(app, "127.0.0.1", 0) as port:
        url = picture_url(f"http://127.0.0.1:{port}", picture(), key=KEY, now=rig.clock.now())
        assert url is not None
        yield url


@pytest.mark.behaviour("C-4")
async def test_a_signed_address_is_drawn_and_any_other_is_not(address: str, slow: Slow) -> None:
    slow.go.set()
    async with ClientSession() as session:
        async with session.get(address) as response:
            assert (response.status, response.content_type) == (200, "image/png")
            assert (await response.read()).startswith(b"\x89PNG")
        assert slow.drawn == [picture()]
        async with session.head(address) as response:
            assert response.status == 200
        async with session.get(address.replace("/pictures/", "/pictures/A")) as response:
            assert response.status == 404
    assert slow.drawn == [picture()]


async def test_only_a_few_are_drawn_at_once_and_too_many_are_told_to_come_again(address: str, slow: Slow) -> None:
    async def fetch(session: ClientSession) -> int:
        async with session.get(address) as response:
            return response.status

    async with ClientSession() as session, asyncio.TaskGroup() as group:
        tasks = [group.create_task(fetch(session)) for _ in range(AT_ONCE + WAITING + 5)]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        assert {task.result() for task in done} == {503}
        slow.go.set()
    statuses = [task.result() for task in tasks]
    assert statuses.count(200) == AT_ONCE + WAITING
    assert statuses.count(503) == 5
    assert slow.most == AT_ONCE


async def test_a_picture_that_came_out_too_large_is_not_sent(address: str, slow: Slow) -> None:
    slow.size = SIZE_LIMIT
    slow.go.set()
    async with ClientSession() as session, session.get(address) as response:
        assert response.status == 500
        assert await response.read() == b""
