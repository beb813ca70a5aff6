"""Writes that share a transaction: what becomes of one is no affair of its neighbours."""

import asyncio
from collections.abc import Sequence

import pytest

from laurel_common.errors import DatabaseUnavailable
from laurel_ingest.storage.group_commit import GroupCommit


class Writer:
    """Answers an item by its length once `gate` is open; fails with what `fail` holds."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.begun = asyncio.Event()
        self.groups: list[list[str]] = []
        self.fail: dict[str, BaseException] = {}
        self.group = GroupCommit(self._write, size=len, most_items=10, most_bytes=100)

    async def _write(self, items: Sequence[str]) -> list[int]:
        self.groups.append(list(items))
        self.begun.set()
        await self.gate.wait()
        for item in items:
            if item in self.fail:
                raise self.fail[item]
        return [len(item) for item in items]

    async def send(self, *items: str) -> list[asyncio.Task[int]]:
        """A call for each item, all of them waiting."""
        tasks = [asyncio.create_task(self.group(item)) for item in items]
        await self.begun.wait()
        return tasks


async def outcomes(tasks: Sequence[asyncio.Task[int]]) -> list[int | type[BaseException]]:
    async with asyncio.timeout(5):
        await asyncio.wait(tasks)
    return [
        asyncio.CancelledError
        if task.cancelled()
        else type(error)
        if (error := task.exception())
        else task.result()
        for task in tasks
    ]


async def test_who_comes_while_one_commits_joins_the_next() -> None:
    writer = Writer()
    first = await writer.send("a")
    rest = await writer.send("bb", "ccc")
    await asyncio.sleep(0)
    writer.gate.set()
    assert await outcomes(first + rest) == [1, 2, 3]
    assert writer.groups == [["a"], ["bb", "ccc"]]


async def test_a_group_has_so_many_items_and_bytes() -> None:
    writer = Writer()
    first = await writer.send("a")
    rest = await writer.send("b" * 90, "c" * 20, *"d" * 12, "e" * 200)
    await asyncio.sleep(0)
    writer.gate.set()
    await outcomes(first + rest)
    assert [[len(item) for item in group] for group in writer.groups] == [
        [1],
        [90],
        [20] + [1] * 9,
        [1] * 3,
        [200],
    ]


@pytest.mark.parametrize("gone", [0, 1, 2], ids=["the first", "one between", "the last"])
async def test_a_caller_that_goes_away_takes_nothing_from_the_others(gone: int) -> None:
    writer = Writer()
    tasks = await writer.send("a") + await writer.send("bb", "ccc")
    await asyncio.sleep(0)
    tasks[gone].cancel()
    writer.gate.set()
    wanted: list[int | type[BaseException]] = [1, 2, 3]
    wanted[gone] = asyncio.CancelledError
    assert await outcomes(tasks) == wanted
    # What was told is written, whether or not anybody waits for it.
    assert writer.groups == [["a"], ["bb", "ccc"]]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        pytest.param(DatabaseUnavailable(), DatabaseUnavailable, id="refused"),
        pytest.param(asyncio.CancelledError(), DatabaseUnavailable, id="cancelled from inside"),
    ],
)
async def test_what_one_brings_is_its_own(error: BaseException, told: type[BaseException]) -> None:
    writer = Writer()
    writer.fail["bb"] = error
    tasks = await writer.send("a") + await writer.send("bb", "ccc")
    await asyncio.sleep(0)
    writer.gate.set()
    assert await outcomes(tasks) == [1, told, 3]
    assert await writer.group("dddd") == 4


async def test_who_waits_when_the_writer_is_ended_is_told() -> None:
    writer = Writer()
    tasks = await writer.send("a") + await writer.send("bb")
    await asyncio.sleep(0)
    assert writer.group._writer is not None
    writer.group._writer.cancel()
    assert await outcomes(tasks) == [DatabaseUnavailable, DatabaseUnavailable]
