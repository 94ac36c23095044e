"""Tables that operators hand in as CSV files: every row with its line, every mistake with its place (A-3)."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

LONGEST = 300  # characters of a field; nothing that we take in has longer names
_EMAIL = re.compile(r"[^\s@,;<>]+@[^\s@,;<>]+\.[^\s@,;<>]+")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")


class UnreadableFile(Exception):
    """The file as a whole cannot be taken in. The message says why, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRow:
    """A row that was left out."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The columns that a table has, or may have."""

    needed: tuple[str, ...]
    optional: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        return self.needed + self.optional


def read_table(file: Path, columns: Columns) -> Sequence[tuple[int, Mapping[str, str]]]:
    """Read a CSV file as rows by column name, each with its line. Raises UnreadableFile."""
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise UnreadableFile(f"{file.name} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise UnreadableFile(f"line {line} of {file.name} is not UTF-8; save the file as “CSV UTF-8”") from error
    if not text.strip():
        raise UnreadableFile(f"{file.name} is empty; its first line must be {','.join(columns.all)}")
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        names = [name.strip().lower() for name in reader.fieldnames or []]
        _check_header(file, names, columns)
        reader.fieldnames = names
        return [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise UnreadableFile(f"line {reader.line_num + 1} of {file.name} is not CSV: {error}") from error


def checked(values: Mapping[str, str], columns: Columns) -> dict[str, str]:
    """The fields of a row, without white space around them. Raises ValueError with what is wrong."""
    if None in values or any(value is None for value in values.values()):
        raise ValueError(
            "does not have as many fields as the header; is there a comma in a name without quotes around it?"
        )
    for name, value in values.items():
        if _CONTROLS.search(value):
            raise ValueError(f"{name} has a control character in it")
        if len(value) > LONGEST:
            raise ValueError(f"{name} is longer than {LONGEST} characters")
    clean = {name: value.strip() for name, value in values.items()}
    empty = [name for name in columns.needed if not clean[name]]
    if empty:
        raise ValueError(f"{empty[0]} is empty")
    return clean


def email_in(values: Mapping[str, str], name: str) -> str:
    """An email address in lower case; empty where there is none. Raises ValueError."""
    value = values.get(name, "")
    if value and not _EMAIL.fullmatch(value):
        raise ValueError(f"{name} is not an email address")
    return value.lower()


def name_from(email: str) -> str:
    """A name to show until the person has one: "ana.ruiz@acme.example" is Ana Ruiz."""
    words = re.split(r"[._+-]+", email.partition("@")[0])
    return " ".join(word.capitalize() for word in words if word) or email


def meant(word: str, known: Sequence[str]) -> str:
    """What else a mistyped word may be, for the end of a reason; empty where nothing is like it."""
    near = get_close_matches(word.lower(), [one.lower() for one in known], n=1)
    return f"; did you mean {next(one for one in known if one.lower() == near[0])}?" if near else ""


def _check_header(file: Path, names: Sequence[str], columns: Columns) -> None:
    missing = [name for name in columns.needed if name not in names]
    if missing:
        hint = (
            " It looks as if its fields are separated by semicolons; they must be separated by commas."
            if ";" in "".join(names)
            else ""
        )
        raise UnreadableFile(f"line 1 of {file.name} lacks the column {missing[0]}.{hint}")
    for name in names:
        if name not in columns.all:
            raise UnreadableFile(f"line 1 of {file.name} has an unknown column {name!r}{meant(name, columns.all)}")
        if names.count(name) > 1:
            raise UnreadableFile(f"line 1 of {file.name} has the column {name} twice")
