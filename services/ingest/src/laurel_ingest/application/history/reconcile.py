"""Has history read without anybody's asking: daily of every installation, and of a new one."""

from typing import Final

import structlog

from laurel_common.clock import Clock
from laurel_common.errors import InstallationNotFound
from laurel_ingest.application.errors import IngestRunning
from laurel_ingest.application.history.ports import Roster, RunRequest, RunStore
from laurel_ingest.domain.history.runs import Preset, Scope

log = structlog.get_logger(__name__)

CRON: Final = "43 3 * * *"
_BY: Final = "schedule"


class Reconcile:
    """Asks for a run of every installation of the App: what webhooks and other runs have missed is
    found by what differs from GitHub. Done daily by one process, however many there are; a turn
    that breaks off is begun again, and what it asked for it is answered again.
    """

    def __init__(self, runs: RunStore, roster: Roster, clock: Clock) -> None:
        self._runs = runs
        self._roster = roster
        self._clock = clock

    async def __call__(self) -> None:
        """Raises RemoteError and the typed errors of the database."""
        now = self._clock.now()
        asked = running = 0
        async for installation_id, account_id in self._roster.installed():
            wanted = reconciling(installation_id, f"daily-{now:%Y-%m-%d}")
            try:
                await self._runs.request(wanted, account_id, now)
            except IngestRunning:
                running += 1  # it finds what this one would
            except InstallationNotFound:
                continue  # gone since it was listed
            else:
                asked += 1
        log.info("reconciling", installations=asked, running=running)


class BeginHistory:
    """Asks for the first run of an installation, or for one over what it was given beside."""

    def __init__(self, runs: RunStore, roster: Roster, clock: Clock) -> None:
        self._runs = runs
        self._roster = roster
        self._clock = clock

    async def __call__(self, installation_id: int, request_id: str) -> None:
        """Once for a request. Raises RemoteError and the typed errors of the database."""
        try:
            account = await self._roster.account(installation_id)
            wanted = reconciling(installation_id, request_id)
            await self._runs.request(wanted, account.account_id, self._clock.now())
        except (IngestRunning, InstallationNotFound) as error:
            log.info("history_not_begun", installation_id=installation_id, reason=error.reason)


def reconciling(installation_id: int, request_id: str) -> RunRequest:
    """A run over everything, which no cooldown holds up."""
    return RunRequest(
        Scope(installation_id),
        Preset.ALL_TIME,
        _BY,
        request_id,
        is_forced=True,
        is_reconciling=True,
    )
