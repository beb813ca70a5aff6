"""One piece of work for all who want it."""

import asyncio

import pytest

from laurel_common.deadline import deadline_in, remaining
from laurel_common.errors import DeadlineExceeded
from laurel_common.single_flight import SingleFlight


async def test_all_who_ask_meanwhile_get_one_result() -> None:
    flight, gate, runs = SingleFlight[str, int](seconds=5), asyncio.Event(), 0

    async def work() -> int:
        nonlocal runs
        runs += 1
        await gate.wait()
        return runs

    waiting = [asyncio.create_task(flight.run("a", work)) for _ in range(9)]
    await asyncio.sleep(0)
    gate.set()
    assert await asyncio.gather(*waiting) == [1] * 9
    assert await flight.run("a", work) == 2


async def test_different_keys_do_not_wait_for_each_other() -> None:
    flight, gate = SingleFlight[str, int](seconds=5), asyncio.Event()

    async def slow() -> int:
        await gate.wait()
        return 1

    async def quick() -> int:
        return 2

    waiting = asyncio.create_task(flight.run("a", slow))
    assert await flight.run("b", quick) == 2
    gate.set()
    assert await waiting == 1


async def test_all_who_wait_share_a_failure_and_the_next_one_tries_again() -> None:
    flight = SingleFlight[str, int](seconds=5)

    async def fail() -> int:
        await asyncio.sleep(0)
        raise ValueError("no")

    async def work() -> int:
        return 3

    results = await asyncio.gather(
        *(flight.run("a", fail) for _ in range(3)), return_exceptions=True
    )
    assert [type(result) for result in results] == [ValueError] * 3
    assert await flight.run("a", work) == 3


async def test_the_work_has_its_own_time_not_the_first_callers() -> None:
    flight = SingleFlight[str, float](seconds=5)

    async def work() -> float:
        left = remaining()
        assert left is not None
        return left

    with deadline_in(0.001):
        assert await flight.run("a", work) > 4


async def test_work_that_outlasts_its_time_ends() -> None:
    flight = SingleFlight[str, None](seconds=0)
    with pytest.raises(DeadlineExceeded):
        await flight.run("a", lambda: asyncio.Event().wait())  # type: ignore[arg-type, return-value]  # never returns


async def test_closing_ends_what_is_under_way() -> None:
    flight, started = SingleFlight[str, bool](seconds=5), asyncio.Event()

    async def work() -> bool:
        started.set()
        return await asyncio.Event().wait()

    task = flight.start("a", work)
    await started.wait()
    await flight.close()
    assert task.cancelled()
