"""Where a key of a TOML file stands, for saying so to whoever wrote it: the parser itself does not tell."""

import re
from collections.abc import Mapping

Path = tuple[str | int, ...]
"""The way to a value, as in ("api_key", 0, "probe", "url")."""

_HEADER = re.compile(r"^\s*(\[\[?)\s*([A-Za-z0-9_.\-\s\"']+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"^\s*([A-Za-z0-9_.\-\"']+)\s*=")


def line_of(text: str, path: Path) -> int:
    """The line, counted from 1, of the nearest that is written of `path`: the key, else the table that lacks it."""
    lines = _lines(text)
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


def _lines(text: str) -> Mapping[Path, int]:
    found: dict[Path, int] = {}
    table: Path = ()
    for number, line in enumerate(text.splitlines(), start=1):
        header, key = _HEADER.match(line), _KEY.match(line)
        if header is not None:
            table = _table(header[1] == "[[", _names(header[2]), found)
            found.setdefault(table, number)
        elif key is not None:
            found.setdefault((*table, *_names(key[1])), number)
    return found


def _table(is_list: bool, names: tuple[str, ...], found: Mapping[Path, int]) -> Path:
    """The table that a header opens. A name on the way that is a list means its latest entry."""
    path: Path = ()
    for name in names[:-1]:
        path = (*path, name)
        number = _entries(path, found)
        path = (*path, number - 1) if number else path
    path = (*path, names[-1])
    return (*path, _entries(path, found)) if is_list else path


def _entries(path: Path, found: Mapping[Path, int]) -> int:
    number = 0
    while (*path, number) in found:
        number += 1
    return number


def _names(dotted: str) -> tuple[str, ...]:
    return tuple(name.strip().strip("\"'") for name in dotted.split("."))
