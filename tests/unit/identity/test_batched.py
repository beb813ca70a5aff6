"""Lookups that are read together: once for everybody, kept for a while, nobody hurt by another."""

import asyncio
from collections.abc import Collection, Mapping

import pytest

from laurel_common.deadline import deadline_in, remaining
from laurel_common.errors import DatabaseUnavailable
from laurel_identity.application.batched import Batched


class Reading:
    """A source that answers when it is let, keeps account, and refuses what it is told to."""

    def __init__(self) -> None:
        self.seconds = 100.0
        self.reads: list[set[str]] = []
        self.left: list[float | None] = []
        self.go = asyncio.Event()
        self.go.set()
        self.refused: set[str] = set()
        self.fault: BaseException | None = None
        self.batched: Batched[str, str] = Batched(
            self._read, seconds=2.0, limit=100, monotonic=lambda: self.seconds
        )

    async def _read(self, keys: Collection[str]) -> Mapping[str, str | Exception]:
        self.reads.append(set(keys))
        self.left.append(remaining())
        await self.go.wait()
        if self.fault is not None:
            raise self.fault
        return {
            key: LookupError(key) if key in self.refused else f"{key}{len(self.reads)}"
            for key in keys
        }


@pytest.fixture
async def reading() -> Reading:
    return Reading()


async def test_what_is_asked_at_once_is_read_at_once_and_kept(reading: Reading) -> None:
    get = reading.batched.get
    assert await asyncio.gather(*map(get, "aba")) == ["a1", "b1", "a1"]
    reading.seconds += 1.9
    assert reading.batched.find("a") == "a1"
    reading.seconds += 0.2
    assert reading.batched.find("a") is None
    assert await get("a") == "a2"
    assert reading.reads == [{"a", "b"}, {"a"}]


async def test_an_answer_is_good_from_before_it_was_read(reading: Reading) -> None:
    reading.go.clear()
    asked = asyncio.create_task(reading.batched.get("a"))
    while not reading.reads:
        await asyncio.sleep(0)
    reading.seconds += 2.5
    reading.go.set()
    assert await asked == "a1"
    assert reading.batched.find("a") is None


async def test_what_is_asked_for_during_a_read_is_the_next_ones(reading: Reading) -> None:
    reading.go.clear()
    first = asyncio.create_task(reading.batched.get("a"))
    while not reading.reads:
        await asyncio.sleep(0)
    later = [asyncio.create_task(reading.batched.get(each)) for each in "abcb"]
    await asyncio.sleep(0)
    reading.go.set()
    assert await first == "a1"
    assert await asyncio.gather(*later) == ["a1", "b2", "c2", "b2"]
    assert reading.reads == [{"a"}, {"b", "c"}]


async def test_who_gives_up_leaves_the_others_their_answer_and_their_time(
    reading: Reading,
) -> None:
    reading.go.clear()

    async def impatient() -> str:
        with deadline_in(0.01):
            return await asyncio.wait_for(reading.batched.get("a"), 0.01)

    hasty = asyncio.create_task(impatient())
    patient = asyncio.create_task(reading.batched.get("a"))
    with pytest.raises(TimeoutError):
        await hasty
    reading.go.set()
    assert await patient == "a1"
    assert reading.left == [None]


async def test_what_is_forgotten_on_its_way_is_told_and_not_kept(reading: Reading) -> None:
    reading.go.clear()
    asked = asyncio.create_task(reading.batched.get("a"))
    while not reading.reads:
        await asyncio.sleep(0)
    reading.batched.forget(lambda key: key == "a")
    again = asyncio.create_task(reading.batched.get("a"))
    await asyncio.sleep(0)
    # Not read yet: it will be of after this.
    reading.batched.forget()
    reading.go.set()
    assert (await asked, await again) == ("a1", "a2")
    assert reading.batched.find("a") == "a2"
    reading.batched.forget(lambda key: key == "b")
    assert reading.batched.find("a") == "a2"
    reading.batched.forget()
    assert reading.batched.find("a") is None


async def test_an_error_is_told_to_those_that_it_concerns_and_not_kept(reading: Reading) -> None:
    reading.refused = {"b"}
    get = reading.batched.get
    told = await asyncio.gather(get("a"), get("b"), return_exceptions=True)
    assert told[0] == "a1"
    assert isinstance(told[1], LookupError)
    reading.refused = set()
    assert await get("b") == "b2"
    reading.fault = RuntimeError("all of it")
    told = await asyncio.gather(get("c"), get("d"), return_exceptions=True)
    assert [type(each) for each in told] == [RuntimeError, RuntimeError]
    reading.fault = None
    assert await get("c") == "c4"


async def test_more_than_a_read_takes_are_read_in_several(reading: Reading) -> None:
    keys = [f"key-{number}-" for number in range(1_100)]
    answers = await asyncio.gather(*map(reading.batched.get, keys))
    assert [each.rpartition("-")[0] + "-" for each in answers] == keys
    assert [len(each) for each in reading.reads] == [500, 500, 100]


async def test_a_read_that_is_cancelled_from_inside_leaves_nobody_waiting(
    reading: Reading,
) -> None:
    reading.fault = asyncio.CancelledError()
    async with asyncio.timeout(5):
        answers = await asyncio.gather(*map(reading.batched.get, "ab"), return_exceptions=True)
    assert [type(each) for each in answers] == [DatabaseUnavailable] * 2
    reading.fault = None
    assert await reading.batched.get("a") == "a2"
