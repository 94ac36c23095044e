"""The databases that are measured: SQLite files that are kept between runs, and this run's own PostgreSQL server."""

import hashlib
import inspect
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from uuid import uuid4

import asyncpg
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.schema import CreateIndex, CreateTable

from bench import dataset, loading
from bench.dataset import METADATA, DataSet, keyring
from bench.progress import say
from storage import upgrade
from tests.support.postgres import create_database, drop_database, libpq_url, running_server

ROOT = Path(__file__).resolve().parent.parent
_KEPT = ROOT / ".lapsebot" / "bench"
# As an operator would run it: the tests' server waits for no disk, which would flatter us.
_SERVER_SETTINGS = ("fsync = on", "synchronous_commit = on", "full_page_writes = on", "autovacuum = on")


class Kind(StrEnum):
    """Which database."""

    SQLITE = "SQLite"
    POSTGRESQL = "PostgreSQL"


@dataclass(slots=True)
class Databases:
    """Makes databases of any size on demand. Those from `pristine` must not be changed."""

    server_url: str
    folder: Path
    """For copies."""

    async def pristine(self, kind: Kind, size: int) -> str:
        """Give the address of a filled database, made now if it is not there yet."""
        return await (self._sqlite(size) if kind is Kind.SQLITE else self._postgresql(size))

    @asynccontextmanager
    async def copied(self, kind: Kind, size: int) -> AsyncIterator[str]:
        """Give a copy that may be changed, for as long as the block lasts."""
        source = await self.pristine(kind, size)
        if kind is Kind.SQLITE:
            file = self.folder / f"{uuid4().hex}.sqlite"
            shutil.copyfile(make_url(source).database or "", file)
            try:
                yield _sqlite_url(file)
            finally:
                for part in self.folder.glob(f"{file.name}*"):
                    part.unlink()
            return
        copy = await create_database(self.server_url, template=_name(size))
        try:
            yield copy
        finally:
            await drop_database(copy)

    async def _sqlite(self, size: int) -> str:
        file = _KEPT / _schema_key() / f"{size}.sqlite"
        if not file.exists():
            _forget_other_schemas()
            file.parent.mkdir(parents=True, exist_ok=True)
            say(f"making a SQLite file of {size:,} connections; it is kept for the next run")
            draft = file.with_suffix(".draft")
            draft.unlink(missing_ok=True)
            await upgrade(_sqlite_url(draft))
            loading.fill_sqlite(draft, _data(size))
            draft.rename(file)
        return _sqlite_url(file)

    async def _postgresql(self, size: int) -> str:
        connection = await asyncpg.connect(libpq_url(self.server_url))
        is_there = await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", _name(size))
        await connection.close()
        if is_there:
            return make_url(self.server_url).set(database=_name(size)).render_as_string(hide_password=False)
        say(f"filling PostgreSQL with {size:,} connections")
        url = await create_database(self.server_url, name=_name(size))
        await upgrade(url)
        await loading.fill_postgresql(url, _data(size))
        return url


@asynccontextmanager
async def databases() -> AsyncIterator[Databases]:
    """Start a PostgreSQL server, and give the databases."""
    _KEPT.mkdir(parents=True, exist_ok=True)
    with _server() as server_url, tempfile.TemporaryDirectory(dir=_KEPT, prefix="copies-") as folder:
        connection = await asyncpg.connect(libpq_url(server_url))
        for setting in _SERVER_SETTINGS:
            await connection.execute(f"ALTER SYSTEM SET {setting}")
        await connection.execute("SELECT pg_reload_conf()")
        await connection.close()
        yield Databases(server_url, Path(folder))


@contextmanager
def _server() -> Iterator[str]:
    say("starting PostgreSQL")
    with running_server() as url:
        yield url


def _data(size: int) -> DataSet:
    return DataSet(size=size, now=datetime.now(UTC).replace(microsecond=0), keys=keyring())


def _sqlite_url(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"


def _name(size: int) -> str:
    return f"bench_{size}"


def _schema_key() -> str:
    """What a kept file hangs on: the schema and how the rows are made."""
    dialect = sqlite.dialect()
    statements = [str(CreateTable(table).compile(dialect=dialect)) for table in METADATA.sorted_tables]
    statements += [
        str(CreateIndex(index).compile(dialect=dialect))
        for table in METADATA.sorted_tables
        for index in sorted(table.indexes, key=lambda index: str(index.name))
    ]
    text = "\n".join([*statements, inspect.getsource(dataset), inspect.getsource(loading)])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _forget_other_schemas() -> None:
    for folder in _KEPT.iterdir():
        if folder.is_dir() and folder.name != _schema_key() and not folder.name.startswith("copies-"):
            shutil.rmtree(folder)
