"""Has repositories read at once whose default branch somebody has forced another history onto."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog

from laurel_common.clock import Clock
from laurel_common.errors import InstallationNotFound, RemoteError
from laurel_ingest.application.errors import IngestRunning
from laurel_ingest.application.history.ports import Roster, RunRequest, RunStore
from laurel_ingest.domain.history.runs import Preset, Scope

log = structlog.get_logger(__name__)

PAUSE: Final = timedelta(minutes=10)
"""Between two runs over a repository that is rewritten again and again, at least."""

AT_ONCE: Final = 100
_BY: Final = "webhook"


class RewrittenBranches(Protocol):
    """Which default branches are not what they were when they were last read.

    One that was read as soon after the push as `Known.is_rewritten` doubts is read once more.
    """

    async def due(self, now: datetime, limit: int) -> Sequence[tuple[int, int]]:
        """Some of them, by installation and repository, that nobody reads and nobody has just read:
        the last run ended `PAUSE` ago, and as long ago as it took.

        Raises the typed errors of the database.
        """
        ...


class ReadRewritten:
    """Done every few seconds by each process, and as soon as a webhook tells of a forced push.

    What is to be read is what the database says, so nothing is lost with a process, and many pushes
    are one run.
    """

    def __init__(
        self, branches: RewrittenBranches, runs: RunStore, roster: Roster, clock: Clock
    ) -> None:
        self._branches = branches
        self._runs = runs
        self._roster = roster
        self._clock = clock

    async def __call__(self) -> None:
        """Raises the typed errors of the database."""
        for installation_id, repository_id in await self._branches.due(self._clock.now(), AT_ONCE):
            try:
                await self._begin(installation_id, repository_id)
            except (IngestRunning, InstallationNotFound):
                continue  # another process was faster, or it is gone
            except RemoteError as error:
                log.warning("rewritten_not_read", repository_id=repository_id, error=repr(error))

    async def _begin(self, installation_id: int, repository_id: int) -> None:
        account = await self._roster.account(installation_id)
        wanted = RunRequest(
            Scope(installation_id, repository_id=repository_id),
            Preset.ALL_TIME,
            _BY,
            is_forced=True,
            is_reconciling=True,
            is_urgent=True,
        )
        run = await self._runs.request(wanted, account.account_id, self._clock.now())
        log.info("rewritten_is_read", repository_id=repository_id, run_id=run.id)
