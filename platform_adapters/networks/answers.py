"""What a network answered, and how its parts are read. What an answer means is each network's own table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import httpx2

from commands.errors import NetworkError
from commands.model import Evidence, Finding, Parent, Verdict

Json = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer with a JSON object in it. A JSON list arrives as the field "list"."""

    check: str
    """The question, as evidence names it."""
    status: int
    body: Json


Classify = Callable[[Reply], Finding | None]
"""A network's table: what is wrong in a reply, or None where nothing is."""


def meaning(reply: Reply, classify: Classify) -> Finding | None:
    """What is wrong in a reply: by the network's own table, else by what every network means by its status."""
    finding = classify(reply)
    if finding is not None:
        return finding
    if reply.status == httpx2.codes.TOO_MANY_REQUESTS:
        return found(Verdict.THROTTLED, reply, "429")
    good = httpx2.codes.is_success(reply.status)
    if reply.status >= httpx2.codes.INTERNAL_SERVER_ERROR or (good and not reply.body):
        return found(Verdict.NETWORK_DOWN, reply, str(reply.status))
    return None if good else found(Verdict.UNCLEAR, reply, str(reply.status))


def found(
    verdict: Verdict, reply: Reply, code: str | None, *, subcode: str | None = None, missing: Sequence[str] = ()
) -> Finding:
    """A finding whose evidence is this reply."""
    evidence = Evidence(check=reply.check, code=code, subcode=subcode, http_status=reply.status, missing=tuple(missing))
    return Finding(verdict=verdict, evidence=evidence)


def healthy(check: str) -> Finding:
    """A finding that nothing is wrong."""
    return Finding(verdict=Verdict.HEALTHY, evidence=Evidence(check=check))


def malformed(reply: Reply) -> Finding:
    """A good status around an answer without what it must hold: it says nothing, least of all that access is gone."""
    return found(Verdict.UNCLEAR, reply, "malformed")


def moved(check: str, field: str, parent: Parent | None, stored: Parent | None) -> Finding | None:
    """That an account no longer has the parent it was connected under, by a field; None where neither is unlike."""
    if parent is None or stored is None or parent.id == stored.id:
        return None
    return Finding(verdict=Verdict.ACCOUNT_MOVED, evidence=Evidence(check=check, code=field, moved_to=parent))


def listed(reply: Reply, body: Json, name: str) -> Sequence[Json]:
    """A list of objects that an answer must have. Raises NetworkError where there is none: that is not "nothing"."""
    if not isinstance(body.get(name), list):
        raise NetworkError(malformed(reply))
    return rows(body, name)


def text(body: Json, name: str) -> str:
    """A field as text: numbers written out, anything else that is not text as ""."""
    value = body.get(name)
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def number(body: Json, name: str) -> float | None:
    """A field as a number, also where it was sent as text."""
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def part(body: Json, name: str) -> Json:
    """A field that is an object; {} where it is not."""
    value = body.get(name)
    return value if isinstance(value, dict) else {}


def rows(body: Json, name: str) -> Sequence[Json]:
    """A field that is a list of objects; what is not an object is left out."""
    value = body.get(name)
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def items(body: Json, name: str) -> Sequence[str]:
    """A field that is a list of words or numbers, as text."""
    value = body.get(name)
    return [str(item) for item in value if isinstance(item, str | int)] if isinstance(value, list) else []
