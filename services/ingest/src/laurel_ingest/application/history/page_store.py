"""Pages into facts, and facts into signals, together with the place where the next page begins."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC
from typing import TypeAlias

from laurel_common.clock import Clock
from laurel_ingest.application.batch_store import BatchStore, Stored
from laurel_ingest.application.enrolment import Enrolment
from laurel_ingest.application.follow_boards import BulkWrite
from laurel_ingest.application.history.github import Listing, Page
from laurel_ingest.application.history.page_group import PageGroup, Pages
from laurel_ingest.application.history.ports import Work, WorkStore
from laurel_ingest.application.ports import Directory, Storage, UnitOfWork
from laurel_ingest.domain.facts import (
    FACT_TYPES,
    CommitFact,
    Fact,
    IssueFact,
    PullFact,
    RepositoryFact,
    ThingFact,
)
from laurel_ingest.domain.findings import Findings
from laurel_ingest.domain.history import nodes
from laurel_ingest.domain.history.commits import commits
from laurel_ingest.domain.history.progress import Phase, Progress
from laurel_ingest.domain.json_values import JsonObject
from laurel_ingest.domain.registers import Said, Standing
from laurel_ingest.domain.snapshots import number_of

More: TypeAlias = Callable[[Listing, str, str], Awaitable[Page]]
"""Asks for more of one thing: which list, the thing's node id, where the page before ended."""


