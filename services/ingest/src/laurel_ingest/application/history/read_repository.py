"""The job of a repository: reads it page by page, what comes together stored with its place."""

from dataclasses import replace
from datetime import UTC, timedelta
from functools import partial
from typing import Any, Final

import structlog

from laurel_common.clock import Clock
from laurel_common.errors import LaurelError
from laurel_ingest.application.errors import WorkSuperseded
from laurel_ingest.application.history.github import (
    GitHubHistory,
    GitHubLists,
    GitHubRateLimited,
    GoneError,
    Listing,
    Page,
)
from laurel_ingest.application.history.look_through import LookThrough
from laurel_ingest.application.history.page_group import PageGroup
from laurel_ingest.application.history.page_reader import PageReader
from laurel_ingest.application.history.page_store import PageStore
from laurel_ingest.application.history.ports import (
    BudgetStore,
    HistoryStore,
    SightingStore,
    Work,
    WorkStore,
)
from laurel_ingest.application.history.troubles import is_final
from laurel_ingest.application.history.vanished import Vanished
from laurel_ingest.domain.history.commits import Walk
from laurel_ingest.domain.history.newest import Glance
from laurel_ingest.domain.history.progress import Known, Phase, Probe, Progress
from laurel_ingest.domain.history.runs import MAX_FAILURES, pause_after
from laurel_ingest.domain.refusals import MalformedError
from laurel_ingest.domain.timestamps import epoch_seconds

log = structlog.get_logger(__name__)

# A branch that is rewritten again and again is the next run's.
_MOST_AGAIN: Final = 3


