"""How long networks ask us to wait, read from the headers of an answer that says "too often".

RFC 9110 10.2.3 (Retry-After); Meta's `X-Business-Use-Case-Usage`, `X-Ad-Account-Usage` and `X-App-Usage`; X's
`x-rate-limit-reset` and `x-account-rate-limit-reset` (seconds since the epoch); Reddit's `x-ratelimit-reset` (seconds
from now).
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from commands.model import Pause

LONGEST = timedelta(days=1)
"""A longer wait than this is nonsense, or a quota of ours that people should not wait for in silence."""
_USED_UP = 100  # percent, as Meta counts it
_A_WINDOW = timedelta(minutes=10)  # Meta names no end where all of the app's calls of the last hour are used up

Headers = Mapping[str, str]


def asked_pause(headers: Headers, now: datetime, *, of_one_login: bool) -> Pause | None:
    """The wait that headers ask for: the longest of those that make sense, at most a day. None: they ask for none.

    `of_one_login` is whether this network counts each login by itself, where the header does not say.
    """
    everybody = [] if of_one_login else [*_plain(headers, now), *_epochs(headers)]
    one = [*_plain(headers, now), *_epochs(headers)] if of_one_login else []
    one += [*_business(headers, now), *_account(headers, now)]
    if _app_is_used_up(headers):
        everybody.append(now + _A_WINDOW)
    waits = [Pause(until=until, everybody=False) for until in one if now < until]
    waits += [Pause(until=until, everybody=True) for until in everybody if now < until]
    longest = max(waits, key=lambda wait: (wait.everybody, wait.until), default=None)
    return None if longest is None else bounded(longest, now)


def bounded(wait: Pause, now: datetime) -> Pause:
    """The same, of a day at most."""
    return Pause(until=min(wait.until, now + LONGEST), everybody=wait.everybody)


def _plain(headers: Headers, now: datetime) -> list[datetime]:
    waits = [_from_now(headers.get("x-ratelimit-reset"), now)]
    asked = headers.get("retry-after", "").strip()
    waits.append(_from_now(asked, now) or _date(asked))
    return [wait for wait in waits if wait is not None]


def _epochs(headers: Headers) -> list[datetime]:
    names = ("x-rate-limit-reset", "x-account-rate-limit-reset")
    found = [_number(headers.get(name)) for name in names]
    return [_at(seconds) for seconds in found if seconds is not None and seconds < _LAST_SECOND]


def _business(headers: Headers, now: datetime) -> list[datetime]:
    waits = []
    for uses in _object(headers.get("x-business-use-case-usage")).values():
        for use in uses if isinstance(uses, list) else ():
            minutes = use.get("estimated_time_to_regain_access") if isinstance(use, dict) else None
            if isinstance(minutes, int | float) and 0 < minutes <= LONGEST.total_seconds():
                waits.append(now + min(timedelta(minutes=minutes), LONGEST))
    return waits


def _account(headers: Headers, now: datetime) -> list[datetime]:
    """Of an ad account whose share is used up: the seconds until it has one again."""
    use = _object(headers.get("x-ad-account-usage"))
    share, seconds = use.get("acc_id_util_pct"), use.get("reset_time_duration")
    if not isinstance(share, int | float) or not isinstance(seconds, int | float):
        return []
    used_up = share >= _USED_UP and 0 < seconds <= LONGEST.total_seconds()
    return [now + timedelta(seconds=seconds)] if used_up else []


def _app_is_used_up(headers: Headers) -> bool:
    used = _object(headers.get("x-app-usage"))
    shares = [used.get(name) for name in ("call_count", "total_cputime", "total_time")]
    return any(isinstance(share, int | float) and share >= _USED_UP for share in shares)


def _object(text: str | None) -> Mapping[str, object]:
    try:
        value = json.loads(text or "")
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _number(text: str | None) -> float | None:
    """A count of seconds, whole or not; None for everything else that Python would read as a number."""
    if text is None or not text.strip().replace(".", "", 1).isascii():
        return None
    return float(text) if text.strip().replace(".", "", 1).isdigit() else None


def _from_now(text: str | None, now: datetime) -> datetime | None:
    seconds = _number(text)
    return None if seconds is None else now + timedelta(seconds=min(seconds, LONGEST.total_seconds()))


_LAST_SECOND = datetime(9000, 1, 1, tzinfo=UTC).timestamp()


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _date(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
