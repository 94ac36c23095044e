"""What every test gets: databases, sockets to this machine only, and a run that says what it left out."""

import ipaddress
import logging
import os
import socket
import threading
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.postgres import create_database, drop_database, running_server

LEFT_OUT = pytest.StashKey[list[str]]()


class OutsideConnectionError(RuntimeError):
    """A test tried to leave this machine. Not an OSError, so that no code under test takes it for a dead network."""


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Give the URL of a PostgreSQL server, started at its first use; make databases on it with `create_database`."""
    with running_server() as url:
        yield url


@pytest.fixture
async def postgres_database_url(postgres_url: str) -> AsyncIterator[str]:
    """Give the URL of an empty PostgreSQL database."""
    url = await create_database(postgres_url)
    yield url
    await drop_database(url)


@pytest.fixture
def sqlite_database_url(tmp_path: Path) -> str:
    """Give the URL of an SQLite file that is not there yet. A file, since `:memory:` is one shared connection."""
    return f"sqlite+aiosqlite:///{tmp_path}/lapsebot.sqlite"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Give the URL of an empty database; a test that asks for it runs once on each engine."""
    fixture = {"sqlite": "sqlite_database_url", "postgresql": "postgres_database_url"}[request.param]
    url: str = request.getfixturevalue(fixture)
    return url


@pytest.fixture(scope="session", autouse=True)
def _only_this_machine() -> Iterator[None]:
    """Refuse connections and name look-ups that would leave this machine."""
    connect, connect_ex, getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: Any) -> None:
        _refuse_outside(self.family, address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        _refuse_outside(self.family, address)
        return connect_ex(self, address)

    def guarded_getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host is not None and not _is_here(host.decode() if isinstance(host, bytes) else str(host)):
            raise OutsideConnectionError(f"a test looked up {host!r}; only this machine may be reached")
        return getaddrinfo(host, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded_connect)
        patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
        patch.setattr(socket, "getaddrinfo", guarded_getaddrinfo)
        yield


def _refuse_outside(family: int, address: Any) -> None:
    if family in (socket.AF_INET, socket.AF_INET6) and not _is_here(str(address[0])):
        raise OutsideConnectionError(f"a test connected to {address[0]!r}; only this machine may be reached")


def _is_here(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host.split("%", maxsplit=1)[0])
    except ValueError:
        return host in ("", "localhost") or host.endswith(".localhost")
    return address.is_loopback or address.is_unspecified


def _must_be_complete() -> bool:
    return os.environ.get("CI") == "true"


def _note_left_out(config: pytest.Config, report: pytest.TestReport | pytest.CollectReport) -> None:
    """Remember a skipped report; under CI turn it into a failure. An expected failure (xfail) is not a skip."""
    if not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if _must_be_complete():
        report.outcome = "failed"
        report.longrepr = f"left out, which CI=true forbids: {reason}"
    else:
        config.stash.setdefault(LEFT_OUT, []).append(f"{report.nodeid}: {reason}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _note_left_out(item.config, report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _note_left_out(collector.config, report)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    left_out = config.stash.get(LEFT_OUT, [])
    if left_out:
        terminalreporter.section(f"left out: {len(left_out)}")
        for line in left_out:
            terminalreporter.line(line)


@pytest.fixture(autouse=True)
def _no_heartbeat_outlives_its_test() -> Iterator[None]:
    """discord.py's heartbeat threads do not end with a connection that a test cut off; they would fail a later test."""
    yield
    for thread in threading.enumerate():
        if type(thread).__name__ == "KeepAliveHandler":
            thread.stop()  # type: ignore[attr-defined]  # named, not imported: most tests never load the library


@pytest.fixture(autouse=True, scope="module")
def _logs_are_left_as_they_were() -> Iterator[None]:
    """A file of tests that turned the process's logs down for good would hide what a later file looks for in them."""
    root = logging.getLogger()
    before = root.level
    yield
    assert root.level == before, "these tests set the level of the root logger, and left it so"
