"""Looks through all of a repository's pull requests and issues, and keeps what is new in them."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from laurel_ingest.application.history.github import Listing, Page
from laurel_ingest.application.history.page_group import PageGroup
from laurel_ingest.application.history.page_reader import PageReader
from laurel_ingest.application.history.page_store import More, PageStore
from laurel_ingest.application.history.ports import SightingStore
from laurel_ingest.domain.facts import Fact, FactKey, ThingFact, key_of, says_more
from laurel_ingest.domain.findings import Findings
from laurel_ingest.domain.history.nodes import has_gaps
from laurel_ingest.domain.history.progress import Phase, Progress
from laurel_ingest.domain.registers import Said, Standing

# What is made meanwhile is not missed; by so much GitHub's clock and ours may differ.
_TOLERANCE: Final = 60


class LookThrough:
    """Costs what there is to read, and stores what has changed."""

    def __init__(self, reader: PageReader, sightings: SightingStore, pages: PageStore) -> None:
        self._reader = reader
        self._sightings = sightings
        self._pages = pages

    async def page(self, group: PageGroup, progress: Progress, more: More) -> Progress:
        """A page of pull requests or issues; the place behind it."""
        work = group.work
        if not work.is_looked_through:
            return replace(progress, phase=Phase.END)
        page, progress = await self._reader.page(group, Listing(progress.phase.value), progress, {})
        is_whole = not page.has_gaps and not any(map(has_gaps, page.nodes))

        async def noted(listing: Listing, node_id: str, after: str) -> Page:
            nonlocal is_whole
            rest = await more(listing, node_id, after)
            is_whole = is_whole and not rest.has_gaps and not any(map(has_gaps, rest.nodes))
            return rest

        found = await self._pages.found(work, page.nodes, progress, noted)
        things = {(fact.kind, fact.identity) for each in found for fact in each.facts}
        await self._sightings.see(work.repository_id, things, progress.at)
        keys = [key_of(fact) for each in found for fact in each.facts]
        known = await self._sightings.facts(keys)
        progress = replace(progress, has_gaps=progress.has_gaps or not is_whole)
        following = replace(progress, after=page.after)
        if page.after is None:
            following = progress.next_phase()
        await group.add([_news(each, known, progress.at) for each in found], following)
        return following

    async def unseen(self, group: PageGroup, progress: Progress) -> Progress:
        """Some of the things that were not shown: they are gone."""
        repository_id = group.work.repository_id
        await group.flush()
        if not progress.has_gaps:
            kind, _, identity = (progress.after or "").partition(" ")
            before = progress.at - _TOLERANCE
            gone = await self._sightings.unseen(
                repository_id, progress.at, before, (kind, identity)
            )
            if gone:
                following = replace(progress, after=" ".join(gone[-1]))
                await self._pages.unseen(group, gone, following)
                return following
        await self._sightings.forget(repository_id)
        return progress.next_phase()


def _news(found: Findings, known: dict[FactKey, Fact], at: int) -> Findings:
    """What of some findings is not known yet."""
    return replace(found, facts=list(_changed(found.facts, known, at)))


def _changed(facts: Iterable[Fact], known: dict[FactKey, Fact], at: int) -> Iterable[Fact]:
    for fact in facts:
        before = known.get(key_of(fact))
        if isinstance(before, ThingFact) and isinstance(fact, ThingFact) and _is_back(before, at):
            yield replace(fact, is_deleted=Said(Standing.BEST, at, False))
        elif before is None or says_more(before, fact, at):
            yield fact


def _is_back(before: ThingFact, at: int) -> bool:
    """Whether an earlier reading did not see what there is; a webhook's word of an end is final."""
    gone = before.is_deleted
    return gone is not None and gone.value and gone.standing == Standing.BEST and gone.at < at
