"""What becomes of a delivery after a send: pure rules over the platform's answer."""

import random
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from commands.errors import DeliveryError, DeliveryErrorKind, RetryScope
from commands.ports.chat import MessageRef
from commands.ports.notices import Delivery, DeliveryState
from commands.ports.storage import Sent

SHORTEST, LONGEST = timedelta(seconds=1), timedelta(hours=1)
"""What a platform's "retry after" is clamped to: it may be negative, or a year."""
BACK_OFF_CAP = timedelta(minutes=15)
BUDGET = timedelta(hours=24)
"""How long a first post is tried."""
EDIT_ATTEMPTS = 200
"""Tries of an edit: at the capped back-off, about a day."""
RESEND_AFTER = timedelta(seconds=5)
"""How soon a post whose reply was lost is sent again: inside the minutes in which platforms drop duplicates."""
DEAD_PAUSE = timedelta(minutes=15)
"""How long a lane rests whose installation is dead, before one message is tried."""

EXPIRED = "expired"
UNKNOWN_OUTCOME = "unknown outcome"
REMOVED = "message removed by a reader"
SENT_TWICE = "sent again after a lost reply; may show twice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Something has to wait until then."""

    scope: RetryScope
    until: datetime
    dead: bool = False
    """The installation lost its access: afterwards one message is tried alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a send came out, and what follows from it."""

    sent: Sent
    pause: Pause | None = None
    lost: bool = False
    """A first post failed for good: the reader's next address is wanted."""


def posted(delivery: Delivery, ref: MessageRef | None, *, deduplicates: bool, now: datetime) -> Outcome:
    """The platform took the message. `ref` None: nothing about it will be changed or followed any more.

    After a lost reply, a platform that drops duplicates gives back the earlier message. It may show an earlier state;
    if there was one, an edit follows.
    """
    again = delivery.state is DeliveryState.UNKNOWN
    stale = again and deduplicates and delivery.ref is None and delivery.wanted > 1
    sent = _sent(
        delivery,
        DeliveryState.DELIVERED,
        reason=SENT_TWICE if again and not deduplicates else "",
        at=now,
        shown=0 if stale else delivery.wanted,
    )
    return Outcome(sent=replace(sent, ref=ref))


def suppressed(delivery: Delivery, reason: str, *, now: datetime) -> Outcome:
    """Nothing was sent, and nothing will be."""
    return Outcome(sent=_sent(delivery, DeliveryState.SUPPRESSED, reason=reason, at=now))


def postponed(delivery: Delivery, until: datetime) -> Outcome:
    """It was not its turn; nothing was tried."""
    return Outcome(sent=_sent(delivery, delivery.state, reason=delivery.reason, at=until))


def failed(delivery: Delivery, error: DeliveryError, *, now: datetime, chance: random.Random) -> Outcome:
    """The platform did not take it, or nobody knows whether it did."""
    is_edit, kind = delivery.ref is not None, error.kind
    if kind is DeliveryErrorKind.INSTALLATION_DEAD:
        return _dead(delivery, error, now)
    if kind is DeliveryErrorKind.MESSAGE_GONE and is_edit:
        sent = _sent(delivery, DeliveryState.DELIVERED, reason=REMOVED, at=now, shown=delivery.wanted)
        return Outcome(sent=sent)
    if kind is DeliveryErrorKind.RETRY or (kind is DeliveryErrorKind.UNKNOWN and is_edit):  # twice the same edit is one
        return _retry(delivery, error, now=now, chance=chance)
    if kind is DeliveryErrorKind.UNKNOWN and delivery.state is not DeliveryState.UNKNOWN:
        sent = _sent(delivery, DeliveryState.UNKNOWN, reason=error.code, at=now + RESEND_AFTER, tried=True)
        return Outcome(sent=sent)
    return _failure(delivery, UNKNOWN_OUTCOME if kind is DeliveryErrorKind.UNKNOWN else error.code, now)


def _dead(delivery: Delivery, error: DeliveryError, now: datetime) -> Outcome:
    """Keep what waits: the installation may come back. The whole lane rests."""
    until = now + DEAD_PAUSE
    if _is_expired(delivery, until):
        return _failure(delivery, EXPIRED, now)
    sent = _sent(delivery, delivery.state, reason=error.code, at=until, tried=True)
    return Outcome(sent=sent, pause=Pause(scope=RetryScope.LANE, until=until, dead=True))


def _retry(delivery: Delivery, error: DeliveryError, *, now: datetime, chance: random.Random) -> Outcome:
    """Try again: when the platform says, else by exponential back-off with full jitter. Its word holds all back."""
    asked = error.retry_after
    if asked is not None:
        until = now + min(max(asked, SHORTEST), LONGEST)
    else:
        longest = min(BACK_OFF_CAP, SHORTEST * 2 ** min(delivery.attempts, 20))
        until = now + max(SHORTEST, longest * chance.random())
    if _is_expired(delivery, until):
        return _failure(delivery, EXPIRED, now)
    pause = Pause(scope=error.scope, until=until) if asked is not None else None
    return Outcome(sent=_sent(delivery, delivery.state, reason=error.code, at=until, tried=True), pause=pause)


def _is_expired(delivery: Delivery, until: datetime) -> bool:
    if delivery.ref is not None:
        return delivery.attempts >= EDIT_ATTEMPTS
    return until > delivery.created_at + BUDGET


def _failure(delivery: Delivery, reason: str, now: datetime) -> Outcome:
    sent = _sent(delivery, DeliveryState.FAILED, reason=reason, at=now, tried=True)
    return Outcome(sent=sent, lost=delivery.ref is None)


def _sent(
    delivery: Delivery,
    state: DeliveryState,
    *,
    reason: str,
    at: datetime,
    shown: int | None = None,
    tried: bool = False,
) -> Sent:
    return Sent(
        delivery_id=delivery.id,
        state=state,
        shown=delivery.shown if shown is None else shown,
        ref=delivery.ref,
        reason=reason,
        next_at=at,
        attempts=delivery.attempts + 1 if tried else delivery.attempts,
    )
