"""Asks for the history of a scope to be read."""

from laurel_common.clock import Clock
from laurel_ingest.application.history.ports import Roster, RunRequest, RunStore
from laurel_ingest.domain.history.runs import Run


class StartIngest:
    """Answers at once; the work is jobs'."""

    def __init__(self, runs: RunStore, roster: Roster, clock: Clock) -> None:
        self._runs = runs
        self._roster = roster
        self._clock = clock

    async def __call__(self, asked: RunRequest) -> Run:
        """The run. Raises InstallationNotFound and as RunStore.request does."""
        account = await self._roster.account(asked.scope.installation_id)
        if asked.scope.repository_id is not None:
            await self._roster.repositories(asked.scope)  # raises where it is another's
        return await self._runs.request(asked, account.account_id, self._clock.now())
