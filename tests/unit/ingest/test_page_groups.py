"""Pages that are stored together, and what is read meanwhile."""

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import cast

import pytest

from laurel_common.testing.clock import FakeClock
from laurel_ingest.application.errors import WorkSuperseded
from laurel_ingest.application.history.github import Points
from laurel_ingest.application.history.page_group import PageGroup, Pages
from laurel_ingest.application.history.ports import Work
from laurel_ingest.domain.facts import CommitFact
from laurel_ingest.domain.findings import Findings
from laurel_ingest.domain.history.budget import Budget
from laurel_ingest.domain.history.progress import Progress
from laurel_ingest.domain.registers import Standing

NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Reading:
    """A group, where each page is one commit, and what is stored of it when the test says so."""

    def __init__(self, *, attempts: int = 1) -> None:
        self.clock = FakeClock(NOW)
        self.stored: list[list[int]] = []
        self.may_store = asyncio.Event()
        self.failure: Exception | None = None
        self.place = 0
        work = SimpleNamespace(
            repository_id=7, attempts=attempts, probe=SimpleNamespace(full_name="acme/r")
        )
        self.group = PageGroup(cast(Work, work), self._save, self.clock)

    async def page(self, *, after: timedelta = timedelta()) -> None:
        """Asks for the next page, which comes so much later."""
        await self.group.begin(self._nothing_known)
        self.clock.advance(after)
        self.group.note(Points(1, 5_000, 4_000, NOW + timedelta(hours=1)))
        self.place += 1
        found = Findings(Standing.BEST, 1, [CommitFact(7, f"{self.place:040x}")])
        await self.group.add([found], Progress(self.place))
        await asyncio.sleep(0)  # what is stored in the background begins

    async def _nothing_known(self) -> Budget:
        return Budget()

    async def _save(self, _work: Work, pages: Pages) -> None:
        await self.may_store.wait()
        if self.failure is not None:
            raise self.failure
        assert pages.place is not None
        assert len(pages.asked) == len(pages.told.facts)
        self.stored.append(sorted(int(key[2], 16) for key in pages.told.facts))
        assert self.stored[-1][-1] == pages.place.at


async def test_pages_of_a_second_are_one_group_and_the_next_ones_are_read_meanwhile() -> None:
    reading = Reading()
    for _ in range(3):
        await reading.page()
    await reading.page(after=SECOND)
    await reading.page()
    assert not reading.stored
    reading.may_store.set()
    await reading.group.flush()
    assert reading.stored == [[1, 2, 3, 4], [5]]
    await reading.group.flush()
    assert len(reading.stored) == 2


async def test_a_group_waits_for_the_one_before() -> None:
    reading = Reading()
    await reading.page(after=SECOND)
    second = asyncio.create_task(reading.page(after=SECOND))
    await asyncio.sleep(0)
    assert not second.done()
    reading.may_store.set()
    await second
    await reading.group.flush()
    assert reading.stored == [[1], [2]]


async def test_what_came_behind_pages_that_were_not_stored_is_not_stored_either() -> None:
    reading = Reading()
    reading.failure = WorkSuperseded()
    reading.may_store.set()
    await reading.page(after=SECOND)
    with pytest.raises(WorkSuperseded):
        await reading.page(after=SECOND)
    reading.failure = None
    await reading.group.flush()
    assert reading.stored == []


async def test_a_later_attempt_stores_before_it_asks_for_more_in_groups_that_double() -> None:
    reading = Reading(attempts=2)
    reading.may_store.set()
    for _ in range(12):
        await reading.page()
    assert reading.stored == [[1, 2, 3, 4], list(range(5, 13))]


async def test_a_size_that_was_just_found_is_stored_at_once() -> None:
    reading = Reading()
    reading.may_store.set()
    reading.group.hurry()
    await reading.page()
    assert reading.stored == [[1]]


async def test_an_attempt_that_ends_gives_up_what_is_being_stored() -> None:
    reading = Reading()
    await reading.page(after=SECOND)
    await reading.group.close()
    reading.may_store.set()
    await asyncio.sleep(0)
    assert reading.stored == []
