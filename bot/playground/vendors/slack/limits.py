"""Slack's rate limits: a bucket for each channel and each method, and a pause for the whole method once one is empty.

A 429 blocks *that method for that workspace* until its `Retry-After` is over; other methods and workspaces go on.
"""

import math
from collections.abc import Callable

from bot.playground.vendors.slack.config import LimitConfig


class _Bucket:
    def __init__(self, rate: float, burst: int, now: float) -> None:
        self.rate, self.burst, self.level, self.at = rate, burst, float(burst), now

    def take(self, now: float) -> float:
        """Take one; returns 0, or the seconds until there would have been one."""
        self.level = min(self.burst, self.level + max(0.0, now - self.at) * self.rate)
        self.at = now
        if self.level >= 1:
            self.level -= 1
            return 0.0
        return (1 - self.level) / self.rate


class RateLimiter:
    """Says how long a call has to wait. `limits` may be replaced while it runs."""

    def __init__(self, limits: LimitConfig, now: Callable[[], float]) -> None:
        self.limits = limits
        self._now = now
        self._buckets: dict[tuple[str, ...], _Bucket] = {}
        self._paused: dict[tuple[str, str], float] = {}

    def wait_for(self, method: str, team: str, channel: str | None) -> int | None:
        """None when the call may pass, else the whole seconds for `Retry-After`."""
        if not self.limits.enabled:
            return None
        now = self._now()
        paused = self._paused.get((method, team), 0.0) - now
        if paused > 0:
            return math.ceil(paused)
        wait = max(
            (self._take(key, rate, burst, now) for key, rate, burst in self._rules(method, team, channel)),
            default=0.0,
        )
        if wait <= 0:
            return None
        seconds = max(1, math.ceil(wait))
        self._paused[method, team] = now + seconds
        return seconds

    def _rules(self, method: str, team: str, channel: str | None) -> list[tuple[tuple[str, ...], float, int]]:
        limits = self.limits
        if method == "chat.postMessage":
            rules: list[tuple[tuple[str, ...], float, int]] = [
                (
                    (method, team),
                    limits.workspace_per_minute / 60,
                    limits.workspace_per_minute,
                )
            ]
            if channel:
                rules.append(((method, team, channel), limits.channel_rate, limits.channel_burst))
            return rules
        per_minute = limits.method_per_minute.get(method)
        return [((method, team), per_minute / 60, per_minute)] if per_minute else []

    def _take(self, key: tuple[str, ...], rate: float, burst: int, now: float) -> float:
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = _Bucket(rate, burst, now)
        return bucket.take(now)
