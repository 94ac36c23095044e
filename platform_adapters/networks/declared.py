"""The networks that an operator declares in a file of their own: kinds `api_key` and `hosted`, in TOML.

What may stand in it is written out in docs/networks-of-your-own.md. Whatever is wrong stops the start with the file,
the line, the key and what it must be; nothing wrong is skipped.
"""

import re
import string
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, NoReturn
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from commands.errors import SettingError
from commands.model import Verdict
from commands.ports.network import Grouping
from platform_adapters.networks import toml_lines

SETTING = "LAPSEBOT_NETWORKS_FILE"

_THIS_MACHINE = frozenset({"127.0.0.1", "localhost", "::1"})
_IN_CHECKLISTS = ("account", "account_id", "subject")
_OF_OURS = frozenset({"connection_id", "account_id"})
_TAKEN = frozenset({"error", "iss"})
_PLACE = re.compile(r"(?:[A-Za-z0-9{}_.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]+)?")
"""A host with its port, as it may also stand in a page's headers."""
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OF_THE_CALL = frozenset({"connection", "content-length", "host", "transfer-encoding", "upgrade"})
"""Headers by which a call itself is made."""
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_FIXED_LABELS = 2
"""Names of a host that no field may stand in for: the vendor's own domain."""

Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,31}$")]
Words = Annotated[str, Field(min_length=1, max_length=200)]
Name = Annotated[str, Field(min_length=1, max_length=40)]
Pointer = Annotated[str, Field(pattern=r"^(/[^/]+)+$")]
"""A JSON pointer (RFC 6901); of a list at the top, the way begins with /list."""


