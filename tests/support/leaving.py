"""What a test could leave changed in the process, and so fail or hide what a later test looks for."""

import asyncio
import locale
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import structlog

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD, signal.SIGPIPE)
_OF_PYTEST = "PYTEST_CURRENT_TEST"  # says which test runs
_LEVEL = "level of "


def process_state() -> dict[str, object]:
    """Give what a process has one of."""
    return {
        "working directory": os.getcwd(),  # noqa: PTH109  # as text, for a report
        "permissions of new files": _umask(),
        "signal handlers": {one.name: signal.getsignal(one) for one in _SIGNALS},
        "locale": locale.setlocale(locale.LC_ALL),
        "time zone": time.tzname,
        "patience of sockets": socket.getdefaulttimeout(),
        "policy of event loops": type(asyncio.get_event_loop_policy()),
        "places of imports": tuple(sys.path),
        "logs": structlog.is_configured(),
        "log handlers": tuple(logging.root.handlers),
        "lowest level of any log": logging.root.manager.disable,
        **{f"environment: {name}": value for name, value in os.environ.items() if name != _OF_PYTEST},
        **{_LEVEL + name: level for name, level in _levels().items()},
    }


def left_changed(before: Mapping[str, object]) -> list[str]:
    """Name what differs from then. A logger that is new since may have a level of its own: libraries give theirs some
    when they are imported.
    """
    now = process_state()
    asked = before.keys() | {what for what in now if not what.startswith(_LEVEL)}
    return sorted(what for what in asked if before.get(what) != now.get(what))


@contextmanager
def logs_put_back() -> Iterator[None]:
    """For a block that configures the process's logs: put levels and handlers back after it."""
    handlers, levels = logging.root.handlers[:], _levels()
    try:
        yield
    finally:
        logging.root.handlers[:] = handlers
        for name in _levels():
            logging.getLogger(name).setLevel(levels.get(name, logging.NOTSET))
        structlog.reset_defaults()


def _levels() -> dict[str, int]:
    named = logging.root.manager.loggerDict
    loggers = [logging.root, *(one for one in named.values() if isinstance(one, logging.Logger))]
    return {one.name: one.level for one in loggers}


def _umask() -> int:
    now = os.umask(0o077)
    os.umask(now)
    return now
