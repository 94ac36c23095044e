"""What the operator sets for email, read once and checked. Nothing here connects."""

from collections.abc import Mapping
from dataclasses import dataclass
from email.errors import MessageError
from email.headerregistry import Address
from email.utils import parseaddr
from enum import StrEnum

from commands.errors import SettingError
from commands.secret import Secret

PREFIX = "LAPSEBOT_EMAIL_"
HOST, PORT, SECURITY = f"{PREFIX}HOST", f"{PREFIX}PORT", f"{PREFIX}SECURITY"
USERNAME, PASSWORD, SENDER = f"{PREFIX}USERNAME", f"{PREFIX}PASSWORD", f"{PREFIX}FROM"
_HIGHEST_PORT = 65535


class Security(StrEnum):
    """How the way to the mail server is protected."""

    STARTTLS = "starttls"
    """Asked for after connecting; without it nothing is sent."""
    TLS = "tls"
    NONE = "none"
    """For a server on this machine alone: everything is readable on the way."""


_USUAL_PORTS = {Security.STARTTLS: 587, Security.TLS: 465, Security.NONE: 25}


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailSettings:
    """One mail server that takes our messages."""

    host: str
    port: int
    security: Security
    username: str
    """Empty: the server takes messages without signing in."""
    password: Secret
    sender: Address
    """Whom messages are from."""


def read_settings(environment: Mapping[str, str]) -> EmailSettings | None:
    """Read the LAPSEBOT_EMAIL_ variables; None where no server is set. Raises SettingError."""
    given = {name: environment.get(name, "").strip() for name in (HOST, PORT, SECURITY, USERNAME, PASSWORD, SENDER)}
    if not given[HOST]:
        if given[SENDER]:
            raise SettingError(HOST, "is missing: the name of the mail server, while a sender is set")
        return None
    security = _security(given[SECURITY])
    if bool(given[USERNAME]) != bool(given[PASSWORD]):
        raise SettingError(PASSWORD, f"and {USERNAME} belong together: set both, or neither")
    if given[PASSWORD] and security is Security.NONE:
        raise SettingError(SECURITY, "must be starttls or tls where a password is sent")
    return EmailSettings(
        host=given[HOST],
        port=_port(given[PORT], security),
        security=security,
        username=given[USERNAME],
        password=Secret(given[PASSWORD]),
        sender=_sender(given[SENDER]),
    )


def _security(value: str) -> Security:
    try:
        return Security(value.lower() or Security.STARTTLS)
    except ValueError:
        raise SettingError(SECURITY, f"must be one of {', '.join(Security)}") from None


def _port(value: str, security: Security) -> int:
    if not value:
        return _USUAL_PORTS[security]
    if not (value.isascii() and value.isdigit() and 0 < int(value) <= _HIGHEST_PORT):
        raise SettingError(PORT, "must be a number from 1 to 65535")
    return int(value)


def _sender(value: str) -> Address:
    name, address = parseaddr(value)
    try:
        sender = Address(display_name=name, addr_spec=address)
    except (ValueError, IndexError, MessageError):
        sender = Address()
    if not sender.username or not sender.domain:
        raise SettingError(SENDER, "must be an address, such as lapsebot <lapsebot@your-company.example>")
    return sender
