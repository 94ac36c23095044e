"""What every command of the command line shares: where it writes, its settings, and errors in words."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import TypeVar

import typer
from rich.console import Console

from bot.settings import Settings, environment_with_file
from commands.errors import SettingError
from commands.ports.storage import StorageError

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)
_Result = TypeVar("_Result")


def read_settings() -> tuple[Settings, dict[str, str]]:
    """The settings and the environment that they come from. Raises SettingError."""
    environment = dict(environment_with_file())
    return Settings.read(environment), environment


@contextmanager
def clear_errors() -> Iterator[None]:
    """Turn what an operator can mend into one sentence and exit code 2."""
    from bot.administration import OperatorError
    from bot.tables import UnreadableFile

    try:
        yield
    except SettingError as error:
        err.print(f"{error.name} {error.reason}", markup=False)
        raise typer.Exit(2) from None
    except (StorageError, OperatorError, UnreadableFile) as error:
        err.print(str(error), markup=False)
        raise typer.Exit(2) from None


def run_async(work: Coroutine[object, object, _Result]) -> _Result:
    """Run a command's coroutine; the first error of a task group comes out as itself."""
    try:
        return asyncio.run(work)
    except BaseExceptionGroup as group:
        first: BaseException = group
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        raise first from group
