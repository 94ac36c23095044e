"""What can go wrong, as the core sees it."""

from datetime import timedelta
from enum import StrEnum

from commands.messages import Message, say
from commands.model import Finding


class CommandError(Exception):
    """A request that cannot be done. Carries the answer that the person reads."""

    def __init__(self, answer: Message | str) -> None:
        self.answer = say(answer) if isinstance(answer, str) else answer
        super().__init__("refused with an answer")


class DeliveryErrorKind(StrEnum):
    """What became of a post or an edit that did not succeed; each adapter's table maps its vendor's codes to one."""

    RETRY = "retry"
    """The platform was not able to, or asked us to wait: try again."""
    ADDRESS_GONE = "address_gone"
    """This reader or channel cannot be reached this way, now or later: take the next address."""
    MESSAGE_GONE = "message_gone"
    """The message to edit is no longer there."""
    INSTALLATION_DEAD = "installation_dead"
    """The bot's own access is lost: nothing can be sent there."""
    REJECTED = "rejected"
    """The platform found the message or the call wrong: our bug. Never retried."""
    UNKNOWN = "unknown"
    """The reply was lost: it may have been posted."""


class RetryScope(StrEnum):
    """How much has to wait."""

    DESTINATION = "destination"
    LANE = "lane"


class DeliveryError(Exception):
    """A chat platform did not take a message. `code` is the vendor's code, safe to log and to show an administrator."""

    def __init__(
        self,
        kind: DeliveryErrorKind,
        code: str,
        *,
        retry_after: timedelta | None = None,
        scope: RetryScope = RetryScope.DESTINATION,
    ) -> None:
        self.kind = kind
        self.code = code
        self.retry_after = retry_after
        """How long the platform asked us to wait; None where it said nothing."""
        self.scope = scope
        super().__init__(f"{kind.value}: {code}")


class NetworkError(Exception):
    """A network refused, failed or could not be reached. `finding` tells which, with its evidence (never a secret)."""

    def __init__(self, finding: Finding) -> None:
        self.finding = finding
        super().__init__(f"{finding.verdict.value}: {finding.evidence.check} {finding.evidence.code or ''}".rstrip())


class SignInError(Exception):
    """A chat platform's sign-in did not prove who is at the page. `code` is safe to log."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class SettingError(Exception):
    """A setting is missing or wrong. `name` is the environment variable; `reason` says what to do and shows no
    secret.
    """

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self.reason = reason
        super().__init__(f"{name}: {reason}")
