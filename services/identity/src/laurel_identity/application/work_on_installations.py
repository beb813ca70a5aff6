"""The job: carries out what has to be done about an account's installations in all services."""

from datetime import timedelta

import structlog

from laurel_common.clock import Clock
from laurel_common.errors import LaurelError
from laurel_identity.application.work_ports import HistoryMover, Works
from laurel_identity.domain.works import Heir, Work, WorkKind, WorkOutcome, pause_after

log = structlog.get_logger(__name__)

# Installing the App on the account that a repository was transferred to ends the wait at once.
_WAIT = timedelta(days=1)


class HeirMissing(Exception):
    """A repository's account has no installation yet that its signals could move into."""


class WorkOnInstallations:
    """Each step can be taken again: whatever dies, an attempt begins from the first one."""

    def __init__(self, works: Works, history: HistoryMover, clock: Clock) -> None:
        self._works = works
        self._history = history
        self._clock = clock

    async def __call__(self, account_id: int) -> None:
        """Works off what the account has open, until something has to wait."""
        while work := await self._works.claim(account_id, self._clock.now()):
            try:
                outcome = await self._do(work)
            except HeirMissing:
                await self._works.retry(work, "HEIR_MISSING", self._clock.now() + _WAIT)
                return
            except Exception as error:  # however an attempt ends, the work's row says it
                await self._put_off(work, error)
                return
            await self._works.finish(work, outcome, self._clock.now())
            log.info(
                "installation_worked_on",
                kind=work.kind,
                installation_id=work.installation_id,
                into_installation_id=work.into_installation_id,
                outcome=outcome,
            )

    async def _do(self, work: Work) -> WorkOutcome:
        if work.kind is WorkKind.ERASE:
            return await self._erase(work)
        heir = await self._heir(work)
        if heir is None or heir.installation_id == work.installation_id:
            return WorkOutcome.MOOT
        if work.into_installation_id != heir.installation_id:
            await self._works.aim(work, heir.installation_id)
        if work.kind is WorkKind.TRANSFER:
            await self._move_signals(work, heir)
            await self._history.repository_boards(work.installation_id, work.repository_id)
        else:
            await self._adopt(work, heir)
        return WorkOutcome.DONE

    async def _erase(self, work: Work) -> WorkOutcome:
        """Looked at before each step: what GitHub has again by now is not to be forgotten."""
        is_complete = False
        while not is_complete:
            if not await self._works.is_gone(work.installation_id):
                return WorkOutcome.MOOT
            is_complete = await self._history.forget(work.installation_id)
        await self._works.erase(work.installation_id, work.account_id)
        return WorkOutcome.DONE

    async def _heir(self, work: Work) -> Heir | None:
        if work.into_installation_id is not None:
            # A move goes on as it began, unless what it moved into has moved on itself.
            begun = await self._works.heir(work.into_installation_id)
            if begun is not None:
                return begun
        if work.kind is WorkKind.ADOPT:
            return await self._works.heir_of(work.account_id, work.installation_id)
        found = await self._works.heir_of_repository(work.repository_id)
        if found is None:
            raise HeirMissing
        return found

    async def _adopt(self, work: Work, heir: Heir) -> None:
        """Signals first: from the first call on, the heir's are read with what moves. Boards before
        presets, because a run by a preset publishes for the installation that has its boards.
        """
        former = work.installation_id
        complete = await self._history.signals(former, heir.installation_id)
        await self._history.boards(former, heir)
        await self._history.presets(former, heir.installation_id)
        if not complete:
            await self._move_signals(work, heir)
        await self._works.succeed(former, heir)

    async def _move_signals(self, work: Work, heir: Heir) -> None:
        moved = work.installation_id, heir.installation_id, work.repository_id
        while not await self._history.signals(*moved):
            pass

    async def _put_off(self, work: Work, error: Exception) -> None:
        reason = error.reason if isinstance(error, LaurelError) else "INTERNAL"
        log.warning(
            "installation_work_failed",
            kind=work.kind,
            installation_id=work.installation_id,
            attempt=work.attempts,
            reason=reason,
            error=str(error),
            exc_info=error if reason == "INTERNAL" else None,
        )
        at = self._clock.now() + pause_after(work.attempts)
        await self._works.retry(work, reason, at)
