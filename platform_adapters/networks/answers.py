"""What a network answered, and how its parts are read. What an answer means is each network's own table."""

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx2

from commands.errors import NetworkError
from commands.model import Evidence, Finding, Parent, Verdict

logger = logging.getLogger(__name__)

Json = Mapping[str, object]
LONGEST_CODE = 80
"""Characters of a code or a word that nobody knows, in a log line."""


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
    return None if good else found(Verdict.UNCLEAR, reply, _raw_code(reply.body) or str(reply.status))


_CODE_FIELDS = ("error_code", "serviceErrorCode", "code", "error")
_CODE = re.compile(rf"[\w.:-]{{1,{LONGEST_CODE}}}", re.ASCII)
"""What a code looks like; other text that stands in its place is kept nowhere."""


def _raw_code(body: Json) -> str:
    """The network's own code in a refusal that its table does not know, so that somebody can look it up."""
    told = [text(body, name) for name in _CODE_FIELDS] + [text(part(body, "error"), "code")]
    return next((code for code in told if _CODE.fullmatch(code)), "")


def found(
    verdict: Verdict, reply: Reply, code: str | None, *, subcode: str | None = None, missing: Sequence[str] = ()
) -> Finding:
    """A finding whose evidence is this reply."""
    evidence = Evidence(check=reply.check, code=code, subcode=subcode, http_status=reply.status, missing=tuple(missing))
    return Finding(verdict=verdict, evidence=evidence)


def log_unknown(network: str, check: str, field: str, value: str) -> None:
    """Log a word in a good answer that a network's table does not know, as it came."""
    logger.info("unclear answer of %s to %s: %s is %r", network, check, field, value[:LONGEST_CODE])


def of_one_account(finding: Finding) -> bool:
    """Whether what was answered to a question about one account says nothing of the login, and so nothing of others:
    the account is not there or not this login's, or it is refused for a reason that we do not know. 401 is about the
    login whatever was asked.
    """
    unknown = finding.verdict is Verdict.UNCLEAR and finding.evidence.http_status != httpx2.codes.UNAUTHORIZED
    return unknown or finding.verdict in (Verdict.ROLE_LOST, Verdict.ACCOUNT_GONE)


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
    except (ValueError, OverflowError):
        return None


_LAST_SECOND = datetime(9000, 1, 1, tzinfo=UTC).timestamp()


def moment(body: Json, name: str) -> datetime | None:
    """A field of seconds since 1970 as a time; None where it is absent, 0, or absurd."""
    seconds = number(body, name)
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None and 0 < seconds < _LAST_SECOND else None


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
