"""10,000 lapsed connections: every list pages, filters and answers in four statements, and nothing is cut silently."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from commands.actions import ListView, list_action, reconnect_list_action
from commands.handlers.listing import PAGE_SIZE
from commands.messages import Rows
from commands.model import Verdict
from commands.ports.chat import ChoicesRequest
from tests.commands.plain import paging, plain, plain_line
from tests.commands.test_lapsed import counted, names
from tests.commands.world import HERE, World
from tests.support.sqlite import url_of

MANY = 10_000


@pytest.fixture(scope="module")
def many(agency: tuple[World, Path], databases: Path) -> World:
    """The agency with so many lapses of Cato's accounts, all on Ana's login; made once, closed."""
    filled, file = agency
    return asyncio.run(_filled(filled, shutil.copyfile(file, databases / "many.sqlite")))


@pytest.fixture
async def world(many: World) -> AsyncIterator[World]:
    """The same, opened. These tests change nothing that another one looks at."""
    async with many.again(many.database_url) as opened:
        yield opened


async def _filled(filled: World, file: Path) -> World:
    async with filled.again(url_of(file)) as world:
        await world.add_connection(name(0), "tiktok", "Cato", connector="ana", cause=Verdict.REVOKED)
    _multiply(file)
    return world


def name(number: int) -> str:
    return f"Shop {number:05}"


def _multiply(file: Path) -> None:
    """Make many rows of the one: through the ports it would take a minute."""
    with sqlite3.connect(file) as database:
        database.row_factory = sqlite3.Row
        [account] = map(dict, database.execute("SELECT * FROM connections WHERE account_name = ?", (name(0),)))
        [lapse] = map(dict, database.execute("SELECT * FROM lapses WHERE connection_id = ?", (account["id"],)))
        accounts, lapses = [], []
        for number in range(1, MANY):
            connection_id, lapse_id = (_like(row["id"], number) for row in (account, lapse))
            called = {"account_name": name(number), "name_key": name(number).casefold()}
            accounts.append({**account, "id": connection_id, "account_id": f"9{number:08}", **called})
            lapses.append({**lapse, "id": lapse_id, "connection_id": connection_id})
        for table, rows in (("connections", accounts), ("lapses", lapses)):
            marks = ", ".join(f":{column}" for column in rows[0])
            database.executemany(f"INSERT INTO {table} ({', '.join(rows[0])}) VALUES ({marks})", rows)  # noqa: S608  # names of our own tables
        counted = "client_id = :client_id AND connector_id = :connector_id AND state = :state AND network = :network"
        changed = database.execute(f"UPDATE counters SET number = number + {MANY - 1} WHERE {counted}", account)  # noqa: S608  # as above
        assert changed.rowcount == 1
    database.close()


def _like(row_id: bytes | str, number: int) -> bytes | str:
    """An id that sorts behind this one."""
    if isinstance(row_id, bytes):
        return (int.from_bytes(row_id) + number).to_bytes(len(row_id))
    return f"{int(row_id, 16) + number:0{len(row_id)}x}"


@pytest.mark.behaviour("C-1", "C-2")
@pytest.mark.parametrize(
    ("typed", "label"),
    [
        ("", "1–8 of 10,004"),
        ("tiktok", "1–8 of 10,003"),
        ("client:Cato", "1–8 of 10,001"),
        ("lapsed tiktok client:cato", "1–8 of 10,000"),
        ("person:ana", "1–8 of 10,002"),
        ("all", "1–8 of 10,007"),
        ("Shop 099", "1–8 of 100"),
    ],
)
async def test_a_list_of_ten_thousand_is_answered_in_four_statements(world: World, typed: str, label: str) -> None:
    statements = await counted(lambda: world.typed("ada", "lapsed", typed))
    extra = 1 if "person:" in typed else 0  # somebody named has to be found first
    assert len(statements) <= 4 + extra, statements
    message = await world.typed("ada", "lapsed", typed)
    assert paging(message).label == label
    assert len(names(message)) == PAGE_SIZE


@pytest.mark.behaviour("C-1")
async def test_its_last_page_is_reached_in_four_statements(world: World) -> None:
    last = list_action(ListView(offset=10_000))
    statements = await counted(lambda: world.pressed("ada", last))
    assert len(statements) <= 4, statements
    message = await world.pressed("ada", last)
    assert paging(message).label == "10,001–10,004 of 10,004"
    assert names(message)[-1] == "Cato Page"
    beyond = await world.pressed("ada", list_action(ListView(offset=999_999)))
    assert names(beyond) == names(message)


@pytest.mark.behaviour("C-1")
async def test_every_page_leads_to_the_next_until_all_were_shown(world: World) -> None:
    message, shown = await world.typed("ada", "lapsed", "Shop 0990"), list[str]()
    while True:
        shown += names(message)
        if paging(message).following is None:
            break
        message = await world.pressed("ada", paging(message).following)
    assert shown == [f"Shop 0990{number}" for number in range(10)]


@pytest.mark.behaviour("C-6")
async def test_ten_thousand_accounts_of_one_login_are_one_link(world: World) -> None:
    message = await world.typed("ana", "reconnect")
    assert plain(message).startswith("*1 login repairs 1,000 accounts of yours, of 10,002 in all*")
    [row] = next(part.rows for part in message.parts if isinstance(part, Rows))
    detail = plain_line(row.detail)
    assert detail.startswith(
        "one login repairs 10,002 accounts: Acme DE, Brio Shop, Shop 00000, Shop 00001 and 9,998 more"
    )
    assert paging(message).label == "logins 1–1 of 1, among accounts 1–1,000 of 10,002"
    last = await world.pressed("ana", reconnect_list_action(ListView(mine=True, offset=10_000)))
    assert paging(last).label == "logins 1–1 of 1, among accounts 10,001–10,002 of 10,002"
    assert paging(last).following is None


@pytest.mark.behaviour("C-2", "C-9")
async def test_what_may_be_meant_is_found_by_index_while_somebody_types(world: World) -> None:
    """25 of them, and no more is read than is shown."""
    request = ChoicesRequest(
        command="lapsed", subcommand="", option="account", typed="shop 0", user=world.user("ada"), place=HERE
    )
    statements = await counted(lambda: world.dispatcher.choices(request))
    assert len(statements) <= 2
    choices = await world.dispatcher.choices(request)
    assert len(choices) == 25
    assert choices[0].label == f"TikTok · {name(0)} · 7012345678901234567"
