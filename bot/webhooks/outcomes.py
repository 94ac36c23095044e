"""What becomes of a message after a try: pure rules over the receiver's answer (Standard Webhooks' own)."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from commands.ports.hosting import DueMessage, MessageState, SendOutcome

SCHEDULE = tuple(
    timedelta(seconds=seconds) for seconds in (5, 300, 1800, 7200, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
"""How long after each failed try the next one comes; the first is made at once. Standard Webhooks' schedule."""
JITTER = 0.2
"""Up to so much of each wait is added, so that what failed together does not come back together."""
DISABLED_AFTER = timedelta(days=5)
"""How long an endpoint may fail, without taking one message, before it is disabled."""
PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)
"""What a receiver's Retry-After is held to: it may be a year."""
_GONE, _THROTTLED = 410, (429, 502, 504)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of one try."""

    status: int | None
    """None: no answer."""
    error: str = ""
    """Why there was none."""
    retry_after: str = ""


def judged(due: DueMessage, answer: Answer, *, now: datetime, chance: random.Random) -> SendOutcome:
    """What is to be written down."""
    status = answer.status
    if status is not None and 200 <= status < 300:
        return SendOutcome(state=MessageState.DELIVERED, status=status, error="", at=now, next_at=now)
    error = answer.error if status is None else _words(status)
    if status == _GONE:
        return SendOutcome(
            state=MessageState.DEAD, status=status, error=error, at=now, next_at=now, disable="it answered 410 Gone"
        )
    failing_since = due.endpoint.failing_since
    disable = ""
    if failing_since is not None and now - failing_since >= DISABLED_AFTER:
        disable = f"it took no message for {DISABLED_AFTER.days} days"
    tries = due.message.attempts
    if disable or tries > len(SCHEDULE):
        return SendOutcome(state=MessageState.DEAD, status=status, error=error, at=now, next_at=now, disable=disable)
    wait = SCHEDULE[max(0, tries - 1)] * (1 + JITTER * chance.random())
    pause = _pause(answer.retry_after, now) if status in _THROTTLED or answer.retry_after else None
    next_at = now + max(wait, pause or wait)
    return SendOutcome(
        state=MessageState.DUE,
        status=status,
        error=error,
        at=now,
        next_at=next_at,
        pause_until=now + pause if pause is not None else None,
    )


def _words(status: int) -> str:
    if 300 <= status < 400:
        return f"it answered {status}, a redirect; set the address that it leads to"
    return f"it answered {status}"


def _pause(text: str, now: datetime) -> timedelta:
    """How long a receiver wants to be left alone: seconds, or a date (RFC 9110, section 10.2.3)."""
    wanted = PAUSE
    text = text.strip()[:40]
    if text.isascii() and text.isdigit():
        wanted = timedelta(seconds=min(int(text), int(LONGEST_PAUSE.total_seconds())))
    elif text:
        try:
            date = parsedate_to_datetime(text)
        except (ValueError, OverflowError):  # numbers of any length are read as years and zones
            return wanted
        wanted = (date if date.tzinfo is not None else date.replace(tzinfo=UTC)) - now
    return min(max(wanted, timedelta(seconds=1)), LONGEST_PAUSE)
