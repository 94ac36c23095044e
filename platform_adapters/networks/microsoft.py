"""The Microsoft login (Entra identity platform): what a refusal of its token endpoint means.

No network of its own: it has no SPEC, and asks nothing. Sources: Microsoft's docs of the identity platform and its
AADSTS codes; the answer with 53003, and 9002313 for a grant that is no grant at all, from issues. Microsoft asks that
numbers not be relied on, so that the OAuth error decides and a number only makes it more exact. Unconfirmed, so
unclear: 50072, 90094 and 90095; unknown too is whether a made-up grant is refused before a wrong secret is.
"""

from collections.abc import Mapping, Sequence

from commands.model import Finding, Verdict
from platform_adapters.networks.answers import (
    Reply,
    found,
    items,
    text,
)
from platform_adapters.networks.examples import Example

AUTHORIZE_URL = "https://login.microsoftonline.com/common/oauth2/v2.0/authorize"
TOKEN_URL = "https://login.microsoftonline.com/common/oauth2/v2.0/token"
TOKEN = "token"
"""The check whose answers these are."""

_REFUSED, _TOO_MANY, _BROKEN = 400, 429, 500
_ERRORS: Mapping[str, Verdict] = {
    "invalid_grant": Verdict.EXPIRED,
    "interaction_required": Verdict.USER_BLOCKED,
    "consent_required": Verdict.PERMISSION_MISSING,
    "invalid_client": Verdict.OUR_FAULT,
    "unauthorized_client": Verdict.OUR_FAULT,
    "temporarily_unavailable": Verdict.NETWORK_DOWN,
}
_AGED = frozenset({"AADSTS70008", "AADSTS700082", "AADSTS700084"})
_NUMBERS: Mapping[str, Verdict] = {
    **dict.fromkeys(_AGED, Verdict.EXPIRED),
    "AADSTS50173": Verdict.CREDENTIAL_CHANGED,
    "AADSTS50076": Verdict.USER_BLOCKED,
    "AADSTS50079": Verdict.USER_BLOCKED,
    "AADSTS65001": Verdict.PERMISSION_MISSING,
    "AADSTS650052": Verdict.ADMIN_BLOCK,
    "AADSTS53003": Verdict.ADMIN_BLOCK,
    "AADSTS7000215": Verdict.OUR_FAULT,
    "AADSTS700016": Verdict.OUR_FAULT,
    "AADSTS50011": Verdict.OUR_FAULT,
    "AADSTS50072": Verdict.UNCLEAR,
    "AADSTS90094": Verdict.UNCLEAR,
    "AADSTS90095": Verdict.UNCLEAR,
}
"""Numbers that say more than the error beside them, or that make it doubtful."""


def classify(reply: Reply) -> Finding | None:
    """What the login's answer means: a known number first, then the error."""
    error = text(reply.body, "error")
    numbers = [f"AADSTS{number}" for number in items(reply.body, "error_codes")]
    number = next((one for one in numbers if one in _NUMBERS), numbers[0] if numbers else None)
    verdict = _NUMBERS.get(number or "") or _ERRORS.get(error)
    if not error or not _REFUSED <= reply.status < _BROKEN:
        return None
    return by_table(reply, verdict, number or error, subcode=error)


def by_table(
    reply: Reply, verdict: Verdict | None, code: str, *, subcode: str | None = None, missing: Sequence[str] = ()
) -> Finding | None:
    """A finding by what a table says of the code; where it says nothing, by the status, and unclear otherwise."""
    if verdict is not None:
        return found(verdict, reply, code, subcode=subcode, missing=missing)
    told_by_status = reply.status == _TOO_MANY or reply.status >= _BROKEN
    return None if told_by_status else found(Verdict.UNCLEAR, reply, code, subcode=subcode)


def taken_away(refused: Finding) -> bool:
    """Whether a refused refresh means that access was removed: it had consent once, and it did not just grow old."""
    aged = refused.evidence.code in _AGED
    return refused.verdict is Verdict.PERMISSION_MISSING or (refused.verdict is Verdict.EXPIRED and not aged)


def _login(status: int, verdict: Verdict, error: str, *numbers: int) -> Example:
    return Example(
        reply=Reply(check=TOKEN, status=status, body={"error": error, "error_codes": list(numbers)}), verdict=verdict
    )


LOGIN_EXAMPLES = (
    _login(400, Verdict.EXPIRED, "invalid_grant", 70008),
    _login(400, Verdict.EXPIRED, "invalid_grant", 700082),
    _login(400, Verdict.EXPIRED, "invalid_grant", 700084),
    _login(400, Verdict.EXPIRED, "invalid_grant", 70000),
    _login(400, Verdict.EXPIRED, "invalid_grant"),
    _login(400, Verdict.CREDENTIAL_CHANGED, "invalid_grant", 50173),
    _login(400, Verdict.USER_BLOCKED, "invalid_grant", 50076),
    _login(400, Verdict.USER_BLOCKED, "interaction_required", 50079),
    _login(400, Verdict.USER_BLOCKED, "interaction_required"),
    _login(400, Verdict.UNCLEAR, "invalid_grant", 50072),
    _login(400, Verdict.PERMISSION_MISSING, "invalid_grant", 65001),
    _login(400, Verdict.PERMISSION_MISSING, "consent_required"),
    _login(400, Verdict.ADMIN_BLOCK, "invalid_client", 650052),
    _login(400, Verdict.ADMIN_BLOCK, "interaction_required", 53003),
    _login(400, Verdict.UNCLEAR, "consent_required", 90094),
    _login(400, Verdict.UNCLEAR, "invalid_grant", 90095),
    _login(401, Verdict.OUR_FAULT, "invalid_client", 7000215),
    _login(401, Verdict.OUR_FAULT, "invalid_client", 7000222),
    _login(400, Verdict.OUR_FAULT, "unauthorized_client", 700016),
    _login(400, Verdict.OUR_FAULT, "invalid_request", 50011),
    _login(400, Verdict.UNCLEAR, "never_seen", 1),
    _login(429, Verdict.THROTTLED, "never_seen"),
    _login(400, Verdict.NETWORK_DOWN, "temporarily_unavailable"),
    _login(503, Verdict.NETWORK_DOWN, "invalid_grant", 700082),
)
