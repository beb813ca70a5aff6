"""Pages into facts, and facts into signals, together with the place where the next page begins."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC
from typing import TypeAlias

from laurel_common.clock import Clock
from laurel_ingest.application.batch_facts import BatchFacts
from laurel_ingest.application.batch_store import BatchStore, Stored
from laurel_ingest.application.enrolment import Enrolment
from laurel_ingest.application.history.github import Listing, Page
from laurel_ingest.application.history.ports import Work, WorkStore
from laurel_ingest.application.ports import Directory, Storage, UnitOfWork
from laurel_ingest.domain.facts import CommitFact, Fact, IssueFact, PullFact, RepositoryFact
from laurel_ingest.domain.findings import Findings, Owner
from laurel_ingest.domain.history import nodes
from laurel_ingest.domain.history.commits import commit
from laurel_ingest.domain.history.progress import Phase, Progress
from laurel_ingest.domain.json_values import JsonObject
from laurel_ingest.domain.registers import Said, Standing
from laurel_ingest.domain.snapshots import number_of

More: TypeAlias = Callable[[Listing, str, str], Awaitable[Page]]
"""Asks for more of one thing: which list, the thing's node id, where the page before ended."""


class PageStore:
    """Stores pages; one memory of whom the directory knows serves all of them."""

    def __init__(
        self, storage: Storage, directory: Directory, works: WorkStore, clock: Clock
    ) -> None:
        self._enrolment = Enrolment(directory, storage)
        self._store = BatchStore(storage)
        self._works = works
        self._clock = clock

    async def commits(self, work: Work, page: Page, at: int, following: Progress) -> None:
        """A page of commits."""
        reading = _reading(work, at)
        found = await asyncio.to_thread(lambda: [commit(reading, node) for node in page.nodes])
        await self.save(work, found, following)

    async def lost(self, work: Work, shas: Sequence[str], progress: Progress) -> None:
        """Commits that are not on the default branch any more."""
        said = Said(Standing.BEST, progress.at, False)
        facts: list[Fact] = [
            CommitFact(work.repository_id, sha, standing=Standing.BEST, walked=said) for sha in shas
        ]
        await self.save(work, [Findings(Standing.BEST, progress.at, facts)], progress)

    async def vanished(
        self, work: Work, kind: str, numbers: Sequence[int], following: Progress
    ) -> None:
        """Pull requests or issues that GitHub has no more."""
        said = Said(Standing.BEST, following.at, True)
        make: type[PullFact] | type[IssueFact] = PullFact if kind == PullFact.kind else IssueFact
        facts: list[Fact] = [
            make(work.repository_id, str(each), standing=Standing.BEST, is_deleted=said)
            for each in numbers
        ]
        await self.save(work, [Findings(Standing.BEST, following.at, facts)], following)

    async def repository(self, work: Work, at: int, following: Progress, *, walked: bool) -> None:
        """The repository itself; `walked`: its whole default branch is known as of `at`."""
        found = Findings(Standing.BEST, at)
        found.facts.append(
            RepositoryFact(
                work.repository_id,
                default_branch=found.said(work.probe.default_branch),
                is_fork=found.said(work.probe.is_fork),
                history_at=found.said(at) if walked else None,
            )
        )
        await self.save(work, [found], following)

    async def read_things(
        self, work: Work, page: Sequence[JsonObject], progress: Progress, more: More
    ) -> list[Findings]:
        """Pull requests or issues with everything that hangs on them, however much it is."""
        reading = _reading(work, progress.at)
        read = nodes.pull_request if progress.phase is Phase.PULLS else nodes.issue
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

    async def save(self, work: Work, found: Sequence[Findings], following: Progress) -> None:
        """What was found, with the place where the next page begins; all of it or nothing.

        Raises WorkSuperseded, and the typed errors of database and directory.
        """
        now = int(self._clock.now().astimezone(UTC).timestamp())
        told = BatchFacts()
        owner = Owner(work.probe.full_name.partition("/")[0])
        for findings in found:
            told.add(findings, work.repository_id, work.probe.full_name, owner)
        told.repositories.setdefault(work.repository_id, work.probe.full_name)
        told.owners.setdefault(owner.login.lower(), owner)
        told.last_at = min(max(told.last_at, following.at), now)
        await self._enrolment.enter(told)

        async def advance(unit: UnitOfWork, stored: Stored) -> None:
            await self._works.advance(unit, work, following, stored.by_type, stored.withdrawn)

        installations = {work.repository_id: work.installation_id}
        await self._store.store(told, installations, now, finally_=advance)


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
