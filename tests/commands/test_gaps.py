"""The gap receipt: when the blind period was, how far back data can be fetched, and that it was filled (X-9)."""

from datetime import UTC, datetime, timedelta

import pytest

from commands.gaps import gap_line, gap_of, leaves_gap
from commands.ids import ConnectionId, LapseId, OrganizationId, new_id
from commands.model import Evidence, Lapse, LapseEnd, Verdict
from commands.ports.hosting import GapFilled
from tests.commands.plain import plain
from tests.commands.world import World
from tests.support.network import spec

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def ended(how: LapseEnd = LapseEnd.RECONNECTED, good: timedelta | None = timedelta(hours=1)) -> Lapse:
    opened = NOW - timedelta(hours=5)
    return Lapse(
        id=LapseId(new_id(opened)),
        organization_id=OrganizationId(new_id(opened)),
        connection_id=ConnectionId(new_id(opened)),
        authorization_id=None,
        cause=Verdict.REVOKED,
        evidence=Evidence(check="test"),
        last_good_at=opened - good if good is not None else None,
        opened_at=opened,
        ended_at=NOW,
        ended_how=how,
    )


def said(lapse: Lapse, history: timedelta | None, now: datetime, filled: GapFilled | None = None) -> str:
    gap = gap_of(lapse, spec(history=history), filled)
    return "".join(getattr(span, "text", "") for span in gap_line(gap, "Examplenet", now))


@pytest.mark.behaviour("X-9")
def test_the_blind_period_begins_at_the_last_good_check_and_ends_with_the_lapse() -> None:
    gap = gap_of(ended(), spec())
    assert (gap.begins_at, gap.ends_at) == (NOW - timedelta(hours=6), NOW)
    unknown = gap_of(ended(good=None), spec())
    assert unknown.begins_at == NOW - timedelta(hours=5)


@pytest.mark.behaviour("X-9")
def test_how_far_back_the_network_goes_is_told_where_it_is_known_and_until_when() -> None:
    month = timedelta(days=30)
    assert gap_of(ended(), spec(history=month)).fetchable_until == NOW - timedelta(hours=6) + month
    assert "still gives out all of it until" in said(ended(), month, NOW)
    assert "no longer gives out all of it" in said(ended(), month, NOW + month)
    assert "not known" in said(ended(), None, NOW)


@pytest.mark.behaviour("X-9")
def test_a_filled_gap_says_so_in_place_of_how_long_there_is_time() -> None:
    lapse = ended()
    filled = GapFilled(lapse_id=lapse.id, organization_id=lapse.organization_id, at=NOW, note="all <b>days</b>")
    words = said(lapse, timedelta(days=30), NOW, filled)
    assert "✅ Gap filled" in words
    assert "all <b>days</b>" in words
    assert "gives out all" not in words


@pytest.mark.behaviour("X-9")
def test_only_what_works_again_leaves_a_gap() -> None:
    assert leaves_gap(ended())
    assert leaves_gap(ended(LapseEnd.RECOVERED))
    assert not leaves_gap(ended(LapseEnd.RETIRED))


@pytest.mark.behaviour("X-9")
async def test_history_tells_that_the_gap_is_filled_when_the_host_product_said_so(world: World) -> None:
    lapse_id = world.lapses["Acme DE"]
    world.clock.advance(timedelta(hours=1))
    await world.restore("Acme DE", by="raj")
    filled = GapFilled(lapse_id=lapse_id, organization_id=world.organization.id, at=world.clock.now())
    async with world.storage.transaction() as uow:
        assert await uow.host_reports.fill(filled)
    told = plain(await world.typed("ada", "lapsed", "history acme de"))
    assert "✅ Gap filled, the system that fetches the data says, on <day" in told
    assert "; filled on 2026-11-23`" in told
