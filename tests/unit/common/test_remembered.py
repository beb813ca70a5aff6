"""Answers that are kept for a while: asked for once, bounded, and gone when they are to be."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from laurel_common.deadline import deadline_in, remaining
from laurel_common.remembered import Remembered


class Time:
    """Monotonic time that a test moves."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def answering(value: str, seconds: float = 5.0) -> Callable[[], Awaitable[tuple[str, float]]]:
    async def ask() -> tuple[str, float]:
        return value, seconds

    return ask


async def test_an_answer_is_good_from_the_moment_that_it_was_asked_for() -> None:
    time = Time()
    kept: Remembered[str, str] = Remembered(limit=10, monotonic=time)

    async def slow() -> tuple[str, float]:
        time.seconds += 3
        return "first", 5.0

    assert await kept.get("a", slow) == "first"
    time.seconds += 1.9
    assert await kept.get("a", answering("second")) == "first"
    time.seconds += 0.2
    assert await kept.get("a", answering("second")) == "second"


async def test_what_is_in_use_is_asked_for_again_before_its_time_and_nobody_waits() -> None:
    time = Time()
    kept: Remembered[str, str] = Remembered(limit=10, ahead=0.5, monotonic=time)
    asked: list[float] = []
    answers = ["second", "", "third"]

    async def ask() -> tuple[str, float]:
        asked.append(time.seconds)
        if not (answer := answers.pop(0)):
            raise OSError
        return answer, 5.0

    async def current() -> list[str | None]:
        """What two calls get at once, and a third after whatever they have begun."""
        at_once = [kept.current("a", ask) for _ in range(2)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return [*at_once, kept.current("a", ask)]

    assert await current() == [None] * 3
    await kept.get("a", answering("first"))
    time.seconds += 4.25
    assert (await current(), asked) == (["first"] * 3, [])
    time.seconds += 0.5
    assert (await current(), asked) == (["first", "first", "second"], [104.75])
    # Where that fails it is not tried again, and nothing is believed beyond its time.
    time.seconds += 4.75
    assert (await current(), len(asked)) == (["second"] * 3, 2)
    time.seconds += 0.5
    assert (await current(), len(asked)) == ([None] * 3, 2)
    assert await kept.get("a", ask) == "third"
    # What was to be forgotten meanwhile does not come back.
    time.seconds += 4.75
    assert kept.current("a", answering("fourth")) == "third"
    kept.forget()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert kept.current("a", ask) is None


async def test_however_many_ask_it_is_asked_once_and_for_nobodys_deadline() -> None:
    kept: Remembered[str, str] = Remembered(limit=10)
    asked, go = 0, asyncio.Event()
    left: list[float | None] = []

    async def ask() -> tuple[str, float]:
        nonlocal asked
        asked += 1
        left.append(remaining())
        await go.wait()
        return "answer", 5.0

    async def impatient() -> str:
        with deadline_in(0.01):
            return await asyncio.wait_for(kept.get("a", ask), 0.01)

    with pytest.raises(TimeoutError):
        await impatient()
    waiting = [asyncio.create_task(kept.get("a", ask)) for _ in range(10)]
    await asyncio.sleep(0)
    go.set()
    assert await asyncio.gather(*waiting) == ["answer"] * 10
    assert (asked, left) == (1, [None])


async def test_what_was_on_its_way_when_it_was_to_be_forgotten_is_not_kept() -> None:
    kept: Remembered[str, str] = Remembered(limit=10)
    go = asyncio.Event()

    async def ask() -> tuple[str, float]:
        await go.wait()
        return "old", 5.0

    waiting = asyncio.create_task(kept.get("a", ask))
    await asyncio.sleep(0)
    kept.forget(lambda key: key == "a")
    fresh = await kept.get("a", answering("new"))
    go.set()
    assert (await waiting, fresh, kept.find("a")) == ("old", "new", "new")


async def test_a_failure_reaches_all_who_wait_and_is_not_kept() -> None:
    kept: Remembered[str, str] = Remembered(limit=10)

    async def fail() -> tuple[str, float]:
        await asyncio.sleep(0)
        raise ValueError("no")

    found = await asyncio.gather(*(kept.get("a", fail) for _ in range(3)), return_exceptions=True)
    assert [type(each) for each in found] == [ValueError] * 3
    assert await kept.get("a", answering("yes")) == "yes"


async def test_no_flood_of_keys_grows_it_or_pushes_everybody_out() -> None:
    kept: Remembered[int, str] = Remembered(limit=8)
    for key in range(100):
        await kept.get(key, answering(str(key)))
    found = [key for key in range(100) if kept.find(key) is not None]
    assert 6 <= len(found) <= 8
    assert found[-1] == 99
