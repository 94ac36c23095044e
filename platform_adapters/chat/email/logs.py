"""What email's secrets look like in a line of log, and which of its library's loggers must be quiet."""

from collections.abc import Mapping

SECRET_SHAPES: tuple[str, ...] = ()
QUIET_LOGGERS: Mapping[str, int] = {}
