"""The rules of the watch, as data. Each is a setting."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchRules:
    """Defaults are those of the design."""

    jitter: float = 0.1
    """A check comes up to this part of its interval earlier or later, so that checks spread."""
    unclear_failures: int = 3
    """So many unclear failures in a row, over at least `unclear_period`, open a lapse (D-5)."""
    unclear_period: timedelta = timedelta(minutes=15)
    recheck: timedelta = timedelta(minutes=5)
    """How soon an unclear failure is looked at again."""
    flapping: timedelta = timedelta(minutes=15)
    """A lapse that ended by itself does not open again within this time (D-6)."""
    outage_authorizations: int = 5
    """At least so many authorizations of a network failing unclearly …"""
    outage_share: float = 0.6
    """… and at least this share of those checked …"""
    outage_period: timedelta = timedelta(minutes=10)
    """… within this time are an outage, not lapses (D-4)."""
    outage_sample: int = 10
    """So many authorizations at a time are asked whether it lasts; the others wait."""
    outage_good: int = 3
    """It is over when at least so many of them answer well …"""
    outage_over_share: float = 0.4
    """… and no larger share fails: less than opened it, so that it does not come and go."""
    outage_quiet: timedelta = timedelta(hours=1)
    """Also when nothing failed for so long, because nothing was checked."""
    outage_calm: timedelta = timedelta(minutes=10)
    """How long it must answer before it is over. Meanwhile those who waited are asked bit by bit."""
    outage_turn: timedelta = timedelta(seconds=30)
    """How far apart those bits are; each is twice the last."""
    outage_longest: timedelta = timedelta(hours=24)
    """Refusals without a known reason that last longer are told as lapses after all, as lists (D-5)."""
    longest_interval: timedelta = timedelta(hours=24)
    """A connection that stays lapsed is checked ever less often, but at least this often (D-6)."""
    longest_pause: timedelta = timedelta(hours=1)
    """However long a network asks everybody to wait, a few ask again by then: one wrong answer must not blind every
    organization for a day. Those who are told to wait still go on waiting.
    """
    lease: timedelta = timedelta(minutes=2)
    """How long a check may take before another process takes it over. A check starts when it is leased, so that the
    lease is longer than `check_within` and the writing down after it.
    """
    check_within: timedelta = timedelta(seconds=45)
    """A network that has not answered all of one check's questions by then counts as down."""
    concurrency: int = 20
    """Checks under way at once, per network and process."""
    refresh_every: timedelta = timedelta(hours=24)
    """Tokens that can be refreshed are, at least this often (D-3)."""
