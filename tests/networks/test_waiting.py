"""Each network, asked too often: how long it asks us to wait, and who is meant."""

from datetime import timedelta

import pytest

from commands.model import Pause, Verdict
from tests.support.network_rigs import network_rig

MINUTES = timedelta(minutes=1)


@pytest.mark.behaviour("D-4")
@pytest.mark.parametrize(
    ("slug", "minutes", "everybody"),
    [
        ("meta", 10, True),
        ("tiktok", 5, True),
        ("linkedin", 15 * 60, True),
        ("x", 15, False),
        ("x_ads", 15, False),
        ("amazon_ads", 1 / 30, True),
    ],
)
async def test_a_network_that_is_asked_too_often_says_how_long_to_wait(
    slug: str, minutes: float, everybody: bool
) -> None:
    """Meta's whole app, TikTok's by its own rule, LinkedIn's until midnight in UTC, X each login by itself, Amazon by
    Retry-After.
    """
    async with network_rig(slug) as rig:
        tokens = await rig.log_in()
        await rig.people.throttled()
        found = (await rig.probe(tokens)).grant
        assert found.verdict is Verdict.THROTTLED
        assert found.pause == Pause(until=rig.clock.now() + minutes * MINUTES, everybody=everybody)


@pytest.mark.behaviour("D-4")
@pytest.mark.parametrize("slug", ["snapchat", "reddit"])
async def test_a_network_that_does_not_say_is_asked_again_by_our_own_rules(slug: str) -> None:
    async with network_rig(slug) as rig:
        tokens = await rig.log_in()
        await rig.people.throttled()
        found = (await rig.probe(tokens)).grant
        assert (found.verdict, found.pause) == (Verdict.THROTTLED, None)
