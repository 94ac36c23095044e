"""The demo's own promises: a free port, nobody else's files, a cast that fits the file it imports."""

import csv
import socket
from pathlib import Path

from bot.playground import cast, own_networks
from bot.playground.demo import free_port, sweep
from bot.playground.seed import CONNECTIONS


def test_a_port_that_is_taken_is_replaced_by_one_that_is_free() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) not in (0, port)
    assert free_port(port) == port


def test_only_what_an_earlier_demo_left_is_removed_from_its_directory(tmp_path: Path) -> None:
    for name in ("lapsebot.sqlite", "lapsebot.sqlite-wal", "encryption.key", "thesis.txt"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    sweep(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]


def test_every_account_that_the_demo_imports_is_there_at_its_network_and_its_connector_can_log_in() -> None:
    held = {account: holding for holding in cast.HOLDINGS for account, _ in holding.accounts}
    people = {one.email: one for one in cast.PEOPLE}
    with CONNECTIONS.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    own = [row for row in rows if row["network"] == own_networks.LETTERLY]
    assert {row["account_id"]: row["account_name"] for row in own}.items() <= own_networks.ACCOUNTS.items()
    assert {row["account_id"] for row in rows if row not in own} == set(held)
    for row in rows:
        if row in own:
            continue
        holding = held[row["account_id"]]
        connector = people[row["connector_email"]]
        assert connector.key in holding.admins
        assert holding.network in connector.profiles
