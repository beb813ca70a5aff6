"""Pull requests and issues that GitHub has no more: by their numbers, where some may be gone."""

from dataclasses import replace
from typing import Final

from laurel_ingest.application.history.github import Listing
from laurel_ingest.application.history.page_group import PageGroup
from laurel_ingest.application.history.page_reader import PageReader
from laurel_ingest.application.history.page_store import PageStore
from laurel_ingest.application.history.ports import HistoryStore, Work
from laurel_ingest.domain.facts import IssueFact, PullFact
from laurel_ingest.domain.history.progress import Known, Phase, Progress

_KINDS: Final = {Phase.PULL_NUMBERS: PullFact.kind, Phase.ISSUE_NUMBERS: IssueFact.kind}


class Vanished:
    """Withdraws them, at a request for a hundred; at none where nothing can have vanished."""

    def __init__(self, reader: PageReader, histories: HistoryStore, pages: PageStore) -> None:
        self._reader = reader
        self._histories = histories
        self._pages = pages

    async def step(self, group: PageGroup, known: Known, progress: Progress) -> Progress:
        """A page of numbers; the place behind it."""
        await group.flush()
        work = group.work
        if progress.after is None:
            progress = await self._next(work, known, progress)
            if progress.phase not in _KINDS:
                return progress
        kind = _KINDS[progress.phase]
        page, progress = await self._reader.page(group, Listing(progress.phase.value), progress, {})
        numbers = [node["number"] for node in page.nodes]
        upto = None if page.after is None else max(numbers)
        standing = await self._histories.numbers(work.repository_id, kind, progress.low, upto)
        # What GitHub counts and can't show is one of those.
        vanished = [] if page.has_gaps else sorted(set(standing) - set(numbers))
        following = replace(progress, after=page.after, low=upto or 0)
        if page.after is None:
            following = progress.next_phase()
            if following.phase not in _KINDS:
                following = replace(following, phase=Phase.END)
        await self._pages.vanished(group, kind, vanished, following)
        return following

    async def _next(self, work: Work, known: Known, progress: Progress) -> Progress:
        """Past those lists that nothing can have vanished from."""
        if work.is_looked_through:
            return replace(progress, phase=Phase.ISSUE_NUMBERS).next_phase()
        while kind := _KINDS.get(progress.phase):
            if await self._may_have_vanished(kind, work, known):
                return progress
            progress = progress.next_phase()
        return replace(progress, phase=Phase.END)

    async def _may_have_vanished(self, kind: str, work: Work, known: Known) -> bool:
        """Whether GitHub counts others than are known. Of pull requests, whether it does not count
        as many older ones as the last complete reading knew, or other ones of that time are known
        now: so that those which GitHub counts and never shows are not looked for each time.
        """
        probe = work.probe
        if kind == PullFact.kind and known.pr_ids_hash is not None:
            older, newer = await self._histories.pulls_until(work.repository_id, known.pulls_until)
            return (older, probe.pulls_total - newer) != (known.pr_ids_hash, known.pulls_total)
        if work.since is not None and known.pulls_total is None:
            return False
        total = probe.pulls_total if kind == PullFact.kind else probe.issues_total
        return (await self._histories.counts(work.repository_id))[kind] != total
