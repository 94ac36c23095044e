"""Structured logs in which secrets cannot appear.

Our own secrets have a type that never prints. For what libraries write, every line is scrubbed of the values of the
settings that hold secrets, and of what looks like a token, a code or one of our links, wherever it stands.
"""

import logging
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_SECRET_SETTING = re.compile(r"(TOKEN|SECRET|KEYS?|PASSWORD)$")
_SHAPES = r"""
      (?i:bearer|basic|bot)\s+[\w.~+/=-]{16,}                             # authorization headers
    | (?<=[?&])(?:code|auth_code|state|access_token|refresh_token|client_secret|secret|token|input_token)=[^&\s"']+
    | (?:(?<=/r/)|(?<=/p/)|(?<=/link/)|(?<=/unsubscribe/)|(?<=/drill/)|(?<=/calendar/))[0-9A-Za-z]{22}  # our own links
    | lapsebot_[0-9A-Za-z]{22}_[0-9A-Za-z]{20,} | whsec_[0-9A-Za-z+/=]{20,}     # keys of our API, webhook secrets
    | (?<=://)[^/\s:@]+:[^/\s@]+(?=@)                                     # user:password@ of a database address
"""
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x9b]")
_LINE_ENDS = re.compile(r"[\n\x85\u2028\u2029]+")
_LINES = frozenset({"exception", "stack"})
_HIDDEN = "[hidden]"
_SHORTEST_SECRET = 6  # a shorter value would blank ordinary words

_QUIET = {
    "aiohttp.access": logging.ERROR,  # it writes whole addresses, with codes and locators
    "apscheduler": logging.ERROR,  # it warns of every tick that found the last one still at work
    "httpcore2": logging.WARNING,
    "httpx2": logging.WARNING,
    "sqlalchemy": logging.WARNING,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRules:
    """What the adapters know of their own libraries."""

    secret_shapes: Sequence[str] = ()
    """Regular expressions of what must be hidden."""
    quiet_loggers: Mapping[str, int] = field(default_factory=dict)
    """The lowest level that a logger may write at."""


class Scrubber:
    """Takes secrets out of a line of log."""

    def __init__(self, secrets: Iterable[str], shapes: Iterable[str] = ()) -> None:
        known = sorted({secret for secret in secrets if len(secret) >= _SHORTEST_SECRET}, key=len, reverse=True)
        self._known = re.compile("|".join(re.escape(secret) for secret in known)) if known else None
        self._shapes = re.compile("|".join([f"(?x:{_SHAPES})", *shapes]))

    def scrub(self, text: str) -> str:
        """Give the text without secrets and control characters."""
        if self._known is not None:
            text = self._known.sub(_HIDDEN, text)
        return _CONTROLS.sub("", self._shapes.sub(_HIDDEN, text))

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        return {
            key: self._field(key, self.scrub(value if isinstance(value, str) else repr(value)))
            for key, value in event.items()
        }

    def _field(self, name: str, text: str) -> str:
        """One line, so that no field can write a line of its own; a traceback alone keeps its lines."""
        return text if name in _LINES else _LINE_ENDS.sub(" ", text)


def secret_values(environment: Mapping[str, str]) -> list[str]:
    """The values of our settings whose names say that they hold a secret."""
    values = [
        value for name, value in environment.items() if name.startswith("LAPSEBOT_") and _SECRET_SETTING.search(name)
    ]
    return [part for value in values for part in (value, *re.split(r"[,:\s]+", value))]


def configure(environment: Mapping[str, str], rules: LogRules, *, form: str, level: str) -> None:
    """Send all logs of the process to standard error: `form` "text" or "json", from `level` up."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        Scrubber(secret_values(environment), rules.secret_shapes),
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    )
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for name, quiet in {**_QUIET, **rules.quiet_loggers}.items():
        logging.getLogger(name).setLevel(quiet)
