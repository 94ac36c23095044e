"""A database that is away for a while, or falls silent, is said so in the port's own words; once it is back all goes on
in the same process. On PostgreSQL: SQLite is a file.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy.engine import make_url

from commands.ports.storage import Storage, StorageError
from storage import Keyring, open_storage, upgrade
from storage.engine import open_engines
from storage.migrations import require_current
from tests.support.clock import FakeClock

_SOCKET = ".s.PGSQL.5432"


@dataclass
class Line:
    """What stands between the bot and the server: a socket that passes everything on, until it is cut."""

    server_url: str
    folder: Path
    _server: asyncio.Server | None = None
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def url(self) -> str:
        changed = make_url(self.server_url).set(host=None, port=None, query={"host": str(self.folder)})
        return changed.render_as_string(hide_password=False)

    async def mend(self) -> None:
        self._server = await asyncio.start_unix_server(self._pass_on, self.folder / _SOCKET)

    async def cut(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in list(self._open):
            writer.transport.abort()
        (self.folder / _SOCKET).unlink(missing_ok=True)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind = make_url(self.server_url)
        host = behind.query.get("host") or behind.host
        if str(host).startswith("/"):
            back, forth = await asyncio.open_unix_connection(f"{host}/{_SOCKET}")
        else:
            back, forth = await asyncio.open_connection(str(host), behind.port or 5432)
        self._open |= {writer, forth}
        with suppress(ConnectionError):
            await asyncio.gather(_copied(reader, forth), _copied(back, writer))
        self._open -= {writer, forth}


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while block := await reader.read(65536):
        writer.write(block)
        await writer.drain()
    writer.transport.abort()


@pytest.fixture
async def line(postgres_database_url: str) -> AsyncIterator[Line]:
    with TemporaryDirectory(prefix="line-") as folder:  # a short one: a socket's path has a limit
        line = Line(postgres_database_url, Path(folder))
        await line.mend()
        yield line
        await line.cut()


async def reads(storage: Storage) -> None:
    await storage.directory.organizations()


async def writes(storage: Storage) -> None:
    await storage.queues.pause_network("examplenet", until=FakeClock().now())


async def test_a_database_that_was_away_is_used_again_by_the_same_process(line: Line) -> None:
    """Also by the clock that is measured beside: an error of another kind would end the process with it."""
    keyring = Keyring.from_settings(Keyring.new_key("k"))
    engines = open_engines(line.url, connections=2)
    async with open_storage(line.url, keyring, connections=2) as storage:
        uses = (partial(reads, storage), partial(writes, storage), partial(require_current, engines.readers))
        for _ in range(2):
            for use in uses:
                await use()
            await line.cut()
            for _ in range(2):  # connections that were open, then some that cannot be opened
                for use in uses:
                    with pytest.raises(StorageError):
                        await use()
            await line.mend()
        for use in uses:
            await use()
    await engines.dispose()


async def test_a_database_that_cannot_be_reached_at_the_start_is_said_so(line: Line) -> None:
    await line.cut()
    with pytest.raises(StorageError, match="cannot be reached"):
        async with open_storage(line.url, Keyring.from_settings(Keyring.new_key("k")), FakeClock()):
            pass
    with pytest.raises(StorageError, match="cannot be reached"):
        await upgrade(line.url)
    await line.mend()


async def test_a_database_of_a_name_that_the_server_does_not_know_is_said_so(line: Line) -> None:
    """What the server says on connecting is the driver's own error, and no connection's."""
    unknown = make_url(line.url).set(database="nowhere").render_as_string(hide_password=False)
    with pytest.raises(StorageError, match="cannot be reached: InvalidCatalogNameError"):
        async with open_storage(unknown, Keyring.from_settings(Keyring.new_key("k")), FakeClock()):
            pass
