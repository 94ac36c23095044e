"""How an attempt ended, as it is remembered for its result page. Written as JSON: nobody ever asks for its parts."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from commands.comparison import AccountResult
from commands.model import Verdict
from commands.wording import listed

ROW_LIMIT = 200
"""Accounts that an outcome names; a page is not read further, and a row in the store stays small."""


class OutcomeKind(StrEnum):
    """How an attempt ended."""

    RESTORED = "restored"
    PARTIAL = "partial"
    CONNECTED = "connected"
    """New accounts were connected."""
    WRONG_LOGIN = "wrong_login"
    ROLE_MISSING = "role_missing"
    """Somebody else than the connector logged in as themselves, and does not hold the role there (P-3)."""
    OTHER_OWNER = "other_owner"
    """The login works, but is a parent profile of another owner than the account's (R-10)."""
    NOTHING_REACHED = "nothing_reached"
    """A login for new accounts that reaches none."""
    NOTHING_CHOSEN = "nothing_chosen"
    REACHES_LESS = "reaches_less"
    """A login for new accounts that is known here, and would leave behind what works by it."""
    MISSING_PERMISSION = "missing_permission"
    NOT_BACK = "not_back"
    """The login was right, but what waited for it cannot be read; each row says why."""
    DECLINED = "declined"
    """The person pressed Cancel on the network's page."""
    NOT_ACCEPTED = "not_accepted"
    """The network ended the login, or did not accept what came back from it."""
    NETWORK_DOWN = "network_down"
    OUR_FAULT = "our_fault"
    NOT_ALLOWED = "not_allowed"
    """By the time they came back, they might not reconnect it any more (P-5)."""
    FOREIGN_ANSWER = "foreign_answer"
    """The answer came from another place than the login was started at."""
    SIGNED_OUT = "signed_out"
    """Somebody else, or nobody, was signed in when the answer came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRow:
    """One account of an outcome, in words for the person who logged in."""

    account_name: str
    account_id: str
    client_name: str
    result: AccountResult
    verdict: Verdict
    worked_before: bool = False
    """It was not waiting for this login."""
    missing: tuple[str, ...] = ()
    parent_name: str = ""
    parent_id: str = ""
    """The business expected."""
    moved_to_name: str = ""
    moved_to_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an attempt ended. Holds no secret, and nothing that its person may not see."""

    kind: OutcomeKind
    verdict: Verdict | None = None
    """What the network's refusal came to, where it refused."""
    used_login: str = ""
    expected_login: str = ""
    """Who logged in, and who did last time, under the network's names."""
    granted: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    """Labels of the permissions required."""
    rows: tuple[OutcomeRow, ...] = ()
    more: int = 0
    """Accounts beyond `rows`."""
    reaches: tuple[str, ...] = ()
    """Some accounts that a wrong login reaches instead, for recognizing it."""
    reaches_in: tuple[str, ...] = ()
    """The businesses that those hang under."""
    somebody_elses: bool = False
    """Whoever logged in is not the one who connected it."""
    owner_name: str = ""
    """Whose parent profile the login is, where that is another owner; empty where it is not to be told."""
    login_id: str = ""
    """The network's id of that login, for transferring it."""

    @property
    def stored(self) -> bool:
        """Whether the login was kept."""
        return self.kind in (OutcomeKind.RESTORED, OutcomeKind.PARTIAL, OutcomeKind.CONNECTED)

    @property
    def back(self) -> tuple[OutcomeRow, ...]:
        """Those that came back with this login."""
        return tuple(row for row in self.rows if row.result is AccountResult.RESTORED and not row.worked_before)

    @property
    def not_back(self) -> tuple[OutcomeRow, ...]:
        """Those that did not."""
        return tuple(row for row in self.rows if row.result is not AccountResult.RESTORED)

    def to_json(self) -> str:
        """Write it for the store."""
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"))

    @staticmethod
    def from_json(text: str) -> "Outcome":
        """Read what `to_json` wrote."""
        raw = json.loads(text)
        return Outcome(
            kind=OutcomeKind(raw["kind"]),
            verdict=Verdict(raw["verdict"]) if raw["verdict"] else None,
            used_login=raw["used_login"],
            expected_login=raw["expected_login"],
            granted=tuple(raw["granted"]),
            missing=tuple(raw["missing"]),
            rows=tuple(_row(row) for row in raw["rows"]),
            more=raw["more"],
            reaches=tuple(raw["reaches"]),
            reaches_in=tuple(raw.get("reaches_in", ())),
            somebody_elses=raw.get("somebody_elses", False),
            owner_name=raw.get("owner_name", ""),
            login_id=raw.get("login_id", ""),
        )


_WHYS = {
    OutcomeKind.WRONG_LOGIN: "the {by} did not reach the account",
    OutcomeKind.ROLE_MISSING: "the {by} lacks the role that it takes",
    OutcomeKind.OTHER_OWNER: "the {by} belongs to another owner here",
    OutcomeKind.MISSING_PERMISSION: "a permission was left out",
    OutcomeKind.REACHES_LESS: "the {by} reaches less than before",
    OutcomeKind.NOT_BACK: "the account cannot be read with this {by} either",
    OutcomeKind.DECLINED: "Cancel was pressed on the network's page",
    OutcomeKind.NOT_ACCEPTED: "the network did not accept the {by}",
    OutcomeKind.NETWORK_DOWN: "the network was not answering",
    OutcomeKind.OUR_FAULT: "the network refused the app, which the operator was told",
    OutcomeKind.NOT_ALLOWED: "it may not be reconnected by them any more",
    OutcomeKind.FOREIGN_ANSWER: "the answer did not come from the network",
    OutcomeKind.SIGNED_OUT: "they were signed out meanwhile",
}


def why(outcome: Outcome, by: str = "login") -> str:
    """Why a login, or what is entered in its place, did not help: a short clause for those who follow the lapse."""
    if outcome.kind is OutcomeKind.MISSING_PERMISSION and outcome.missing:
        return f"a permission was left out: {listed(outcome.missing)}"
    return _WHYS.get(outcome.kind, "the {by} did not help").format(by=by)


def shortened(rows: Sequence[OutcomeRow]) -> tuple[tuple[OutcomeRow, ...], int]:
    """The rows that an outcome names, those that are not back first, and how many there are beyond."""
    ordered = sorted(rows, key=lambda row: (row.result is AccountResult.RESTORED, row.account_name))
    return tuple(ordered[:ROW_LIMIT]), max(0, len(ordered) - ROW_LIMIT)


def _row(raw: dict[str, object]) -> OutcomeRow:
    missing = raw["missing"]
    return OutcomeRow(
        account_name=str(raw["account_name"]),
        account_id=str(raw["account_id"]),
        client_name=str(raw["client_name"]),
        result=AccountResult(str(raw["result"])),
        verdict=Verdict(str(raw["verdict"])),
        worked_before=bool(raw["worked_before"]),
        missing=tuple(str(label) for label in missing) if isinstance(missing, list) else (),
        parent_name=str(raw["parent_name"]),
        parent_id=str(raw["parent_id"]),
        moved_to_name=str(raw["moved_to_name"]),
        moved_to_id=str(raw["moved_to_id"]),
    )
