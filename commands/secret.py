"""A secret that never prints, new ones, and the one hash under which random ones are stored."""

import hashlib
import secrets
from typing import NoReturn
from uuid import UUID

from commands.ids import to_wire


class Secret:
    """Text that must not reach a log, an error, an address or a test's output. `reveal` is the only way to read it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Give the text, for the one line that sends or encrypts it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __format__(self, specification: str) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __bool__(self) -> bool:
        return bool(self._text)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled or copied")


def hashed(secret: str) -> bytes:
    """What is stored of a random secret. All of ours have at least 96 random bits, so a fast hash is enough."""
    return hashlib.sha256(secret.encode()).digest()


def new_wire_secret() -> str:
    """Make 128 random bits as 22 base62 characters, short enough for an address in a message."""
    return to_wire(UUID(int=secrets.randbits(128)))
