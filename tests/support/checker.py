"""A checker that asks no network: it does what the test says."""

from collections.abc import Awaitable, Callable, Sequence

from commands.ids import AuthorizationId, OrganizationId
from commands.ports.checker import CheckResult
from commands.ports.network import Expected


class FakeChecker:
    """A `Checker` that does what the test says, once for each authorization asked about."""

    def __init__(self) -> None:
        self.asked: list[AuthorizationId] = []
        self.result = CheckResult.CHECKED
        self.finds: Callable[[], Awaitable[None]] | None = None
        self.proves: dict[AuthorizationId, frozenset[str]] = {}
        """Accounts that a login reads although they hang on another one."""

    async def check(self, organization_id: OrganizationId, authorization_id: AuthorizationId) -> CheckResult:
        self.asked.append(authorization_id)
        if self.finds is not None:
            await self.finds()
        return self.result

    async def prove(
        self, organization_id: OrganizationId, authorization_id: AuthorizationId, accounts: Sequence[Expected]
    ) -> frozenset[str]:
        return frozenset(one.account_id for one in accounts) & self.proves.get(authorization_id, frozenset())