class ReadRepository:
    """Reads what has changed in a repository since the last run."""

    def __init__(
        self,
        *,
        works: WorkStore,
        histories: HistoryStore,
        budgets: BudgetStore,
        github: GitHubHistory,
        lists: GitHubLists,
        pages: PageStore,
        sightings: SightingStore,
        clock: Clock,
    ) -> None:
        self._works = works
        self._histories = histories
        self._budgets = budgets
        self._lists = lists
        self._reader = PageReader(github, budgets, clock)
        self._pages = pages
        self._look = LookThrough(self._reader, sightings, pages)
        self._vanished = Vanished(self._reader, histories, pages)
        self._clock = clock

    async def __call__(self, work_id: int) -> None:
        """One attempt, from where the last one came to. Whatever it ends in is written down."""
        work = await self._works.claim(work_id)
        if work is None:
            return
        left: Work | None = work
        try:
            while left is not None:
                left = await self._attempt(left)
        except WorkSuperseded:
            log.info("ingest_work_superseded", work_id=work_id)

    async def _attempt(self, work: Work) -> Work | None:
        """Reads a repository; answers what there is to be read once more."""
        group = self._pages.group(work)
        try:
            try:
                return await self._read(work, group)
            except GoneError:
                await group.flush()
                return await self._shown_anew(work, group)
            except (LaurelError, MalformedError):
                await group.flush()  # what came before is not asked for again
                raise
        except GitHubRateLimited as error:
            if error.is_refusal:
                await self._budgets.blocked(work.installation_id, error.until)
            await self._works.postpone(work, error.until, reason=None)
        except GoneError:
            await self._leave_out(work, "GONE")
        except MalformedError as error:
            log.warning("ingest_page_malformed", work_id=work.id, error=str(error))
            await self._leave_out(work, "MALFORMED")
        except LaurelError as error:
            await self._fail(work, error)
        finally:
            await group.close()
        return None

    async def _shown_anew(self, work: Work, group: PageGroup) -> Work:
        """The same work from what GitHub shows now, where the head is gone and not the repository.

        Raises GoneError where it is, and as PageReader does.
        """
        probe = await self._reader.probe(group)
        await group.flush()
        begun = work.progress or Progress(int(work.requested_at.astimezone(UTC).timestamp()))
        if begun.again >= _MOST_AGAIN or probe.head_sha == work.probe.head_sha:
            raise GoneError
        return await self._begin_anew(work, begun, probe, await self._known(work))

    async def _known(self, work: Work) -> Known:
        found = await self._histories.known([work.repository_id])
        return found.get(work.repository_id) or Known()

    async def _begin_anew(self, work: Work, read: Progress, probe: Probe, latest: Known) -> Work:
        now = int(self._clock.now().astimezone(UTC).timestamp())
        anew = replace(work, probe=probe, progress=read.anew(now, latest))
        await self._works.begin_anew(anew)
        return anew

    async def _fail(self, work: Work, error: LaurelError) -> None:
        log.warning("ingest_work_failed", work_id=work.id, reason=error.reason, error=str(error))
        if is_final(error) or work.failures + 1 >= MAX_FAILURES:
            await self._leave_out(work, error.reason)
            return
        pause = max(error.retry_after or timedelta(0), pause_after(work.failures + 1))
        await self._works.postpone(work, self._clock.now() + pause, reason=error.reason)

    async def _leave_out(self, work: Work, reason: str) -> None:
        now = self._clock.now()
        await self._histories.note_gap(work.installation_id, {work.repository_id: reason}, now)
        await self._works.end(work, now, left_out=reason, note=None)

    async def _read(self, work: Work, group: PageGroup) -> Work | None:
        known, progress = await self._known(work), work.progress
        if progress is None:
            glance = await self._glance(group, known)
            if work.is_only_watched and (glance is None or not glance.differing):
                await group.flush()
                await self._end(work, known)
                return None
            at = int(work.requested_at.astimezone(UTC).timestamp())
            progress = Progress.beginning(at, work.probe, known, glance)
            self._pages.repository(group, progress.at, progress, walked=False)
        while progress.phase is not Phase.END:
            progress = await self._step(group, known, progress)
        await group.flush()
        anew = await self._anew(group, progress)
        if anew is not None:
            return anew
        if not await self._save(work, known, progress):
            return replace(work, progress=progress)  # somebody was faster by a moment
        await self._end(work, known)
        return None

    async def _glance(self, group: PageGroup, known: Known) -> Glance | None:
        """The newest pages, where they are asked for; before anything is read, so that what
        changes meanwhile differs from them. Of what is unchanged only those that were seen before.
        """
        work = group.work
        if not work.is_watched:
            return None
        budget = await self._budgets.load(work.installation_id)
        if budget.wait_until(self._clock.now()) is not None:
            return None
        glance, requests = await self._lists.glance(
            work.installation_id,
            work.probe.full_name,
            known.etags,
            anyway=not work.is_only_watched,
        )
        group.note_listed(requests)
        return glance

    async def _step(self, group: PageGroup, known: Known, progress: Progress) -> Progress:
        match progress.phase:
            case Phase.COMMITS:
                return await self._commits(group, known, progress)
            case Phase.LOST_COMMITS:
                return await self._walk_ended(group, known, progress)
            case Phase.PULLS | Phase.ISSUES:
                return await self._things(group, known, progress)
            case Phase.PULL_NUMBERS | Phase.ISSUE_NUMBERS:
                return await self._vanished.step(group, known, progress)
            case Phase.ALL_PULLS | Phase.ALL_ISSUES:
                return await self._look.page(group, progress, self._more(group))
            case _:
                return await self._look.unseen(group, progress)

    async def _commits(self, group: PageGroup, known: Known, progress: Progress) -> Progress:
        """A page of commits."""
        work = group.work
        head = work.probe.head_sha
        is_known = head is not None and head == known.head_sha
        is_known = is_known and not (progress.again or known.is_rewritten)
        if work.probe.is_fork:
            return progress.without_lost_commits()
        if is_known and not work.is_looked_through:
            return await self._known_commits(group, known, progress)
        if is_known:
            return progress.next_phase()  # a clone may have told of commits since
        if head is None:
            return progress.next_phase()
        since = work.since if known.head_sha is None and not progress.again else None
        variables = {"head": head, "since": since.isoformat() if since else None}
        page, progress = await self._reader.page(group, Listing.COMMITS, progress, variables)
        walk = await self._walked(group, known, progress, page)
        following = replace(progress, after=page.after, walk=walk, commits_total=page.total)
        if walk.is_done and not walk.met_old_head:
            following = following.from_the_start()  # a forced push: look at everything there is
        elif page.after is None or walk.is_done:
            is_whole = since is None
            following = following.next_phase() if is_whole else following.without_lost_commits()
        await self._pages.commits(group, page.nodes, progress.at, following)
        return following

    async def _known_commits(self, group: PageGroup, known: Known, progress: Progress) -> Progress:
        """The newest commits, if they may be others' than is known; past commits."""
        following = progress.without_lost_commits()
        if progress.commits_differ and known.walked_at is not None:
            variables = {"head": known.head_sha, "since": None}
            page, progress = await self._reader.page(group, Listing.COMMITS, progress, variables)
            await self._look.commits(group, page, progress, following, known.walked_at)
        return following

    async def _walk_ended(self, group: PageGroup, known: Known, progress: Progress) -> Progress:
        """Everything on the branch is known; what stands as met and was not is lost."""
        # A walk to what is known may have overtaken one that came to no end.
        above = 0 if progress.walk.open is None else known.walked_at or 0
        lost = partial(self._histories.lost, group.work.repository_id, above, progress.at)
        if await lost():
            await group.flush()  # which has met some of them again
            while shas := await lost():
                await self._pages.lost(group, shas, progress)
                await group.flush()
        following = progress.next_phase()
        self._pages.repository(group, progress.at, following, walked=True)
        return following

    async def _walked(self, group: PageGroup, known: Known, progress: Progress, page: Page) -> Walk:
        """The walk behind a page; asks which of its commits were met before."""
        if progress.walk.open is None:
            return progress.walk
        await group.flush()
        shas = {node["oid"] for node in page.nodes} | progress.walk.open
        shas |= {each["oid"] for node in page.nodes for each in node["parents"]["nodes"]}
        times = await self._histories.walked(group.work.repository_id, shas)
        before = {sha for sha, at in times.items() if at <= (known.walked_at or 0)}
        met = {sha for sha, at in times.items() if at == progress.at}
        return progress.walk.step(page.nodes, before, met)

    async def _things(self, group: PageGroup, known: Known, progress: Progress) -> Progress:
        """A page of pull requests or issues, newest change first, down to what is known."""
        work, is_pulls = group.work, progress.phase is Phase.PULLS
        if work.is_looked_through:
            return progress.next_phase()
        floor = known.pulls_until if is_pulls else known.issues_until
        if known.pulls_total is None and work.since is not None:
            floor = int(work.since.timestamp())
        listing = Listing.PULLS if is_pulls else Listing.ISSUES
        is_newest = progress.after is None and progress.things_differ
        page, progress = await self._reader.page(group, listing, progress, {})
        fresh = [
            node
            for node in page.nodes
            if floor is None or epoch_seconds(node["updatedAt"]) >= floor
        ]
        following = replace(progress, after=page.after)
        if page.after is None or len(fresh) < len(page.nodes):
            following = progress.next_phase()
        more = self._more(group)
        if is_newest and known.pulls_total is not None:
            await self._look.newest(group, page, progress, following, more)
        else:
            await self._pages.things(group, fresh, progress, following, more)
        return following

    def _more(self, group: PageGroup) -> Any:
        async def more(listing: Listing, node_id: str, after: str) -> Page:
            page, _ = await self._reader.page(
                group, listing, Progress(0, after=after, size=50), {"id": node_id}
            )
            return page

        return more

    async def _anew(self, group: PageGroup, progress: Progress) -> Work | None:
        """The same work from what GitHub shows now, where another reading of the repository has
        left another head meanwhile, or its history was rewritten: what was read of one that is
        gone can't be told by what is new.
        """
        work = group.work
        if progress.again >= _MOST_AGAIN:
            return None
        latest = await self._known(work)
        is_overtaken = (
            latest.walked_at != progress.walked_before and latest.head_sha != work.probe.head_sha
        )
        if not is_overtaken and not await self._histories.rewritten_since(
            work.repository_id, progress.at
        ):
            return None
        probe = await self._reader.probe(group)
        await group.flush()
        if not is_overtaken and probe.head_sha == work.probe.head_sha:
            return None
        log.info("ingest_work_begins_anew", work_id=work.id, is_overtaken=is_overtaken)
        return await self._begin_anew(work, progress, probe, latest)

    async def _save(self, work: Work, known: Known, progress: Progress) -> bool:
        """Notes what is known now; False where another reading was faster."""
        probe = work.probe
        if work.since is not None and known.pulls_total is None:
            return True
        walked = not probe.is_fork and probe.head_sha is not None
        same = probe.head_sha == known.head_sha and progress.commits_total is None
        values = {
            "at": progress.at,
            "head_sha": probe.head_sha if walked else None,
            "walked_at": (known.walked_at if same else progress.at) if walked else None,
            "commits_total": progress.commits_total if probe.head_sha else 0,
            "pulls_until": probe.pulls_until,
            "issues_until": probe.issues_until,
            "pulls_total": probe.pulls_total,
            "issues_total": probe.issues_total,
        }
        before = known.walked_at if progress.again >= _MOST_AGAIN else progress.walked_before
        etags = None if progress.glance is None else progress.glance.etags
        return await self._histories.save(
            work, values, self._clock.now(), walked_before=before, etags=etags
        )

    async def _end(self, work: Work, known: Known) -> None:
        probe = work.probe
        note = "RENAMED" if probe.full_name.lower() != work.full_name.lower() else None
        if probe.head_sha is None and known.head_sha is not None:
            note = "EMPTIED"
        await self._works.end(work, self._clock.now(), left_out=None, note=note)
