"""Questions about the accounts of one grant, several at once."""

import asyncio

import pytest

from commands.errors import NetworkError
from commands.model import Evidence, Finding, Verdict
from platform_adapters.networks.oauth import (
    of_each,
)

IDS = [str(number) for number in range(25)]


async def test_accounts_are_asked_about_side_by_side_but_never_more_than_ten_at_once() -> None:
    now, most, five = 0, 0, asyncio.Barrier(5)

    async def ask(account_id: str) -> str:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await five.wait()
        now -= 1
        return account_id

    assert await of_each(IDS, ask) == {account_id: account_id for account_id in IDS}
    assert most == 10


async def test_a_question_that_the_network_fails_fails_them_all_with_its_finding() -> None:
    finding = Finding(verdict=Verdict.THROTTLED, evidence=Evidence(check="account", code="429"))

    async def ask(account_id: str) -> str:
        if account_id == "3":
            raise NetworkError(finding)
        return account_id

    with pytest.raises(NetworkError) as failed:
        await of_each(IDS, ask)
    assert failed.value.finding == finding
