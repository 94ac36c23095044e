"""What each cause is called and what to say of it, where a network has no better words of its own."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from commands.model import Lapse, Verdict
from commands.ports.network import CauseText, NetworkSpec
from commands.wording import Sentence, shown

_HOLDER = Sentence("The system that holds this connection")
SAID_LIMIT = 300
"""Characters of a host product's own words that are kept and shown."""

_COMMON: Mapping[Verdict, CauseText] = MappingProxyType(
    {
        Verdict.EXPIRED: CauseText(
            happened="The permission to read this account has run out.",
            mend="Whoever connected it can renew it by logging in again, in about a minute.",
        ),
        Verdict.REVOKED: CauseText(
            happened="Our access was removed on the network.",
            mend="Whoever connected it can give it back by logging in again, in about a minute.",
        ),
        Verdict.CREDENTIAL_CHANGED: CauseText(
            happened="The password of the login changed, so the network closed our access.",
            mend="Whoever holds the login can renew it by logging in again, in about a minute.",
        ),
        Verdict.USER_BLOCKED: CauseText(
            happened="The network has paused the login itself until something is confirmed there.",
            mend="Log in on the network first and do what it asks; then reconnect.",
            not_helping="Reconnecting before that will not work.",
        ),
        Verdict.PERMISSION_MISSING: CauseText(
            happened="A permission that we need was switched off.",
            mend="Reconnect and leave that permission on.",
        ),
        Verdict.ROLE_LOST: CauseText(
            happened="The login no longer has the role on this account that reading needs.",
            mend="An administrator of the account on the network can give the role back.",
            not_helping="Reconnecting with the same login will not help before that.",
        ),
        Verdict.ACCOUNT_GONE: CauseText(
            happened="The login works, but the network no longer shows this account to it.",
            mend="Check on the network whether the account was closed, deleted or moved.",
            not_helping="Reconnecting will not help until that is solved.",
        ),
        Verdict.ACCOUNT_MOVED: CauseText(
            happened="The account now belongs to another business on the network.",
            mend="An administrator of the new business can connect it; if the move was a mistake, move it back.",
            not_helping="Reconnecting under the old business will not help.",
        ),
        Verdict.ACCOUNT_DISABLED: CauseText(
            happened="The network has disabled this account, for example over billing or a policy.",
            mend="Whoever runs the account can solve that with the network; we notice when it is back.",
            not_helping="Reconnecting will not help.",
        ),
        Verdict.ADMIN_BLOCK: CauseText(
            happened="A policy of the company's administrators blocks our access.",
            mend="IT can allow it.",
            not_helping="Reconnecting will not help before that.",
        ),
        Verdict.REPORTED: CauseText(
            happened="The system that holds this connection reports that it stopped working.",
            mend="Whoever connected it can reconnect it.",
        ),
        Verdict.UNCLEAR: CauseText(
            happened="The network refuses to let us read this account, and does not say why.",
            mend="Logging in again usually solves it.",
        ),
    }
)

_NAMES: Mapping[Verdict, str] = MappingProxyType(
    {
        Verdict.HEALTHY: "works",
        Verdict.EXPIRED: "run out",
        Verdict.REVOKED: "access removed",
        Verdict.CREDENTIAL_CHANGED: "password changed",
        Verdict.USER_BLOCKED: "login paused by the network",
        Verdict.PERMISSION_MISSING: "permission switched off",
        Verdict.ROLE_LOST: "role lost",
        Verdict.ACCOUNT_GONE: "account not found",
        Verdict.ACCOUNT_MOVED: "moved to another business",
        Verdict.ACCOUNT_DISABLED: "account disabled",
        Verdict.ADMIN_BLOCK: "blocked by company policy",
        Verdict.REPORTED: "reported as broken",
        Verdict.UNCLEAR: "refused without a reason",
        Verdict.OUR_FAULT: "not readable because of a fault of ours; the operator was told",
        Verdict.THROTTLED: "network asks us to wait",
        Verdict.NETWORK_DOWN: "network not answering",
    }
)

_COUNTED: Mapping[Verdict, tuple[str, str]] = MappingProxyType(
    {
        Verdict.EXPIRED: ("needs a login", "need a login"),
        Verdict.REVOKED: ("needs a login", "need a login"),
        Verdict.CREDENTIAL_CHANGED: ("needs a login", "need a login"),
        Verdict.USER_BLOCKED: ("paused by the network", "paused by the network"),
        Verdict.PERMISSION_MISSING: ("needs a permission", "need a permission"),
        Verdict.ROLE_LOST: ("needs a role", "need a role"),
        Verdict.ACCOUNT_GONE: ("not found", "not found"),
        Verdict.ACCOUNT_MOVED: ("moved", "moved"),
        Verdict.ACCOUNT_DISABLED: ("disabled", "disabled"),
        Verdict.ADMIN_BLOCK: ("blocked by company policy", "blocked by company policy"),
        Verdict.REPORTED: ("reported as broken", "reported as broken"),
        Verdict.UNCLEAR: ("refused", "refused"),
    }
)
"""After a number, for one and for several: "2 need a role, 1 closed" (X-8)."""


def cause_text(spec: NetworkSpec | None, cause: Verdict) -> CauseText:
    """The network's words for a cause that opens lapses, or the common ones; None: the network is not set up any
    more.
    """
    return (spec.causes.get(cause) if spec is not None else None) or _COMMON[cause]


def lapse_text(spec: NetworkSpec | None, lapse: Lapse) -> CauseText:
    """The words for a lapse: those of its cause, and what the host product said of it, if it reported it (D-7)."""
    words, said = cause_text(spec, lapse.cause), lapse.evidence.said
    if not said:
        return words
    holder = spec.own_page.product if spec is not None and spec.own_page is not None else _HOLDER
    quoted = Sentence("{holder} says: “{said}”.", holder=holder, said=shown(said, SAID_LIMIT).rstrip("."))
    if lapse.cause is Verdict.REPORTED:
        return replace(words, happened=quoted)
    happened = words.happened if isinstance(words.happened, Sentence) else Sentence(words.happened)
    return replace(words, happened=Sentence("{happened} {quoted}", happened=happened, quoted=quoted))


def cause_name(verdict: Verdict) -> str:
    """A few words for a list's row."""
    return _NAMES[verdict]


def causes_counted(causes: Iterable[Verdict]) -> str:
    """What keeps several accounts from working, the most first: "2 need a role, 1 closed"."""
    said = Counter(_COUNTED.get(cause, (cause_name(cause),) * 2) for cause in causes)
    return ", ".join(f"{number:,} {one if number == 1 else many}" for (one, many), number in said.most_common())