class _Declared(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class _Network(_Declared):
    """What both kinds declare."""

    slug: Slug
    name: Name
    aliases: tuple[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9 _-]{0,31}$")], ...] = ()
    requirement: Words = ""
    stops: tuple[Words, ...] = ()
    checklist: tuple[Words, ...] = ()
    grouping: Grouping = Grouping.EACH


class FieldDeclaration(_Declared):
    """One field of a key's form."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
    label: Name
    help: Annotated[str, Field(max_length=200)] = ""
    secret: bool = True
    pattern: Annotated[str, Field(max_length=200)] = ""

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"is not a regular expression: {error}") from error
        return value


class Basic(_Declared):
    """HTTP's Basic authentication."""

    username: str = ""
    password: str = ""


class ProbeDeclaration(_Declared):
    """The one question that proves a key. Texts may name fields in braces."""

    method: Literal["GET", "POST"] = "GET"
    url: str
    headers: Mapping[str, str] = {}
    basic: Basic | None = None
    query: Mapping[str, str] = {}
    form: Mapping[str, str] = {}
    account_id: Pointer
    account_name: Pointer | None = None
    ends_at: Pointer | None = None


class Rule(_Declared):
    """What an answer means, where the usual meaning of its status is not enough. The first that fits decides."""

    status: Annotated[int, Field(ge=100, le=599)] | None = None
    at: Pointer | None = None
    equals: str | None = None
    verdict: Verdict


class ExampleDeclaration(_Declared):
    """An answer from the vendor's documentation, and what it must come to."""

    status: Annotated[int, Field(ge=100, le=599)]
    body: Mapping[str, object] = {}
    verdict: Verdict
    account_id: str | None = None


class ApiKeyDeclaration(_Network):
    """A network that is read with a key."""

    called: Name = "key"
    where: tuple[Words, ...] = ()
    needs: tuple[Words, ...] = ()
    term_days: Annotated[int, Field(ge=1, le=3650)] | None = None
    fields: Annotated[tuple[FieldDeclaration, ...], Field(min_length=1, max_length=5)]
    probe: ProbeDeclaration
    verdicts: tuple[Rule, ...] = ()
    examples: tuple[ExampleDeclaration, ...] = ()


class HostedDeclaration(_Network):
    """A network whose connections the host product holds."""

    product: Name
    reconnect_url: str
    connect_url: str = ""


class _File(_Declared):
    api_key: tuple[ApiKeyDeclaration, ...] = ()
    hosted: tuple[HostedDeclaration, ...] = ()


class Wrong(Exception):
    """Something that is declared cannot be meant so. Said of a place in the file."""

    def __init__(self, path: toml_lines.Path, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Declarations:
    """The operator's file, read and checked."""

    api_keys: tuple[ApiKeyDeclaration, ...] = ()
    hosted: tuple[HostedDeclaration, ...] = ()


def read(environment: Mapping[str, str], more: Callable[[int, ApiKeyDeclaration], None] | None = None) -> Declarations:
    """Read the file that the setting names; nothing where it names none. `more` looks at each declaration of a key as
    well, and raises Wrong. Raises SettingError.
    """
    given = environment.get(SETTING, "")
    if not given:
        return Declarations()
    file = Path(given)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = "there is no such file" if isinstance(error, FileNotFoundError) else type(error).__name__
        raise SettingError(SETTING, f"{file} cannot be read: {why}") from error
    try:
        found = _File.model_validate(tomllib.loads(text))
        for path, problem in _problems(found):
            _fail(file, text, path, problem)
        for number, each in enumerate(found.api_key):
            if more is not None:
                more(number, each)
    except tomllib.TOMLDecodeError as error:
        raise SettingError(SETTING, f"{file} is not TOML: {error}") from error
    except RecursionError as error:
        raise SettingError(SETTING, f"{file} is nested too deep") from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        _fail(file, text, first["loc"], _WORDS.get(first["type"], _in_words(first["msg"])))
    except Wrong as wrong:
        _fail(file, text, wrong.path, wrong.reason)
    return Declarations(api_keys=found.api_key, hosted=found.hosted)


_WORDS = {"extra_forbidden": "is not a key that is known here", "missing": "is missing"}
"""What pydantic finds wrong, by its name for it, in an operator's words."""


def _in_words(found: str) -> str:
    return found.removeprefix("Value error, ").replace("Input should", "must").replace("String should", "must")


def _fail(file: Path, text: str, path: toml_lines.Path, reason: str) -> NoReturn:
    where = ".".join(str(step + 1) if isinstance(step, int) else step for step in path)
    place = f"{file}, line {toml_lines.line_of(text, path)}"
    raise SettingError(SETTING, f"{place}: {where}: {reason}" if where else f"{place}: {reason}")


_Problem = tuple[toml_lines.Path, str]


def _problems(found: _File) -> Iterator[_Problem]:
    """What no field alone can tell."""
    for number, key in enumerate(found.api_key):
        yield from _of_checklist(("api_key", number), key)
        yield from _of_key(("api_key", number), key)
    for number, hosted in enumerate(found.hosted):
        yield from _of_checklist(("hosted", number), hosted)
        yield from _of_hosted(("hosted", number), hosted)


def _of_checklist(path: toml_lines.Path, network: _Network) -> Iterator[_Problem]:
    for sentence in network.checklist:
        yield from _unknown((*path, "checklist"), sentence, _IN_CHECKLISTS)


def _of_key(path: toml_lines.Path, key: ApiKeyDeclaration) -> Iterator[_Problem]:
    fields = {field.name: field for field in key.fields}
    if len(fields) < len(key.fields):
        yield (*path, "fields"), "two fields have the same name"
    for number, field in enumerate(key.fields):
        if field.name in _TAKEN:
            yield (*path, "fields", number, "name"), "is a name that answers of logins have; choose another"
    yield from _of_probe((*path, "probe"), key.probe, fields)
    texts = [key.probe.url, *(text for _, text in _texts(key.probe))]
    used = {name for text in texts for name in named_in(text)}
    for number, field in enumerate(key.fields):
        if field.name not in used:
            yield (*path, "fields", number, "name"), f"the probe does not use {{{field.name}}}, so it is never proved"
    for number, rule in enumerate(key.verdicts):
        if rule.status is None and rule.at is None:
            yield (*path, "verdicts", number), "says neither a status nor where to look"
        if (rule.at is None) != (rule.equals is None):
            yield (*path, "verdicts", number), "at and equals belong together"


def _of_probe(
    path: toml_lines.Path, probe: ProbeDeclaration, fields: Mapping[str, FieldDeclaration]
) -> Iterator[_Problem]:
    at = (*path, "url")
    yield from _address(at, probe.url)
    yield from _unknown(at, probe.url, fields)
    if any(fields[name].secret for name in named_in(probe.url) if name in fields):
        yield at, "names a secret field; addresses are written down in many places, so send it as a header"
    yield from _host(at, probe.url)
    for place, text in _texts(probe):
        yield from _unknown((*path, *place), text, fields)
    for name, text in probe.headers.items():
        yield from _header((*path, "headers", name), name, text)
    if probe.form and probe.method != "POST":
        yield (*path, "form"), 'a form is sent with method = "POST" alone'


def _header(path: toml_lines.Path, name: str, text: str) -> Iterator[_Problem]:
    if _HEADER.fullmatch(name) is None or name.lower() in _OF_THE_CALL:
        yield path, "is not a header that can be sent"
    if not (text.isascii() and text.isprintable()):
        yield path, "must be one line of plain characters"


def _texts(probe: ProbeDeclaration) -> Iterator[tuple[tuple[str, str], str]]:
    """All that fields may stand in, besides the address, by where it stands."""
    basic = probe.basic.model_dump() if probe.basic is not None else {}
    for part, texts in (("headers", probe.headers), ("query", probe.query), ("form", probe.form), ("basic", basic)):
        yield from (((part, name), text) for name, text in texts.items())


def _of_hosted(path: toml_lines.Path, hosted: HostedDeclaration) -> Iterator[_Problem]:
    for name, url in (("reconnect_url", hosted.reconnect_url), ("connect_url", hosted.connect_url)):
        if not url and name == "connect_url":
            continue
        at = (*path, name)
        yield from _address(at, url)
        yield from _unknown(at, url, _OF_OURS if name == "reconnect_url" else ())
        if named_in(urlsplit(url).netloc):
            yield at, "the host is fixed: nothing in braces may stand in it"


def _address(path: toml_lines.Path, url: str) -> Iterator[_Problem]:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        yield path, "is not an address"
        return
    if not (url.isascii() and url.isprintable()) or set(url) & {" ", "\\"}:
        yield path, "must be plain characters without spaces"
    secure = parts.scheme == "https" or (parts.scheme == "http" and host in _THIS_MACHINE)
    if not secure or not host or _PLACE.fullmatch(parts.netloc) is None:
        yield path, "must be an address that begins with https://"


def _host(path: toml_lines.Path, url: str) -> Iterator[_Problem]:
    """A field may stand for a whole name before the vendor's own domain, and for nothing else of a host."""
    labels = urlsplit(url).netloc.split(".")
    free = [label for label in labels if "{" in label or "}" in label]
    fixed = labels[len(free) :]
    if free and (labels[: len(free)] != free or len(fixed) < _FIXED_LABELS or any(not _is_field(one) for one in free)):
        yield path, "in the host, a field stands alone before the vendor's domain: https://{region}.api.example.com"


def _is_field(label: str) -> bool:
    return label == "{" + "".join(named_in(label)) + "}"


def _unknown(path: toml_lines.Path, text: str, known: Iterable[str]) -> Iterator[_Problem]:
    try:
        names = named_in(text)
    except ValueError:
        yield path, "has a brace without its other half; write {{ for a brace that is meant as one"
        return
    if any(form or turned for _, _, form, turned in string.Formatter().parse(text)):
        yield path, "writes more than a name in braces"
    for name in names:
        if name not in known:
            yield path, f"names {{{name}}}, which is not a field; there are: {', '.join(known) or 'none'}"


def named_in(template: str) -> list[str]:
    """The names in braces. Raises ValueError for a brace without its other half."""
    return [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]


def filled(template: str, values: Mapping[str, str]) -> str:
    """A text with its fields."""
    return "".join(
        before + (values[name] if name is not None else "") for before, name, _, _ in string.Formatter().parse(template)
    )


def address(template: str, values: Mapping[str, str]) -> str | None:
    """An address with its fields, none of which can leave its place; None where one does not fit there."""
    host = urlsplit(template).netloc
    if any(_LABEL.fullmatch(values[name]) is None for name in named_in(host)):
        return None
    if any(values[name] in (".", "..", "") for name in named_in(template)):
        return None
    return filled(template, {name: quote(value, safe="") for name, value in values.items()})
