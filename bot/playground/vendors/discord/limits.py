"""Rate limits, the headers that tell of them, and the ban for going on after refusals.

Source: docs.discord.com, topics/rate-limits. A ban is Cloudflare's answer: no `Via`, no JSON.
"""

from __future__ import annotations

import hashlib
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from bot.playground.vendors.discord.config import LimitConfig
from bot.playground.vendors.discord.wire import ApiError

VIA = "1.1 google"
COUNTED = frozenset({401, 403, 429})
SLOW_METHODS = frozenset({"POST", "PATCH", "PUT", "DELETE"})
PLENTY = 1_000


@dataclass(slots=True)
class Window:
    ends: float
    used: int


@dataclass(frozen=True, slots=True)
class Bucket:
    """One route with its top-level resource: the unit that Discord limits."""

    route: str
    major: str

    @property
    def hash(self) -> str:
        return hashlib.sha256(self.route.encode()).hexdigest()[:32]


def bucket_of(method: str, template: str, match: dict[str, str]) -> Bucket:
    """The bucket of a request, from its route template and the ids in its path."""
    majors = [match.get(name, "") for name in ("channel_id", "guild_id", "webhook_id", "webhook_token")]
    return Bucket(f"{method} {template}", "+".join(one for one in majors if one))


class Limits:
    """Counts requests. `enabled` may be switched while running; refused requests are counted either way."""

    def __init__(self, config: LimitConfig, now: Callable[[], float]) -> None:
        self.config = config
        self.enabled = config.enabled
        self.requests = 0
        self.rejected: deque[float] = deque()
        self._now = now
        self._windows: dict[Bucket, Window] = {}
        self._global = Window(0.0, 0)

    def refuse_banned(self) -> web.Response | None:
        """Cloudflare's answer while the ban holds."""
        self._forget()
        if len(self.rejected) < self.config.ban_after:
            return None
        wait = math.ceil(self.rejected[0] + self.config.ban_seconds - self._now())
        return web.Response(status=429, text="error code: 1015", headers={"Retry-After": str(max(wait, 1))})

    def take(self, bucket: Bucket, *, counts_globally: bool) -> dict[str, str]:
        """Use one request of a bucket; answers the headers, or raises the 429."""
        self.requests += 1
        if not self.enabled:
            return self._headers(bucket, PLENTY, PLENTY - 1, 1.0)
        if counts_globally:
            self._take_global()
        # Reading is limited too, only far more loosely.
        writing = bucket.route.split(" ", 1)[0] in SLOW_METHODS and bucket.major
        limit = self.config.per_bucket if writing else self.config.global_per_second
        seconds = self.config.bucket_seconds if writing else 1.0
        now = self._now()
        window = self._windows.get(bucket)
        if window is None or window.ends <= now:
            window = self._windows[bucket] = Window(now + seconds, 0)
        left = window.ends - now
        if window.used >= limit:
            headers = self._headers(bucket, limit, 0, left)
            raise too_many(left, scope="user", headers=headers)
        window.used += 1
        return self._headers(bucket, limit, limit - window.used, left)

    def note(self, status: int, *, shared: bool = False) -> None:
        """Count a refusal towards the ban; a 429 of shared scope does not count."""
        if status in COUNTED and not shared:
            self.rejected.append(self._now())

    @property
    def rejected_lately(self) -> int:
        self._forget()
        return len(self.rejected)

    def _forget(self) -> None:
        oldest = self._now() - self.config.ban_seconds
        while self.rejected and self.rejected[0] <= oldest:
            self.rejected.popleft()

    def _take_global(self) -> None:
        now = self._now()
        if self._global.ends <= now:
            self._global = Window(now + 1.0, 0)
        if self._global.used >= self.config.global_per_second:
            left = self._global.ends - now
            raise too_many(left, scope="global", headers={"X-RateLimit-Global": "true"})
        self._global.used += 1

    def _headers(self, bucket: Bucket, limit: int, remaining: int, left: float) -> dict[str, str]:
        # Upwards: a client that waits as told must not come a fraction of a millisecond early.
        rounded = math.ceil(left * 1000) / 1000
        return {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(remaining),
            "X-RateLimit-Reset": f"{self._now() + rounded:.3f}",
            "X-RateLimit-Reset-After": f"{rounded:.3f}",
            "X-RateLimit-Bucket": bucket.hash,
        }


def too_many(retry_after: float, *, scope: str, headers: dict[str, str] | None = None, via: bool = True) -> ApiError:
    """An ordinary 429, with `Via` as everything that passed Discord's edge has it."""
    told = {
        "Retry-After": str(math.ceil(retry_after)),
        "X-RateLimit-Scope": scope,
        **({"Via": VIA} if via else {}),
        **(headers or {}),
    }
    return ApiError(
        429,
        0,
        "You are being rate limited.",
        extra={"retry_after": round(retry_after, 3), "global": scope == "global"},
        headers=told,
    )