class PageStore:
    """Stores pages; one memory of whom the directory knows serves all of them."""

    def __init__(
        self,
        storage: Storage,
        directory: Directory,
        works: WorkStore,
        clock: Clock,
        bulk: BulkWrite,
    ) -> None:
        """`bulk` learns what is written, so that boards follow it seldom while much comes."""
        self._storage = storage
        self._enrolment = Enrolment(directory, storage)
        self._store = BatchStore(storage)
        self._works = works
        self._bulk = bulk
        self._clock = clock

    def group(self, work: Work) -> PageGroup:
        """What an attempt's pages are added to; whoever reads what they changed flushes it."""
        return PageGroup(work, self._save, self._clock)

    async def commits(
        self, group: PageGroup, page: Sequence[JsonObject], at: int, following: Progress
    ) -> None:
        """Commits of a page: read at once, since handing them to a thread would take as long."""
        await group.add([commits(_reading(group.work, at), page)], following)

    async def lost(self, group: PageGroup, shas: Sequence[str], progress: Progress) -> None:
        """Commits that are not on the default branch any more."""
        said = Said(Standing.BEST, progress.at, False)
        repository_id = group.work.repository_id
        facts: list[Fact] = [
            CommitFact(repository_id, sha, standing=Standing.BEST, walked=said) for sha in shas
        ]
        await group.add([Findings(Standing.BEST, progress.at, facts)], progress)

    async def vanished(
        self, group: PageGroup, kind: str, numbers: Sequence[int], following: Progress
    ) -> None:
        """Pull requests or issues that GitHub has no more."""
        said = Said(Standing.BEST, following.at, True)
        make: type[PullFact] | type[IssueFact] = PullFact if kind == PullFact.kind else IssueFact
        repository_id = group.work.repository_id
        facts: list[Fact] = [
            make(repository_id, str(each), standing=Standing.BEST, is_deleted=said)
            for each in numbers
        ]
        await group.add([Findings(Standing.BEST, following.at, facts)], following)

    async def unseen(
        self, group: PageGroup, keys: Sequence[tuple[str, str]], following: Progress
    ) -> None:
        """Things of any kind, by kind and identity, that GitHub has no more."""
        await group.add([gone(group.work.repository_id, keys, following.at)], following)

    def repository(self, group: PageGroup, at: int, following: Progress, *, walked: bool) -> None:
        """The repository itself, for the next page to be stored with.

        `walked`: its whole default branch is known as of `at`. Told before its commits, it makes
        none of them be looked at again.
        """
        found, probe = Findings(Standing.BEST, at), group.work.probe
        found.facts.append(
            RepositoryFact(
                group.work.repository_id,
                default_branch=found.said(probe.default_branch),
                is_fork=found.said(probe.is_fork),
                history_at=found.said(at) if walked else None,
            )
        )
        group.take([found], following)

    async def things(
        self,
        group: PageGroup,
        page: Sequence[JsonObject],
        progress: Progress,
        following: Progress,
        more: More,
    ) -> None:
        """Pull requests or issues with everything that hangs on them, however much it is."""
        await group.add(await self.found(group.work, page, progress, more), following)

    async def found(
        self, work: Work, page: Sequence[JsonObject], progress: Progress, more: More
    ) -> list[Findings]:
        """What `things` stores, for whoever leaves some of it out."""
        reading = _reading(work, progress.at)
        is_pulls = progress.phase in {Phase.PULLS, Phase.ALL_PULLS}
        read = nodes.pull_request if is_pulls else nodes.issue
        found = await asyncio.to_thread(lambda: [read(reading, node) for node in page])
        for node, findings in zip(page, found, strict=True):
            number = number_of(node)
            await self._reviews(reading, findings, node, number, more)
            async for each in _rest(node, "comments", Listing.MORE_COMMENTS, more):
                nodes.comment(reading, findings, each, number)
        return found

    async def _reviews(
        self,
        reading: nodes.Reading,
        findings: Findings,
        node: JsonObject,
        number: str,
        more: More,
    ) -> None:
        reviews = list(nodes.nodes_of(node, "reviews"))
        async for each in _rest(node, "reviews", Listing.MORE_REVIEWS, more):
            nodes.review(reading, findings, each, number, {})
            reviews.append(each)
        for review in reviews:
            async for each in _rest(review, "comments", Listing.MORE_REVIEW_COMMENTS, more):
                nodes.review_comment(reading, findings, each, number)

    async def _save(self, work: Work, pages: Pages) -> None:
        """What was found, with the place where the next page begins, and what it has cost."""
        told, place = pages.told, pages.place
        if place is not None and told.facts:
            now = int(self._clock.now().astimezone(UTC).timestamp())
            told.repositories.setdefault(work.repository_id, work.probe.full_name)
            told.last_at = min(max(told.last_at, place.at), now)
            await self._enrolment.enter(told)
            installation_id = work.installation_id

            async def advance(unit: UnitOfWork, stored: Stored) -> None:
                await self._works.advance(unit, work, place, stored.by_type, stored.withdrawn)
                await self._works.note_asked(unit, work, pages.asked, pages.listed)

            self._bulk.begins(of=installation_id)
            try:
                installations = {work.repository_id: installation_id}
                await self._store.store(told, installations, now, finally_=advance)
            finally:
                self._bulk.wrote([installation_id], of=installation_id)
        elif pages.asked or pages.listed:
            async with self._storage.transaction() as unit:
                if place is not None:
                    await self._works.advance(unit, work, place, {}, 0)
                await self._works.note_asked(unit, work, pages.asked, pages.listed)


def gone(repository_id: int, keys: Iterable[tuple[str, str]], at: int) -> Findings:
    """That things of any kind, by kind and identity, were no more at a time."""
    said = Said(Standing.BEST, at, True)
    facts: list[Fact] = [
        replace(fact, standing=Standing.BEST, is_deleted=said)
        for kind, identity in keys
        if isinstance(fact := FACT_TYPES[kind](repository_id, identity), ThingFact)
    ]
    return Findings(Standing.BEST, at, facts)


def _reading(work: Work, at: int) -> nodes.Reading:
    return nodes.Reading(work.repository_id, work.probe.full_name, at)


async def _rest(
    node: JsonObject, name: str, listing: Listing, more: More
) -> AsyncIterator[JsonObject]:
    """What a thing has more of than its page showed."""
    info = (node.get(name) or {}).get("pageInfo") or {}
    after = info.get("endCursor") if info.get("hasNextPage") else None
    while after is not None:
        page = await more(listing, node["id"], after)
        for each in page.nodes:
            yield each
        after = page.after
