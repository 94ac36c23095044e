"""Mail servers' answers as our kinds of error. Codes: RFC 5321, section 4.2.3; enhanced ones: RFC 3463."""

import ssl

import aiosmtplib

from commands.errors import DeliveryError, DeliveryErrorKind, RetryScope

_TRANSIENT, _PERMANENT = range(400, 500), range(500, 600)


def before_sending(error: Exception) -> DeliveryError:
    """What went wrong on the way to the server, before anything was handed over: nothing was sent."""
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        return DeliveryError(DeliveryErrorKind.INSTALLATION_DEAD, f"smtp_{error.code}_sign_in")
    if isinstance(error, ssl.SSLError) or isinstance(error.__cause__, ssl.SSLError):
        return DeliveryError(DeliveryErrorKind.INSTALLATION_DEAD, "smtp_certificate")
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return DeliveryError(DeliveryErrorKind.RETRY, f"smtp_{error.code}", scope=RetryScope.LANE)
    return DeliveryError(DeliveryErrorKind.RETRY, "smtp_unreachable", scope=RetryScope.LANE)


def while_sending(error: Exception) -> DeliveryError:
    """What went wrong with one message."""
    match error:
        case aiosmtplib.SMTPRecipientsRefused(recipients=[first, *_]):
            return _refused(first.code, DeliveryErrorKind.ADDRESS_GONE)
        case aiosmtplib.SMTPRecipientRefused(code=code):
            return _refused(code, DeliveryErrorKind.ADDRESS_GONE)
        case aiosmtplib.SMTPSenderRefused(code=code):
            return _refused(code, DeliveryErrorKind.INSTALLATION_DEAD)
        case aiosmtplib.SMTPResponseException(code=code):
            return _refused(code, DeliveryErrorKind.REJECTED)
        case _:  # cut off, or silent: the server may have taken it
            return DeliveryError(DeliveryErrorKind.UNKNOWN, "smtp_no_answer")


def _refused(code: int, permanent: DeliveryErrorKind) -> DeliveryError:
    if code in _PERMANENT:
        return DeliveryError(permanent, f"smtp_{code}")
    kind = DeliveryErrorKind.RETRY if code in _TRANSIENT else DeliveryErrorKind.UNKNOWN
    return DeliveryError(kind, f"smtp_{code}")
