"""What is done because time passed, each as a loop of its own: reminders, digests, warnings, claims that are over,
drills, chat accounts that may be gone, and how many people an organization's notices reach.
"""

from collections.abc import Sequence
from datetime import timedelta

from bot.notices.addresses import Platforms
from bot.notices.desk import Desks
from bot.notices.digests import Digests
from bot.notices.drills import Drills
from bot.notices.outages import OutageTeller
from bot.notices.reach import Reach
from bot.notices.releases import Releases
from bot.notices.reminders import Reminders
from bot.notices.roster import Roster
from bot.notices.warnings import Warnings
from bot.schedule import Loop

REACH_EVERY = 3600.0
"""Seconds; what it finds is told once a week."""
ROSTER_EVERY = 15.0
"""Seconds between two passes, and never sooner: 16 accounts each is some 60 a minute, and Slack allows about 100
(users.info, tier 4).
"""


def errands(desks: Desks, *, platforms: Platforms, tick: float, profile_age: timedelta) -> Sequence[Loop]:
    """Build the loops. `tick`: seconds between looks; `profile_age`: how old what is known of a chat account may be."""
    storage, clock = desks.storage, desks.clock
    roster = Roster(storage=storage, clock=clock, platforms=platforms, look_every=profile_age)

    async def look_at_some() -> int:
        await roster.run_once()
        return 0

    return [
        Loop(name="releases", every=tick, run_once=Releases(storage=storage, clock=clock).run_once),
        Loop(name="reminders", every=tick, run_once=Reminders(desks).run_once),
        Loop(name="digests", every=tick, run_once=Digests(desks).run_once),
        Loop(name="warnings", every=tick, run_once=Warnings(desks).run_once),
        Loop(name="drills", every=tick, run_once=Drills(desks).run_once),
        Loop(name="reach", every=REACH_EVERY, run_once=Reach(desks).run_once),
        Loop(name="outages", every=tick, run_once=OutageTeller(storage=storage, clock=clock).run_once),
        Loop(name="roster", every=ROSTER_EVERY, run_once=look_at_some),
    ]
