"""The schema's history, and how a database is brought up to it."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from commands.ports.storage import StorageError
from storage.engine import lock_for_upgrade, maintenance_engine, translated_errors
from storage.reading import Readers


async def upgrade(url: str) -> None:
    """Bring the schema up to this version. Does nothing if it is; processes that start at once wait for each other."""
    engine = maintenance_engine(url)
    try:
        with translated_errors():
            async with engine.begin() as connection:
                await connection.run_sync(_upgrade)
    finally:
        await engine.dispose()


async def require_current(readers: Readers) -> None:
    """Raise StorageError, with what to do, unless the schema is this version's."""
    with translated_errors():
        problem = await readers.call(_problem)
    if problem is not None:
        raise StorageError(problem)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


def _upgrade(connection: Connection) -> None:
    lock_for_upgrade(connection)
    problem = _problem(connection)
    if problem is None:
        return
    if problem == _NEWER:
        raise StorageError(problem)
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


_NEWER = "the database was made by a newer lapsebot; install that version, this one must not touch it"


def _problem(connection: Connection) -> str | None:
    scripts = ScriptDirectory.from_config(_config())
    current = MigrationContext.configure(connection).get_current_revision()
    if current == scripts.get_current_head():
        return None
    if current is None:
        return "the database is empty; run: lapsebot db upgrade"
    if current not in {script.revision for script in scripts.walk_revisions()}:
        return _NEWER
    return f"the database is at revision {current}, older than this lapsebot; run: lapsebot db upgrade"
