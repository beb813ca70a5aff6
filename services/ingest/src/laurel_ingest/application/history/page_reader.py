"""Pages of a repository's lists, in sizes that GitHub answers and within its limits."""

from functools import partial
from typing import Any

from laurel_common.clock import Clock
from laurel_ingest.application.history.github import (
    GitHubHistory,
    GitHubRateLimited,
    GitHubUnavailable,
    GoneError,
    Listing,
    Page,
    TooHeavyError,
)
from laurel_ingest.application.history.page_group import PageGroup
from laurel_ingest.application.history.ports import BudgetStore
from laurel_ingest.domain.history.progress import Probe, Progress


class PageReader:
    """Raises what GitHubHistory does, but for TooHeavyError."""

    def __init__(self, github: GitHubHistory, budgets: BudgetStore, clock: Clock) -> None:
        self._github = github
        self._budgets = budgets
        self._clock = clock

    async def page(
        self, group: PageGroup, listing: Listing, progress: Progress, variables: dict[str, Any]
    ) -> tuple[Page, Progress]:
        """A page, in a size that GitHub answers; the place with that size."""
        work = group.work
        owner, _, name = work.probe.full_name.partition("/")
        place = {} if "id" in variables else {"owner": owner, "name": name}
        while True:
            await self._wait(group)
            asked = place | variables | {"size": progress.size, "after": progress.after}
            try:
                page = await self._github.page(work.installation_id, listing, asked)
            except TooHeavyError:
                smaller = progress.smaller()
                if smaller is None:
                    raise GitHubUnavailable from None
                progress = smaller
                group.hurry()
                continue
            if page.repository_id not in (None, work.repository_id):
                raise GoneError
            group.note(page.points)
            return page, progress

    async def probe(self, group: PageGroup) -> Probe:
        """What GitHub shows of the repository now."""
        work = group.work
        await self._wait(group)
        nodes, points = await self._github.probe(work.installation_id, [work.probe.full_name])
        group.note(points)
        if nodes[0] is None or nodes[0].get("databaseId") != work.repository_id:
            raise GoneError
        return Probe.of(nodes[0])

    async def _wait(self, group: PageGroup) -> None:
        budget = await group.begin(partial(self._budgets.load, group.work.installation_id))
        until = budget.wait_until(self._clock.now(), is_urgent=group.work.is_urgent)
        if until is not None:
            raise GitHubRateLimited(until, is_refusal=False)
