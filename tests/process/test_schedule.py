"""Ticks: what there is to do is done, whatever fails, and a stop waits for what is under way."""

import asyncio

from bot.schedule import Loop, Ticker, ticking


async def test_a_loop_that_fails_is_ticked_again_and_harms_no_other() -> None:
    failed, worked = asyncio.Event(), asyncio.Event()
    calls = 0

    async def failing() -> int:
        nonlocal calls
        calls += 1
        if calls == 2:
            failed.set()
        raise RuntimeError("once more")

    async def working() -> int:
        worked.set()
        return 0

    loops = [Loop(name="bad", every=0.01, run_once=failing), Loop(name="good", every=0.01, run_once=working)]
    async with ticking(loops) as ticker:
        await asyncio.wait_for(asyncio.gather(failed.wait(), worked.wait()), 10)
        assert ticker.late() == []


async def test_a_stop_takes_nothing_new_and_waits_for_what_is_under_way() -> None:
    started, ended = asyncio.Event(), []
    goes_on = asyncio.Event()

    async def long_work() -> int:
        started.set()
        await goes_on.wait()
        ended.append(True)
        return 1  # there would be more, but the stop comes first

    async def stop() -> None:
        goes_on.set()

    async with ticking([Loop(name="long", every=0.01, run_once=long_work, stop=stop)]):
        await asyncio.wait_for(started.wait(), 10)
    assert ended == [True]


async def test_a_loop_that_gets_something_done_is_alive_however_long_it_is_busy_and_one_that_is_stuck_is_not() -> None:
    now = 0.0
    progressed = 0.0

    async def nothing() -> int:
        return 0

    busy = Loop(name="busy", every=5, run_once=nothing, progressed_at=lambda: progressed)
    stuck = Loop(name="stuck", every=5, run_once=nothing)
    ticker = Ticker([busy, stuck], now=lambda: now)
    now = progressed = 66.0
    assert ticker.late() == ["stuck"]
    await ticker.tick(stuck)
    assert ticker.late() == []
    now = 132.0
    assert ticker.late() == ["busy", "stuck"]
