"""Tells on stderr what is under way; the table on stdout stays clean."""

import sys
import time

_STARTED = time.monotonic()


def say(what: str) -> None:
    """Write one line, with the seconds since the start."""
    print(f"[{time.monotonic() - _STARTED:6.1f} s] {what}", file=sys.stderr, flush=True)
