"""Networks whose connections the host product holds, as many as the operator's file declares.

We hold nothing to ask them with: the host product reports lapses and restorations (D-7), and has its own page where a
connection is mended. Its address comes from the declaration alone.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from commands.errors import NetworkError
from commands.model import Evidence, Finding, Tokens, Verdict
from commands.ports.chat import Check, Diagnosis
from commands.ports.clock import Clock
from commands.ports.network import (
    Begun,
    CauseText,
    Discovery,
    Expected,
    Grant,
    NetworkKind,
    NetworkSpec,
    OwnPage,
    Probe,
)
from commands.wording import Sentence
from platform_adapters.networks import declared
from platform_adapters.networks.declared import HostedDeclaration

_NOT_OURS = Finding(verdict=Verdict.UNCLEAR, evidence=Evidence(check="hosted", code="not_ours"))


class HostedNetwork:
    """One network of the operator's file. Nothing of it is ever asked."""

    def __init__(self, declaration: HostedDeclaration) -> None:
        self.spec = _spec(declaration)
        self._page = declaration.reconnect_url

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        yield

    @property
    def login_url(self) -> str:
        return self._page

    async def begin(
        self, *, state: str, redirect_uri: str, code_challenge: str | None, login_hint: str | None, again: bool
    ) -> Begun:
        raise NetworkError(_NOT_OURS)

    async def exchange(self, *, answer: Mapping[str, str], redirect_uri: str, code_verifier: str | None) -> Grant:
        raise NetworkError(_NOT_OURS)

    async def refresh(self, tokens: Tokens) -> Grant | None:
        return None

    async def probe(self, tokens: Tokens, expected: Sequence[Expected]) -> Probe:
        return Probe(grant=_NOT_OURS)

    async def discover(self, tokens: Tokens) -> Discovery:
        raise NetworkError(_NOT_OURS)

    async def revoke(self, tokens: Tokens) -> None:
        return

    async def diagnose(self) -> Sequence[Diagnosis]:
        own = self.spec.own_page
        found = f"declared in {declared.SETTING}; held by {own.product if own is not None else 'the host product'}"
        return [Diagnosis(subject=self.spec.name, check=Check.GOOD, found=found)]


def _spec(declaration: HostedDeclaration) -> NetworkSpec:
    product, name = declaration.product, declaration.name
    return NetworkSpec(
        slug=declaration.slug,
        name=name,
        aliases=declaration.aliases,
        kind=NetworkKind.HOSTED,
        grouping=declaration.grouping,
        permissions=(),
        parent_label=None,
        login_label=Sentence("your {product} login", product=product),
        reconnect_requirement=declaration.requirement
        or Sentence("a login at {product} that may reconnect {network}", product=product, network=name),
        stops=declaration.stops,
        checklist=declaration.checklist,
        causes={
            Verdict.REPORTED: CauseText(
                happened=Sentence(
                    "{product}, which holds this connection, reports that it stopped working.", product=product
                ),
                mend=Sentence(
                    "Whoever connected it can reconnect it in {product}, in about a minute.", product=product
                ),
            )
        },
        detects=frozenset({Verdict.REPORTED}),
        own_page=OwnPage(product=product, reconnect_url=declaration.reconnect_url, connect_url=declaration.connect_url),
    )


def specs(environment: Mapping[str, str]) -> Sequence[NetworkSpec]:
    """The declarations of all of them. Raises SettingError."""
    return [_spec(one) for one in declared.read(environment).hosted]


def build_all(environment: Mapping[str, str], _clock: Clock) -> Sequence[HostedNetwork]:
    """All of them. Raises SettingError with the file's line."""
    return [HostedNetwork(one) for one in declared.read(environment).hosted]
