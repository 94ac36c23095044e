"""What a login for new accounts gave, written as text, so that it can be kept until the person has chosen (R-14).

The text holds the login's own secrets: it is a Secret, and is stored encrypted.
"""

import json
from dataclasses import dataclass
from datetime import datetime

from commands.model import Evidence, Finding, Parent, Tokens, Verdict
from commands.ports.network import Discovery, Grant, ReachedAccount
from commands.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvedLogin:
    """A login that the network proved, before anything of it is stored."""

    grant: Grant
    discovery: Discovery

    def to_secret(self) -> Secret:
        """Write it."""
        tokens, discovery = self.grant.tokens, self.discovery
        raw = {
            "access": tokens.access.reveal(),
            "refresh": tokens.refresh.reveal() if tokens.refresh is not None else None,
            "access_expires_at": _written(tokens.access_expires_at),
            "obtained_at": _written(tokens.obtained_at),
            "ends_at": _written(self.grant.ends_at),
            "subject_id": discovery.subject_id,
            "subject_name": discovery.subject_name,
            "granted": sorted(discovery.granted),
            "accounts": [_account(account) for account in discovery.accounts],
        }
        return Secret(json.dumps(raw, ensure_ascii=False, separators=(",", ":")))

    @staticmethod
    def from_secret(text: Secret) -> "ProvedLogin":
        """Read what `to_secret` wrote."""
        raw = json.loads(text.reveal())
        tokens = Tokens(
            access=Secret(raw["access"]),
            refresh=Secret(raw["refresh"]) if raw["refresh"] is not None else None,
            access_expires_at=_read(raw["access_expires_at"]),
            obtained_at=_read(raw["obtained_at"]),
        )
        discovery = Discovery(
            subject_id=raw["subject_id"],
            subject_name=raw["subject_name"],
            granted=frozenset(raw["granted"]),
            accounts=tuple(
                ReachedAccount(
                    account_id=account_id,
                    name=name,
                    parent=Parent(id=parent[0], name=parent[1]) if parent else None,
                    finding=_finding(verdict, missing),
                )
                for account_id, name, parent, verdict, missing in raw["accounts"]
            ),
        )
        return ProvedLogin(grant=Grant(tokens=tokens, ends_at=_read(raw["ends_at"])), discovery=discovery)


def _account(account: ReachedAccount) -> list[object]:
    """Short, for there may be thousands. Of the finding only what the choice shows is kept."""
    parent = [account.parent.id, account.parent.name] if account.parent else None
    finding = account.finding
    return [account.account_id, account.name, parent, finding.verdict.value, list(finding.evidence.missing)]


def _finding(verdict: str, missing: list[str]) -> Finding:
    return Finding(verdict=Verdict(verdict), evidence=Evidence(check="login", missing=tuple(missing)))


def _written(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None


def _read(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text is not None else None
