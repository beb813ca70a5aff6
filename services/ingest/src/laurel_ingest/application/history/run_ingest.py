"""The job of a run: finds out what has changed, and ends the run when all of it has been read."""

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

import structlog

from laurel_common.clock import Clock
from laurel_common.errors import LaurelError
from laurel_ingest.application.follow_boards import BulkWrite
from laurel_ingest.application.history.github import (
    GitHubHistory,
    GitHubLists,
    GitHubRateLimited,
    GitHubUnavailable,
    TooHeavyError,
)
from laurel_ingest.application.history.ports import (
    BudgetStore,
    HistoryStore,
    PlannedRepository,
    Roster,
    RunStore,
)
from laurel_ingest.application.history.troubles import is_final
from laurel_ingest.domain.history import newest
from laurel_ingest.domain.history.look_through import turns
from laurel_ingest.domain.history.progress import Known, Probe
from laurel_ingest.domain.history.runs import MAX_PLANS, Run, RunState, pause_after

log = structlog.get_logger(__name__)

PROBED_AT_ONCE: Final = 50
Shown: TypeAlias = tuple[PlannedRepository, Probe]


class RunIngest:
    """Takes an open run on; whatever stops it is tried again, or is the end of the run."""

    def __init__(
        self,
        *,
        runs: RunStore,
        histories: HistoryStore,
        budgets: BudgetStore,
        github: GitHubHistory,
        lists: GitHubLists,
        roster: Roster,
        clock: Clock,
        bulk: BulkWrite,
    ) -> None:
        """`bulk` learns that nothing more comes, so that boards follow at once."""
        self._runs = runs
        self._histories = histories
        self._budgets = budgets
        self._github = github
        self._lists = lists
        self._roster = roster
        self._clock = clock
        self._bulk = bulk

    async def __call__(self, run_id: int) -> None:
        """Plans a run, or ends one whose repositories have all been read."""
        run = await self._runs.claim(run_id, self._clock.now())
        if run is None:
            return
        try:
            if not run.is_planned:
                await self._plan(run)
            if await self._runs.is_read(run.id):
                await self._finish(run)
        except GitHubRateLimited as error:
            if error.is_refusal:
                await self._budgets.blocked(run.scope.installation_id, error.until)
            await self._runs.postpone(run.id, error.until)
        except LaurelError as error:
            log.warning("ingest_run_failed", run_id=run.id, reason=error.reason, error=str(error))
            if is_final(error):
                now = self._clock.now()
                await self._runs.finish(run, RunState.FAILED, error.reason, now)
            else:
                await self._runs.postpone(run.id, self._clock.now() + pause_after(run.attempts))

    async def _plan(self, run: Run) -> None:
        repositories = await self._roster.repositories(run.scope)
        shown, left_out = await self._shown(run, repositories)
        ids = [one.repository_id for one, _ in shown]
        known = await self._histories.known(ids)
        now = self._clock.now()
        probes = [probe for _, probe in shown]
        looks = run.is_reconciling and not run.is_urgent
        due = turns(probes, known, int(now.timestamp())) if looks else set()
        changed: list[Shown] = []
        same: list[Shown] = []
        for one, probe in shown:
            is_due = one.repository_id in due
            is_same = probe.is_unchanged(known.get(one.repository_id)) and not is_due
            (same if is_same else changed).append((one, probe))
        probed = -(-len(repositories) // PROBED_AT_ONCE)
        watched = await self._watched(run, probed, changed, known)
        only_watched = [each for each in same if each[0].repository_id in watched]
        unchanged = [one for one, _ in same if one.repository_id not in watched]
        gaps = {one.repository_id: reason for one, reason in left_out}
        await self._histories.note_gap(run.scope.installation_id, gaps, now)
        await self._runs.plan(
            run,
            changed + only_watched,
            unchanged,
            left_out,
            now,
            looked_through=due,
            watched=watched,
            only_watched=[one.repository_id for one, _ in only_watched],
        )

    async def _shown(
        self, run: Run, repositories: Sequence[PlannedRepository]
    ) -> tuple[list[Shown], list[tuple[PlannedRepository, str]]]:
        """What GitHub shows of repositories, and which ones are left out, and why."""
        account = await self._roster.account(run.scope.installation_id)
        shown: list[Shown] = []
        left_out: list[tuple[PlannedRepository, str]] = []
        for start in range(0, len(repositories), PROBED_AT_ONCE):
            some = repositories[start : start + PROBED_AT_ONCE]
            for one, probe in zip(some, await self._probe(run, some), strict=True):
                if isinstance(probe, str):
                    left_out.append((one, probe))
                elif probe.repository_id != one.repository_id:
                    left_out.append((one, "NAME_TAKEN"))
                elif probe.full_name.partition("/")[0].lower() != account.login.lower():
                    left_out.append((one, "TRANSFERRED"))
                else:
                    shown.append((one, probe))
        failing = any(reason == GitHubUnavailable.reason for _, reason in left_out)
        if failing and run.attempts < MAX_PLANS:
            raise GitHubUnavailable  # it may be GitHub, and not the repository
        return shown, left_out

    async def _watched(
        self, run: Run, probed: int, changed: Sequence[Shown], known: Mapping[int, Known]
    ) -> set[int]:
        """Of which repositories the newest pages are asked for."""
        if run.is_urgent:
            return set()
        installation_id = run.scope.installation_id
        held: dict[int, int] = {}
        if any(each.etags is not None for each in known.values()):
            mark = await self._lists.mark(installation_id)
            held = {
                repository_id: each.etags_at or 0
                for repository_id, each in known.items()
                if each.etags is not None and each.etags.given_to == mark
            }
        busy = [
            (probe.repository_id, max(probe.pulls_until or 0, probe.issues_until or 0))
            for _, probe in changed
            # What a first run reads in part only is not known as it was.
            if run.history_since is None or probe.repository_id in known
        ]
        return newest.watched(probed, held, busy)

    async def _probe(self, run: Run, some: Sequence[PlannedRepository]) -> list[Probe | str]:
        """What GitHub shows of some repositories, or why it does not; of fewer at once where they
        are too many.
        """
        installation_id = run.scope.installation_id
        budget = await self._budgets.load(installation_id)
        wait = budget.wait_until(self._clock.now(), is_urgent=run.is_urgent)
        if wait is not None:
            raise GitHubRateLimited(wait, is_refusal=False)
        try:
            names = [one.full_name for one in some]
            nodes, points = await self._github.probe(installation_id, names)
        except TooHeavyError:
            if len(some) == 1:
                return [GitHubUnavailable.reason]
            half = len(some) // 2
            return await self._probe(run, some[:half]) + await self._probe(run, some[half:])
        await self._budgets.told(installation_id, points)
        return ["GONE" if node is None else Probe.of(node) for node in nodes]

    async def _finish(self, run: Run) -> None:
        run = await self._runs.get(run.scope.installation_id, run.id)
        reasons = [each.reason for each in run.troubles if each.is_left_out]
        if reasons and len(reasons) == run.repositories_total:
            await self._runs.finish(run, RunState.FAILED, reasons[0], self._clock.now())
            return
        await self._runs.finish(run, RunState.SUCCEEDED, None, self._clock.now())
        self._bulk.ended(run.scope.installation_id)
        log.info("ingested", run_id=run.id, new=run.new_count, points=run.point_count)
