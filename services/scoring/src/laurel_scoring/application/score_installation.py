"""The job: reads an installation's inputs, computes its boards, publishes each as it is made."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import structlog

from laurel_common.clock import Clock
from laurel_scoring.application.inputs import ReadInputs
from laurel_scoring.application.known_boards import Known, KnownBoards, Publication
from laurel_scoring.application.noting import Notes, noting
from laurel_scoring.application.ports import Boards, PresetStore, PublicationHeader, RunStore
from laurel_scoring.domain.canonical import rules_to_json
from laurel_scoring.domain.digests import FamilyChanges
from laurel_scoring.domain.engine import Evaluation
from laurel_scoring.domain.periods import Windows, to_microseconds
from laurel_scoring.domain.rules import DEFAULT_RULES
from laurel_scoring.domain.runs import (
    Change,
    Run,
    RunReason,
    RunResult,
    pause_before,
    reason_of,
    worth_retrying,
)
from laurel_scoring.domain.vocabulary import TimePeriod

log = structlog.get_logger(__name__)

# What is due so soon is done along with what is due already.
_SOON = timedelta(minutes=2)


class ScoreInstallation:
    """Works on an installation's open run, if it has one, and lets no failure pass unrecorded."""

    def __init__(
        self,
        *,
        presets: PresetStore,
        runs: RunStore,
        inputs: ReadInputs,
        boards: Boards,
        clock: Clock,
        attempt_seconds: float = 900.0,
    ) -> None:
        self._presets = presets
        self._runs = runs
        self._inputs = inputs
        self._boards = boards
        self._clock = clock
        self._attempt_seconds = attempt_seconds
        self._known = KnownBoards()

    async def __call__(self, installation_id: int) -> None:
        """Makes one attempt. Ends well whatever the attempt comes to, unless it is cancelled or
        the outcome can't be written down: then the run stays open and is begun again.
        """
        run = await self._runs.claim(installation_id, self._clock.now())
        if run is None:
            return
        try:
            async with asyncio.timeout(self._attempt_seconds), noting(self._runs, run) as notes:
                result, known = await self._attempt(run, notes)
        except Exception as error:  # an attempt may end in any way; the run's row says in which
            await self._record(run, error)
        else:
            await self._runs.succeed(run, result, self._clock.now())
            if known is not None:
                self._known.keep(installation_id, known)
            log.info(
                "scored",
                installation_id=installation_id,
                run_id=run.id,
                boards=result.boards_total,
                signals=result.signal_count,
            )

    async def _attempt(self, run: Run, notes: Notes) -> tuple[RunResult, Known | None]:
        installation_id = run.installation_id
        mark = await self._mark(run)
        as_of = self._clock.now()
        periods = await self._periods(run, as_of)
        await self._presets.ensure_default(installation_id, DEFAULT_RULES)
        preset = await self._presets.get(installation_id, 0)
        known = self._known.take(installation_id)
        if known and known.run_id != await self._runs.newest_success(installation_id):
            known = None  # another process has published meanwhile
        inputs = await self._inputs(installation_id, until=as_of, on_read=notes.read)
        windows = Windows.of_periods(to_microseconds(as_of), sorted(periods))
        header = PublicationHeader(
            installation_id=installation_id,
            preset_id=preset.id,
            organization_id=inputs.roster.organization_id,
            as_of=as_of,
            rules_json=rules_to_json(preset.rules),
            input_mark=inputs.mark,
            periods=windows.periods,
            stale_mark=mark,
        )
        scopes = None
        if known is not None:
            scopes = await asyncio.to_thread(known.touched_scopes, header, inputs, windows)
        evaluation = Evaluation(inputs.timeline, inputs.roster, preset.rules, windows, scopes)
        publication = Publication(header, evaluation, None if scopes is None else known)
        notes.publishing(len(inputs.signals), evaluation.board_count())
        boards = await self._boards.publish(
            header, computed_ahead(publication), notes.published, publication.unchanged
        )
        result = RunResult(
            as_of=as_of,
            preset_id=preset.id,
            input_mark=inputs.mark,
            boards_total=boards,
            boards_published=boards,
            signal_count=len(inputs.signals),
            periods=periods,
        )
        return result, publication.known_after(run.id, inputs)

    async def _mark(self, run: Run) -> int:
        """The mark that this attempt settles; 0 for none.

        Before anything is read: what changes from here on has a higher mark, and stays marked
        although this attempt publishes later. Each attempt marks again; its mark covers those of
        the attempts that came to nothing. That time passes is no change.
        """
        if run.reason is RunReason.SCHEDULED:
            return 0
        return await self._boards.mark_stale(run.installation_id, Change.SIGNALS)

    async def _periods(self, run: Run, as_of: datetime) -> frozenset[TimePeriod]:
        """All periods after a change, those that are due where only time has passed."""
        if run.reason is not RunReason.SCHEDULED:
            return frozenset(TimePeriod)
        due = await self._runs.due_periods(run.installation_id, as_of + _SOON)
        return due or frozenset({TimePeriod.TODAY})

    async def _record(self, run: Run, error: Exception) -> None:
        reason = reason_of(error)
        again = worth_retrying(error, run.attempts)
        log.warning(
            "scoring_attempt_failed",
            installation_id=run.installation_id,
            run_id=run.id,
            attempt=run.attempts,
            reason=reason,
            again=again,
            exc_info=error if reason == "INTERNAL" else None,
            error=str(error),
        )
        now = self._clock.now()
        if again:
            await self._runs.retry(run, reason, now + pause_before(run.attempts + 1))
        else:
            await self._runs.fail(run, reason, now)


async def computed_ahead(publication: Publication) -> AsyncIterator[FamilyChanges]:
    """The families of a publication; while one is being sent, a thread computes the next."""
    families = publication.families()
    following = asyncio.create_task(asyncio.to_thread(next, families, None))
    try:
        while (family := await following) is not None:
            following = asyncio.create_task(asyncio.to_thread(next, families, None))
            yield family
    finally:
        following.cancel()
