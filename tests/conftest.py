"""What every test gets: databases, sockets to this machine only, and a run that says what it left out."""

import asyncio
import ipaddress
import os
import shutil
import socket
import threading
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from storage import upgrade
from tests.support.leaving import left_changed, process_state
from tests.support.postgres import create_database, drop_database, running_server
from tests.support.sqlite import copied, url_of

LEFT_OUT = pytest.StashKey[list[str]]()
IN_MEMORY = Path("/dev/shm")  # noqa: S108  # Linux's file system in memory; each run makes a folder of its own in it
ROOM = 512 * 1024 * 1024
"""More bytes than the databases of one test ever took; a container may offer much less."""


class OutsideConnectionError(RuntimeError):
    """A test tried to leave this machine. Not an OSError, so that no code under test takes it for a dead network."""


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Give the URL of a PostgreSQL server, started at its first use; make databases on it with `create_database`."""
    with running_server() as url:
        yield url


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> str:
    """Name a PostgreSQL database with the schema and no rows, made once: a copy costs a tenth of the migrations."""
    url = asyncio.run(create_database(postgres_url))
    asyncio.run(upgrade(url))
    return str(make_url(url).database)


@pytest.fixture(scope="session")
def databases() -> Iterator[Path]:
    """Give a folder for SQLite files, in memory where there is room: each commit waits for the disk otherwise, by
    `synchronous = FULL`, which took a good part of a run.
    """
    roomy = os.access(IN_MEMORY, os.W_OK) and shutil.disk_usage(IN_MEMORY).free > ROOM
    with TemporaryDirectory(prefix="lapsebot-tests-", dir=IN_MEMORY if roomy else None) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def empty_database(databases: Path) -> Path:
    """Make an SQLite file with the schema and no rows, once: to be copied, never opened."""
    file = databases / "empty.sqlite"
    asyncio.run(upgrade(url_of(file)))
    return file


@pytest.fixture
async def postgres_database_url(postgres_url: str, postgres_template: str) -> AsyncIterator[str]:
    """Give the URL of a PostgreSQL database of the test's own, with the schema and no rows."""
    url = await create_database(postgres_url, template=postgres_template)
    yield url
    await drop_database(url)


@pytest.fixture
def sqlite_database_url(empty_database: Path) -> Iterator[str]:
    """Give the URL of an SQLite file of the test's own, alone in its folder, with the schema and no rows. A file, since
    `:memory:` is one shared connection.
    """
    with copied(empty_database) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Give the URL of a database with the schema and no rows; a test that asks for it runs once on each engine."""
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
def _the_process_is_left_as_it_was() -> Iterator[None]:
    """A file of tests that turned the process's logs down for good, say, would hide what a later file looks for."""
    before = process_state()
    yield
    changed = left_changed(before)
    assert not changed, f"these tests changed the process, and left it so: {', '.join(changed)}"
