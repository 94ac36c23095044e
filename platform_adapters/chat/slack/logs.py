"""What Slack's secrets look like in a line of log, and which of its libraries' loggers must be quiet."""

import logging

SECRET_SHAPES = (
    r"xox[a-z](?:\.xox[a-z])?-[\w-]+|xapp-[\w-]+|xoxe-[\w-]+",  # tokens
    r"(?:hooks\.slack\.com|/(?:actions|commands))/[\w/-]{20,}",  # addresses to answer at: whoever has one may
)
QUIET_LOGGERS = {
    "slack_bolt": logging.WARNING,  # at INFO it writes the body of a request that it refused
    "slack_sdk": logging.WARNING,
}
