"""Pages of a repository's lists, in sizes that GitHub answers and within its limits."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from laurel_common.clock import Clock
from laurel_common.errors import LaurelError
from laurel_ingest.application.history.github import (
    GitHubHistory,
    GitHubRateLimited,
    GitHubUnavailable,
    GoneError,
    Listing,
    Page,
    TooHeavyError,
)
from laurel_ingest.application.history.ports import BudgetStore, Work, WorkStore
from laurel_ingest.domain.history.budget import Budget
from laurel_ingest.domain.history.progress import Progress

# Pages that come within so long of each other are stored together.
_AT_ONCE: Final = timedelta(seconds=1)


class PageReader:
    """Raises what GitHubHistory does, but for TooHeavyError."""

    def __init__(
        self, github: GitHubHistory, budgets: BudgetStore, works: WorkStore, clock: Clock
    ) -> None:
        self._github = github
        self._budgets = budgets
        self._works = works
        self._clock = clock

    async def several(
        self,
        work: Work,
        listing: Listing,
        progress: Progress,
        variables: dict[str, Any],
        most: int,
    ) -> tuple[Page, Progress, Exception | None]:
        """Pages that follow each other, as one; the place; what kept the next one from coming,
        which is to be raised when these are stored.
        """
        size, began = progress.size, self._clock.now()
        page, progress = await self._ask(work, listing, progress, variables)
        if progress.size < size:
            most = 1  # what GitHub answers has only just been found: it is noted at once
        pages, error = [page], None
        while page.after is not None and len(pages) < most and self._may_go_on(page, began):
            try:
                page, progress = await self._ask(
                    work, listing, replace(progress, after=page.after), variables
                )
            except (LaurelError, GoneError) as failure:
                error = failure
                break
            pages.append(page)
        await self._note(work, pages)
        return replace(page, nodes=[node for each in pages for node in each.nodes]), progress, error

    def _may_go_on(self, page: Page, began: datetime) -> bool:
        """Whether the next page is asked for before these are stored."""
        now, points = self._clock.now(), page.points
        left = Budget().told(points.limit, points.remaining, points.reset_at)
        return now - began < _AT_ONCE and left.wait_until(now) is None

    async def page(
        self, work: Work, listing: Listing, progress: Progress, variables: dict[str, Any]
    ) -> tuple[Page, Progress]:
        """A page, and the place with the size that it came in; noted as asked for."""
        page, progress = await self._ask(work, listing, progress, variables)
        await self._note(work, [page])
        return page, progress

    async def _ask(
        self, work: Work, listing: Listing, progress: Progress, variables: dict[str, Any]
    ) -> tuple[Page, Progress]:
        """A page, in a size that GitHub answers; the place with that size."""
        owner, _, name = work.probe.full_name.partition("/")
        place = {} if "id" in variables else {"owner": owner, "name": name}
        while True:
            wait = (await self._budgets.load(work.installation_id)).wait_until(self._clock.now())
            if wait is not None:
                raise GitHubRateLimited(wait)
            asked = place | variables | {"size": progress.size, "after": progress.after}
            try:
                page = await self._github.page(work.installation_id, listing, asked)
            except TooHeavyError:
                smaller = progress.smaller()
                if smaller is None:
                    raise GitHubUnavailable from None
                progress = smaller
                continue
            if page.repository_id not in (None, work.repository_id):
                raise GoneError
            return page, progress

    async def _note(self, work: Work, pages: Sequence[Page]) -> None:
        """What some pages cost, and what is left."""
        await self._budgets.told(work.installation_id, pages[-1].points)
        cost = sum(page.points.cost for page in pages)
        await self._works.note_points(work, requests=len(pages), points=cost)
