"""What is said when a check that was asked for cannot be made."""

import pytest

from commands.messages import Tone
from commands.ports.checker import CheckResult
from tests.commands.plain import plain
from tests.commands.world import World


@pytest.mark.behaviour("D-8")
async def test_a_check_that_is_not_possible_here_is_our_fault_and_names_whom_to_ask(world: World) -> None:
    world.checker.result = CheckResult.NOT_POSSIBLE
    message = await world.typed("raj", "lapsed", "check brio live")
    said = plain(message)
    assert "We cannot ask TikTok about it just now: that is our fault, not the account's." in said
    assert "support@example.com" in said
    assert "Checked just now" not in said
    assert "right now" not in said
    assert message.tone is Tone.NEUTRAL


@pytest.mark.behaviour("D-8")
async def test_accounts_that_could_not_be_checked_are_not_counted_as_checked(world: World) -> None:
    world.checker.result = CheckResult.NOT_POSSIBLE
    assert plain(await world.typed("ada", "lapsed", "check brio tiktok")).startswith("Checked 0 of 2 accounts just now")
