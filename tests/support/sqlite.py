"""Copies of SQLite files: a database that was made once costs each test a copy."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory


@contextmanager
def copied(file: Path) -> Iterator[str]:
    """Give the URL of a copy, alone in a folder beside the file, that lives as long as the block. Nobody may be
    connected to the file.
    """
    with TemporaryDirectory(dir=file.parent) as folder:
        yield url_of(Path(shutil.copy(file, folder)))


def url_of(file: Path) -> str:
    """Give the URL of an SQLite file."""
    return f"sqlite+aiosqlite:///{file}"
