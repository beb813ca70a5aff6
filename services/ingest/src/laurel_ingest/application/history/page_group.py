"""Pages of one attempt that are stored together, with the place behind the last of them."""

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from typing import Final, TypeAlias

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

Save: TypeAlias = Callable[["PageGroup"], Awaitable[None]]


class PageGroup:
    """What came of a repository and is not stored yet.

    `told`: its facts. `place`: where the next page begins, None where nothing has come. `asked`:
    what each of its requests cost. `budget`: what GitHub left at the last of them; None before the
    first, when others may know better.
    """

    told: BatchFacts
    place: Progress | None
    asked: list[Points]
    budget: Budget | None
    _began: datetime | None

    def __init__(self, work: Work, save: Save, clock: Clock) -> None:
        """`save` stores the group; it is called with at least a request or a fact in it."""
        self.work = work
        self._save = save
        self._clock = clock
        self._owner = Owner(work.probe.full_name.partition("/")[0])
        self._most_pages = _PAGES_AGAIN if work.attempts > 1 else None
        self._empty()

    def begin(self) -> None:
        """Called before a page is asked for."""
        if self._began is None:
            self._began = self._clock.now()

    def hurry(self) -> None:
        """What GitHub answers has only just been found: the next page is stored at once."""
        self._is_urgent = True

    def note(self, points: Points) -> None:
        """A page has come, and cost so much."""
        self.asked.append(points)
        known = self.budget or Budget()
        self.budget = known.told(points.limit, points.remaining, points.reset_at)

    def take(self, found: Iterable[Findings], following: Progress) -> None:
        """Takes in what was found, and the place behind it."""
        work = self.work
        for findings in found:
            self.told.add(findings, work.repository_id, work.probe.full_name, self._owner)
        self.place = following

    async def add(self, found: Iterable[Findings], following: Progress) -> None:
        """Takes a page in, and stores the group where it is time. Raises as `flush`."""
        self.take(found, following)
        if self._is_full():
            await self.flush()

    async def flush(self) -> None:
        """Stores what has come; all of it or nothing, and nothing of it a second time.

        Raises WorkSuperseded, and the typed errors of database and directory.
        """
        if not self.told.facts and not self.asked:
            return
        try:
            await self._save(self)
        finally:
            self._empty()
        if self._most_pages is not None:
            self._most_pages *= 2

    def _is_full(self) -> bool:
        if self._is_urgent or len(self.told.facts) >= _MOST_FACTS:
            return True
        if self._most_pages is not None and len(self.asked) >= self._most_pages:
            return True
        return self._began is not None and self._clock.now() - self._began >= _AT_ONCE

    def _empty(self) -> None:
        self.told = BatchFacts()
        self.place = None
        self.asked = []
        self.budget = None
        self._began = None
        self._is_urgent = False
        self.told.owners[self._owner.login.lower()] = self._owner
