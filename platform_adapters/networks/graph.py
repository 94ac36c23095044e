"""The errors of Meta's Graph API, which Facebook and Instagram share. Not a network: it has no SPEC.

Source: developers.facebook.com (error handling). `error.type` is never looked at: "OAuthException" also labels faults
that pass by themselves.
"""

from collections.abc import Mapping, Sequence

from commands.model import Finding, Verdict
from platform_adapters.networks.answers import (
    Json,
    Reply,
    found,
    number,
    part,
    text,
)
from platform_adapters.networks.examples import Example

SESSION_CODES = frozenset({"102", "190"})
"""Codes that speak of the grant; why it ended is in the subcode."""

_SESSION_SUBCODES: Mapping[str, Verdict] = {
    "458": Verdict.REVOKED,
    "459": Verdict.USER_BLOCKED,
    "460": Verdict.CREDENTIAL_CHANGED,
    "463": Verdict.EXPIRED,
    "464": Verdict.USER_BLOCKED,
    "467": Verdict.EXPIRED,
    "492": Verdict.ROLE_LOST,
}
_CODES: Mapping[int, Verdict] = {
    102: Verdict.EXPIRED,
    190: Verdict.EXPIRED,
    10: Verdict.PERMISSION_MISSING,
    3: Verdict.OUR_FAULT,
    101: Verdict.OUR_FAULT,
    191: Verdict.OUR_FAULT,
    2635: Verdict.OUR_FAULT,  # the version of the API that we ask for has ended
    368: Verdict.USER_BLOCKED,
    1: Verdict.NETWORK_DOWN,
    2: Verdict.NETWORK_DOWN,
    4: Verdict.THROTTLED,
    17: Verdict.THROTTLED,
    32: Verdict.THROTTLED,
    341: Verdict.THROTTLED,
    613: Verdict.THROTTLED,
}
_PASSING_SUBCODES = frozenset({"1504018", "1504038"})
"""Faults of Meta's own under codes that mean other things."""
_BAD_CODE_SUBCODES = frozenset({"36007", "36008", "36009"})
_BAD_PARAMETER = 100
_WRONG_SECRET = "Error validating client secret"
_TOO_MANY, _SERVER_ERROR = 429, 500
_SAYS_WRONG_SECRET = (1, _BAD_PARAMETER)
"""Facebook's code and Instagram's; otherwise they mean a fault that passes by itself, or many things."""


def classify(reply: Reply, needed: Sequence[str]) -> Finding | None:
    """The Graph API's table. `needed` are the names of the permissions without which this question is refused."""
    error = part(reply.body, "error")
    code = number(error, "code")
    finding = None if code is None else refusal(reply, error, int(code), needed)
    told_by_status = reply.status == _TOO_MANY or reply.status >= _SERVER_ERROR
    return None if finding is not None and finding.verdict is Verdict.UNCLEAR and told_by_status else finding


def refusal(reply: Reply, error: Json, code: int, needed: Sequence[str]) -> Finding:
    """What an error in the Graph API's form means: its code, then its subcode."""
    subcode, message = text(error, "error_subcode") or text(error, "subcode"), text(error, "message")
    verdict = _CODES.get(code, Verdict.UNCLEAR)
    if str(code) in SESSION_CODES:
        verdict = _SESSION_SUBCODES.get(subcode, Verdict.EXPIRED)
    elif code in _SAYS_WRONG_SECRET and _WRONG_SECRET in message:
        verdict = Verdict.OUR_FAULT
    elif (error.get("is_transient") is True and verdict is not Verdict.THROTTLED) or subcode in _PASSING_SUBCODES:
        verdict = Verdict.NETWORK_DOWN
    elif 200 <= code <= 299:
        verdict = Verdict.PERMISSION_MISSING
    elif 80000 <= code <= 80014:
        verdict = Verdict.THROTTLED
    elif code == _BAD_PARAMETER:
        verdict = _bad_parameter(reply, subcode, message)
    missing = needed if verdict is Verdict.PERMISSION_MISSING else ()
    return found(verdict, reply, str(code), subcode=subcode or None, missing=missing)


def _bad_parameter(reply: Reply, subcode: str, message: str) -> Verdict:
    """Code 100 is a bucket: a used or expired login code, an object that is not to be seen, or a mistake of ours."""
    if subcode in _BAD_CODE_SUBCODES or (reply.check == "token" and "code" in message):
        return Verdict.EXPIRED
    seen = ("missing permissions", "cannot be loaded", "Unsupported get request")
    return Verdict.ACCOUNT_GONE if any(words in message for words in seen) else Verdict.UNCLEAR


def example(
    check: str,
    code: int,
    verdict: Verdict | None,
    subcode: int | None = None,
    message: str = "",
    *,
    status: int = 400,
    **more: object,
) -> Example:
    """An error of the Graph API, and the verdict that it leads to."""
    error = {"code": code, "type": "OAuthException", "message": message, **more}
    if subcode is not None:
        error["error_subcode"] = subcode
    return Example(reply=Reply(check=check, status=status, body={"error": error}), verdict=verdict)


def examples(check: str) -> tuple[Example, ...]:
    """The documented errors, as answers to one question of a network's."""
    return (
        example(check, 190, Verdict.EXPIRED),
        example(check, 102, Verdict.EXPIRED),
        example(check, 190, Verdict.REVOKED, 458),
        example(check, 190, Verdict.USER_BLOCKED, 459),
        example(check, 190, Verdict.CREDENTIAL_CHANGED, 460),
        example(check, 190, Verdict.EXPIRED, 463),
        example(check, 190, Verdict.USER_BLOCKED, 464),
        example(check, 190, Verdict.EXPIRED, 467),
        example(check, 190, Verdict.ROLE_LOST, 492),
        example(check, 10, Verdict.PERMISSION_MISSING),
        example(check, 294, Verdict.PERMISSION_MISSING),
        example(check, 100, Verdict.ACCOUNT_GONE, 33, "Unsupported get request. Object with ID '1' does not exist"),
        example(check, 100, Verdict.UNCLEAR, message="Invalid parameter"),
        example(check, 100, Verdict.NETWORK_DOWN, 1504018),
        example(check, 4, Verdict.THROTTLED),
        example(check, 4, Verdict.THROTTLED, 1504022, is_transient=True),
        example(check, 4, Verdict.THROTTLED, 1504039),
        example(check, 17, Verdict.THROTTLED, 2446079),
        example(check, 32, Verdict.THROTTLED),
        example(check, 341, Verdict.THROTTLED),
        example(check, 613, Verdict.THROTTLED, 1487742),
        example(check, 80004, Verdict.THROTTLED),
        example(check, 368, Verdict.USER_BLOCKED),
        example(check, 1, Verdict.NETWORK_DOWN, message="An unknown error occurred"),
        example(check, 1, Verdict.OUR_FAULT, message="Error validating client secret."),
        example(check, 2, Verdict.NETWORK_DOWN, is_transient=True),
        example(check, 2, Verdict.NETWORK_DOWN, 1504038),
        example(check, 3, Verdict.OUR_FAULT),
        example(check, 2635, Verdict.OUR_FAULT),
        example(check, 99999, Verdict.UNCLEAR),
        example(check, 99999, Verdict.NETWORK_DOWN, status=500),
        example(check, 99999, Verdict.THROTTLED, status=429),
    )
