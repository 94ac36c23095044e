"""Refreshes an authorization's tokens, so that no two processes ever send one refresh token, and no answer is lost
unnoticed.

Many networks take a refresh token once, and end the whole grant when they see it again. So whoever refreshes first
writes down that it begins, under the lease of its check; then asks; then stores the answer, before anything else is
done with it. Where a process dies in between, or no answer comes, what was written down stays: the network may have
spent the token, and a refusal of it is then no proof that a person took the access away.
"""

import asyncio
from dataclasses import dataclass, replace

from bot.outlasting import AGAIN_AFTER, outlasting
from commands.errors import NetworkError
from commands.model import Evidence, Finding, Tokens, Verdict
from commands.ports.clock import Clock
from commands.ports.network import Grant, Network
from commands.ports.storage import DueCheck, Storage

UNANSWERED = "unanswered_refresh"
"""The sub-code of evidence where a refresh was refused whose token an earlier one may have spent."""

_SERVER_ERROR = 500
_STORE_TRIES = 3  # a reconnection may change the row while we store; it does not do so again and again


@dataclass(frozen=True, slots=True)
class Refresher:
    """Refreshes the tokens of authorizations that somebody leased."""

    storage: Storage
    clock: Clock
    again_after: float = AGAIN_AFTER
    """Seconds between tries to store an answer in a database that is away."""

    async def refresh(self, due: DueCheck, network: Network, tokens: Tokens, deadline: float) -> Tokens:
        """Give fresh tokens, stored; the ones that are stored, where the lease was lost or somebody was faster.

        `deadline` is of the loop's clock. Raises NetworkError: a refusal of a token that may be spent is EXPIRED, with
        UNANSWERED as its sub-code, never REVOKED.
        """
        if not await self._begin(due):
            return await self._stored(due)
        try:
            async with asyncio.timeout_at(deadline):
                grant = await network.refresh(tokens)
        except TimeoutError as error:
            raise NetworkError(_too_slow()) from error
        except NetworkError as error:
            if not _was_answered(error.finding):
                raise
            if tokens.refresh_begun_at is not None:
                raise NetworkError(_maybe_spent(error.finding)) from error
            await self._settle(due)
            raise
        if grant is None:
            await self._settle(due)
            return tokens
        return await self._kept(due, tokens, grant)

    async def _begin(self, due: DueCheck) -> bool:
        authorization = due.authorization
        async with self.storage.transaction() as work:
            return await work.authorizations.begin_refresh(
                authorization.organization_id,
                authorization.id,
                term=due.term,
                generation=authorization.generation,
                at=self.clock.now(),
            )

    async def _settle(self, due: DueCheck) -> None:
        authorization = due.authorization
        async with self.storage.transaction() as work:
            await work.authorizations.settle_refresh(
                authorization.organization_id, authorization.id, generation=authorization.generation
            )

    async def _kept(self, due: DueCheck, spent: Tokens, grant: Grant) -> Tokens:
        """Store the answer, also in a database that is away for a while: nobody else has it, and what it replaces may
        work no more. The row's number keeps newer tokens, however late this comes.
        """
        return await outlasting(
            lambda: self._store(due, spent, grant),
            again_after=self.again_after,
            refreshed=str(due.authorization.id),
        )

    async def _store(self, due: DueCheck, spent: Tokens, grant: Grant) -> Tokens:
        """Store the answer. A reconnection meanwhile has newer tokens, unless it kept the refresh token just spent."""
        organization_id, authorization_id = due.authorization.organization_id, due.authorization.id
        generation, ours = due.authorization.generation, grant
        for _ in range(_STORE_TRIES):
            async with self.storage.transaction() as work:
                if await work.authorizations.store_refreshed(
                    organization_id, authorization_id, tokens=ours.tokens, ends_at=ours.ends_at, generation=generation
                ):
                    return ours.tokens
                # Its number first: tokens that are newer than it are not overwritten.
                generation = (await work.authorizations.get(organization_id, authorization_id)).generation
                stored = await work.authorizations.tokens(organization_id, authorization_id)
            if spent.refresh is None or stored.refresh != spent.refresh or grant.tokens.refresh == spent.refresh:
                return stored
            # Only what it kept is dead: its own access is newer than ours.
            ours = Grant(tokens=replace(stored, refresh=grant.tokens.refresh, refresh_begun_at=None), ends_at=None)
        return await self._stored(due)

    async def _stored(self, due: DueCheck) -> Tokens:
        async with self.storage.reading() as work:
            return await work.authorizations.tokens(due.authorization.organization_id, due.authorization.id)


def _was_answered(finding: Finding) -> bool:
    """Whether the network looked at the request and said no; a server's fault may come after it took the token."""
    status = finding.evidence.http_status
    return status is not None and status < _SERVER_ERROR


def _maybe_spent(finding: Finding) -> Finding:
    if finding.verdict not in (Verdict.REVOKED, Verdict.EXPIRED):
        return finding
    return Finding(verdict=Verdict.EXPIRED, evidence=replace(finding.evidence, subcode=UNANSWERED))


def _too_slow() -> Finding:
    return Finding(verdict=Verdict.NETWORK_DOWN, evidence=Evidence(check="refresh", code="too_slow"))
