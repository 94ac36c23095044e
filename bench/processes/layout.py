"""Which process runs where, and what they know of each other.

The server that is measured has a core for itself; the load, Slack's side, PostgreSQL and the bench share another. On a
machine that cannot pin processes, or has one core, they run wherever they run: the ratios are still of one run.
"""

import os

SERVER, OTHERS = 0, 1
SIGNING_SECRET = "8f742231b10e8888abcd99baac85bcde"
BOT_TOKEN = "xoxb-1001-2002-bench"


def pin(core: int) -> None:
    """Keep this process, and those that it will start, to one core."""
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {core})
