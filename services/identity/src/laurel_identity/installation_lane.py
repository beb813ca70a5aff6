"""Puts together what is done about installations in the background, in all services."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from laurel_common.clock import Clock
from laurel_common.jobs import JobQueue, Worker
from laurel_identity.application.erase_installation import CRON, EraseUninstalled
from laurel_identity.application.work_on_installations import WorkOnInstallations
from laurel_identity.application.work_ports import HistoryMover
from laurel_identity.config import IdentitySettings
from laurel_identity.storage.lanes import INSTALLATIONS
from laurel_identity.storage.works import WorkTable


@dataclass(slots=True)
class InstallationLane:
    """What works in the background once `start` is called."""

    worker: Worker
    works: WorkTable
    work: WorkOnInstallations
    erase_uninstalled: EraseUninstalled

    def start(self) -> None:
        """Called within the running loop."""
        self.worker.start()

    def closers(self) -> list[Callable[[], Awaitable[object]]]:
        """What ends it."""
        return [self.worker.stop]


def build_installation_lane(
    settings: IdentitySettings, *, engine: AsyncEngine, history: HistoryMover, clock: Clock
) -> InstallationLane:
    """Its jobs come from the worker's sweep, which finds what a change of the directory noted."""
    queue = JobQueue(settings.database_url, INSTALLATIONS)
    works = WorkTable(engine, queue, clock)
    work = WorkOnInstallations(works, history, clock)
    queue.register(work)
    erase_uninstalled = EraseUninstalled(
        works, clock, after=timedelta(days=settings.erase_uninstalled_after_days)
    )
    queue.every(CRON, erase_uninstalled)
    return InstallationLane(Worker(queue, works), works, work, erase_uninstalled)
