"""Pages of one attempt that are stored together, with the place behind the last of them."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

from laurel_common.clock import Clock
from laurel_ingest.application.batch_facts import BatchFacts
from laurel_ingest.application.history.github import Points
from laurel_ingest.application.history.ports import Work
from laurel_ingest.domain.findings import Findings, Owner
from laurel_ingest.domain.history.budget import Budget
from laurel_ingest.domain.history.progress import Progress

# What comes within so long is stored together, unless it is so many facts before that.
_AT_ONCE: Final = timedelta(seconds=1)
_MOST_FACTS: Final = 2_000
# After an attempt that came to no end, groups begin with so few pages, and double.
_PAGES_AGAIN: Final = 4


@dataclass(slots=True)
class Pages:
    """What came of a repository and is not stored yet.

    `told`: its facts. `place`: where the next page begins, None where nothing has come. `asked`:
    what each of its requests cost. `listed`: how many more REST answered.
    """

    told: BatchFacts = field(default_factory=BatchFacts)
    place: Progress | None = None
    asked: list[Points] = field(default_factory=list)
    listed: int = 0


Save: TypeAlias = Callable[[Work, Pages], Coroutine[Any, Any, None]]


class PageGroup:
    """Gathers an attempt's pages; the next ones are read while those before are being stored.

    Not so after an attempt that came to no end: then what has come is stored before more is asked
    for.
    """

    def __init__(self, work: Work, save: Save, clock: Clock) -> None:
        """`save` stores pages: all of them or nothing."""
        self.work = work
        self._save = save
        self._clock = clock
        self._owner = Owner(work.probe.full_name.partition("/")[0])
        self._most_pages = _PAGES_AGAIN if work.attempts > 1 else None
        self._pages = Pages()
        self._storing: asyncio.Task[None] | None = None
        self._budget: Budget | None = None
        self._last: Points | None = None
        self._began: datetime | None = None
        self._is_urgent = False

    async def begin(self, load: Callable[[], Awaitable[Budget]]) -> Budget:
        """Called before a page is asked for; answers what may be asked.

        Others are asked (`load`) what they know once a group, then each answer tells.
        """
        if self._began is None:
            self._began = self._clock.now()
        if self._budget is None:
            known, last = await load(), self._last
            if last is not None and (known.reset_at is None or known.reset_at <= last.reset_at):
                known = _after(known, last)  # what is being stored has not been noted yet
            self._budget = known
        return self._budget

    def hurry(self) -> None:
        """What GitHub answers has only just been found: the next page is stored at once."""
        self._is_urgent = True

    def note(self, points: Points) -> None:
        """A page has come, and cost so much."""
        self._pages.asked.append(points)
        self._last = points
        self._budget = _after(self._budget or Budget(), points)

    def note_listed(self, requests: int) -> None:
        """So many requests were answered that cost no points."""
        self._pages.listed += requests

    def take(self, found: Iterable[Findings], following: Progress) -> None:
        """Takes in what was found, and the place behind it."""
        work, told = self.work, self._pages.told
        told.owners.setdefault(self._owner.login.lower(), self._owner)
        for findings in found:
            told.add(findings, work.repository_id, work.probe.full_name, self._owner)
        self._pages.place = following

    async def add(self, found: Iterable[Findings], following: Progress) -> None:
        """Takes a page in, and has the group stored where it is time. Raises as `flush`."""
        self.take(found, following)
        if not self._is_full():
            return
        if self._is_urgent or self._most_pages is not None:
            await self.flush()
            return
        await self._stored()
        self._storing = asyncio.create_task(self._save(self.work, self._handed_over()))

    async def flush(self) -> None:
        """Stores what has come; all of it or nothing, and nothing of it a second time.

        Raises WorkSuperseded, and the typed errors of database and directory; then what came later
        is forgotten, too, since its place is behind what was not stored.
        """
        await self._stored()
        pages = self._handed_over()
        if pages.told.facts or pages.asked or pages.listed:
            await self._save(self.work, pages)
            if self._most_pages is not None:
                self._most_pages *= 2

    async def close(self) -> None:
        """Gives up what is being stored, if an attempt ends before it is."""
        if self._storing is not None:
            self._storing.cancel()
            await asyncio.gather(self._storing, return_exceptions=True)

    async def _stored(self) -> None:
        """Waits for those before."""
        if self._storing is None:
            return
        try:
            await self._storing
        except BaseException:
            self._pages = Pages()
            raise
        finally:
            self._storing = None

    def _handed_over(self) -> Pages:
        pages, self._pages = self._pages, Pages()
        self._budget = self._began = None
        self._is_urgent = False
        return pages

    def _is_full(self) -> bool:
        pages = self._pages
        if self._is_urgent or len(pages.told.facts) >= _MOST_FACTS:
            return True
        if self._most_pages is not None and len(pages.asked) >= self._most_pages:
            return True
        return self._began is not None and self._clock.now() - self._began >= _AT_ONCE


def _after(budget: Budget, points: Points) -> Budget:
    return budget.told(points.limit, points.remaining, points.reset_at)
