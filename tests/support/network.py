"""A network without wires: its answers are set by the test. Kept under the same contract suite as the real ones'
port.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field

from commands.errors import NetworkError
from commands.model import Evidence, Finding, Tokens, Verdict
from commands.ports.chat import Diagnosis
from commands.ports.network import Begun, Discovery, Expected, Grant, NetworkSpec, Permission, Probe
from commands.secret import Secret

GOOD = Finding(verdict=Verdict.HEALTHY, evidence=Evidence(check="fake"))


def finding(verdict: Verdict, code: str | None = None) -> Finding:
    """A finding of the fake's one check."""
    return Finding(verdict=verdict, evidence=Evidence(check="fake", code=code))


def spec(slug: str = "examplenet", **changes: object) -> NetworkSpec:
    """A declaration to change for the case in hand."""
    facts: dict[str, object] = {
        "slug": slug,
        "name": slug.capitalize(),
        "aliases": (slug[:2],),
        "permissions": (Permission(label="Read reports", satisfied_by=frozenset({"read"})),),
        "parent_label": "Business",
        "login_label": f"your {slug.capitalize()} login",
        "reconnect_requirement": "a role on the account",
        "stops": ("spend", "reports"),
        "checklist": ("Log in as {subject}.", "Choose the Business {parent} ({parent_id})."),
    }
    return NetworkSpec(**{**facts, **changes})  # type: ignore[arg-type]  # a test names the fields it changes


@dataclass
class FakeNetwork:
    """A `Network` whose answers are attributes. An answer that is a NetworkError is raised."""

    spec: NetworkSpec = field(default_factory=spec)
    base: str = "http://127.0.0.1:9"
    """Where its login is."""
    begun: Secret | NetworkError | None = None
    """What only the exchange may see of a login; None: nothing."""
    probe_answer: Probe = field(default_factory=lambda: Probe(grant=GOOD))
    discovery: Discovery | NetworkError | None = None
    grant: Grant | NetworkError | None = None
    refreshed: Grant | NetworkError | None = None
    asked: list[str] = field(default_factory=list)
    """The names of the calls made, in order."""
    revoked: list[Tokens] = field(default_factory=list)

    def running(self) -> AbstractAsyncContextManager[None]:
        return nullcontext()

    @property
    def login_url(self) -> str:
        return f"{self.base}/login"

    async def begin(
        self, *, state: str, redirect_uri: str, code_challenge: str | None, login_hint: str | None, again: bool
    ) -> Begun:
        self.asked.append("begin")
        if isinstance(self.begun, NetworkError):
            raise self.begun
        return Begun(url=f"{self.login_url}?state={state}&redirect_uri={redirect_uri}", secret=self.begun)

    async def exchange(self, *, answer: Mapping[str, str], redirect_uri: str, code_verifier: str | None) -> Grant:
        self.asked.append("exchange")
        return _answer(self.grant)

    async def refresh(self, tokens: Tokens) -> Grant | None:
        self.asked.append("refresh")
        if self.refreshed is None:
            return None
        return _answer(self.refreshed)

    async def probe(self, tokens: Tokens, expected: Sequence[Expected]) -> Probe:
        self.asked.append("probe")
        return self.probe_answer

    async def discover(self, tokens: Tokens) -> Discovery:
        self.asked.append("discover")
        if isinstance(self.discovery, NetworkError):
            raise self.discovery
        assert self.discovery is not None, "the test sets what the login reaches"
        return self.discovery

    async def revoke(self, tokens: Tokens) -> None:
        self.revoked.append(tokens)

    async def diagnose(self) -> Sequence[Diagnosis]:
        return ()


def _answer(answer: Grant | NetworkError | None) -> Grant:
    if isinstance(answer, NetworkError):
        raise answer
    assert answer is not None, "the test sets what the network gives"
    return answer
