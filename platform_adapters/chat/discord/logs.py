"""What Discord's secrets look like in a line of log, and which of its library's loggers must be quiet."""

import logging

SECRET_SHAPES = (r"/(?:webhooks|interactions)/\d+/[\w.-]+",)  # the token of an interaction: whoever has it may answer
QUIET_LOGGERS = {
    "discord": logging.WARNING,
    "discord.client": logging.ERROR,  # it warns at every start that voice will not work
}
