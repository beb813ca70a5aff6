"""Looks through all of a repository's pull requests and issues, or through the newest of them, and
keeps what is new in them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from laurel_ingest.application.history.github import Listing, Page
from laurel_ingest.application.history.page_group import PageGroup
from laurel_ingest.application.history.page_reader import PageReader
from laurel_ingest.application.history.page_store import More, PageStore, gone
from laurel_ingest.application.history.ports import NewestPage, SightingStore
from laurel_ingest.domain.facts import (
    CommitFact,
    Fact,
    FactKey,
    IssueFact,
    PullFact,
    ThingFact,
    key_of,
    says_more,
)
from laurel_ingest.domain.findings import Findings
from laurel_ingest.domain.history.commits import commits
from laurel_ingest.domain.history.nodes import Reading, has_gaps
from laurel_ingest.domain.history.progress import Phase, Progress
from laurel_ingest.domain.registers import Said, Standing
from laurel_ingest.domain.snapshots import number_of
from laurel_ingest.domain.timestamps import epoch_seconds

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
        seen = await self._seen(group, page, progress, more)
        await self._sightings.see(work.repository_id, seen.things, progress.at)
        news = await self._news(seen.found, progress.at)
        progress = replace(progress, has_gaps=progress.has_gaps or not seen.is_whole)
        following = replace(progress, after=page.after)
        if page.after is None:
            following = progress.next_phase()
        await group.add(news, following)
        return following

    async def newest(
        self, group: PageGroup, page: Page, progress: Progress, following: Progress, more: More
    ) -> None:
        """The first page by newest update, whole, however old: what is known of its things and it
        does not show is gone, as is whatever is newer than the page reaches back.
        """
        work = group.work
        seen = await self._seen(group, page, progress, more)
        news = await self._news(seen.found, progress.at)
        if seen.is_whole:
            updates = [epoch_seconds(node["updatedAt"]) for node in page.nodes]
            spoken_of = NewestPage(
                PullFact.kind if progress.phase is Phase.PULLS else IssueFact.kind,
                [number_of(node) for node in page.nodes],
                -1 if page.after is None else min(updates),
            )
            missing = await self._sightings.missing(
                work.repository_id, seen.things, spoken_of, progress.at - _TOLERANCE
            )
            news.append(gone(work.repository_id, missing, progress.at))
        await group.add(news, following)

    async def commits(
        self, group: PageGroup, page: Page, progress: Progress, following: Progress, walked_at: int
    ) -> None:
        """The newest commits, all of them known: whose they are may be known only now. They stay
        met by the walk of `walked_at`, which this is none of.
        """
        work = group.work
        reading = Reading(work.repository_id, work.probe.full_name, progress.at)
        found = commits(reading, page.nodes)
        walked = Said(Standing.BEST, walked_at, True)
        found.facts = [
            replace(each, walked=walked) for each in found.facts if isinstance(each, CommitFact)
        ]
        await group.add(await self._news([found], progress.at), following)

    async def _seen(self, group: PageGroup, page: Page, progress: Progress, more: More) -> "_Seen":
        is_whole = not page.has_gaps and not any(map(has_gaps, page.nodes))

        async def noted(listing: Listing, node_id: str, after: str) -> Page:
            nonlocal is_whole
            rest = await more(listing, node_id, after)
            is_whole = is_whole and not rest.has_gaps and not any(map(has_gaps, rest.nodes))
            return rest

        found = await self._pages.found(group.work, page.nodes, progress, noted)
        return _Seen(found, is_whole)

    async def _news(self, found: Sequence[Findings], at: int) -> list[Findings]:
        """What of some findings is not known yet."""
        keys = [key_of(fact) for each in found for fact in each.facts]
        known = await self._sightings.facts(keys)
        return [replace(each, facts=list(_changed(each.facts, known, at))) for each in found]

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


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a page showed with everything that hangs on it, and whether GitHub could show all."""

    found: list[Findings]
    is_whole: bool

    @property
    def things(self) -> set[tuple[str, str]]:
        """By kind and identity."""
        return {(fact.kind, fact.identity) for each in self.found for fact in each.facts}


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
