"""Words that every part of the stand-in shares: raw JSON, a refusal, and ids shaped like Slack's."""

import secrets
import string
from typing import Any, TypeAlias

# Slack's payloads are untyped by nature and this package exists to look into them; everywhere else a type is named.
Json: TypeAlias = dict[str, Any]

_ALPHABET = string.ascii_uppercase + string.digits


class RefusedError(Exception):
    """A call that Slack answers with `ok: false`: `error` is Slack's own code, `detail` further fields."""

    def __init__(self, error: str, *messages: str, **detail: object) -> None:
        super().__init__(error)
        self.error = error
        self.detail: Json = dict(detail)
        if messages:
            self.detail["response_metadata"] = {"messages": list(messages)}


def new_id(prefix: str, length: int = 10) -> str:
    """A random id such as `V7K2M9Q4ZX1`."""
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(length))


def cut_text(text: str, limit: int = 40_000) -> str:
    """Slack truncates a message's text past 40,000 characters instead of refusing it."""
    return text[:limit]
