"""Works a lane off inside the service's process, and puts right what killed processes left."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import procrastinate.worker
import structlog
from procrastinate.jobs import Job, Status

from laurel_common.jobs.queue import JobQueue

log = structlog.get_logger(__name__)

HEARTBEAT_SECONDS = 2.0
# A worker that was silent for so long is dead, and its jobs are another's.
STALLED_SECONDS = 10.0
SWEEP_SECONDS = 2.0
# A stopping process lets running jobs go on for so long; what is cut off is begun again.
STOP_SECONDS = 5.0
POLL_SECONDS = 1.0
_RECONNECT_SECONDS = 1.0


class OpenWork(Protocol):
    """The rows that are the truth about what is to be done."""

    async def open_subjects(self) -> Sequence[int]:
        """The subjects that have work which nobody has finished."""

    async def ensure_job(self, subject_id: int) -> None:
        """Puts a job for a subject whose open work has lost its own."""


class Worker:
    """Runs a lane's jobs until stopped. Comes back by itself when PostgreSQL does."""

    def __init__(
        self,
        queue: JobQueue,
        work: OpenWork,
        *,
        concurrency: int = 2,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        """`poll_seconds`: how long a job may lie that waited for another of its subject."""
        self._poll_seconds = poll_seconds
        self._queue = queue
        self._lane = queue.lane.name
        self._work = work
        self._concurrency = concurrency
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False
        self._procrastinate: procrastinate.worker.Worker | None = None
        self._idle: set[int | None] = set()

    def start(self, ready: Callable[[], Awaitable[object]] | None = None) -> None:
        """Begins at once, or when `ready` (a warm-up) is done. Called within the running loop."""
        self._tasks = [
            asyncio.create_task(self._run(ready), name=f"{self._lane}-worker"),
            asyncio.create_task(self._sweep_forever(), name=f"{self._lane}-sweep"),
        ]

    async def stop(self) -> None:
        """Takes no further jobs, lets those that run end, and closes the queue's connections."""
        self._stopping = True
        pending = set(self._tasks)
        while pending:
            for task in pending:
                task.cancel()
            # A cancellation that comes while the worker is only starting can get lost in what
            # it waits for; one that was heard leaves running jobs STOP_SECONDS.
            _, pending = await asyncio.wait(pending, timeout=STOP_SECONDS + 1)
        await self._queue.app.close_async()

    async def _run(self, ready: Callable[[], Awaitable[object]] | None) -> None:
        if ready is not None:
            await ready()
        # procrastinate answers a cancellation by ending in good order, not by passing it on.
        while not self._stopping:
            try:
                await self._queue.app.open_async()
                if self._stopping:
                    return
                self._procrastinate = procrastinate.worker.Worker(
                    self._queue.app,
                    queues=[self._lane],
                    name=self._lane,
                    concurrency=self._concurrency,
                    install_signal_handlers=False,
                    fetch_job_polling_interval=self._poll_seconds,
                    update_heartbeat_interval=HEARTBEAT_SECONDS,
                    stalled_worker_timeout=STALLED_SECONDS,
                    shutdown_graceful_timeout=STOP_SECONDS,
                    # What became of it stands in the row that it was about.
                    delete_jobs="always",
                )
                await self._procrastinate.run()  # type: ignore[no-untyped-call]  # theirs
            except Exception as error:  # whatever ended the worker, jobs must go on being worked on
                log.warning("job_worker_ended", lane=self._lane, error=_short(error))
            if not self._stopping:
                await asyncio.sleep(_RECONNECT_SECONDS)

    async def _sweep_forever(self) -> None:
        while not self._stopping:
            await asyncio.sleep(SWEEP_SECONDS)
            try:
                await self.sweep()
            except Exception as error:  # the next sweep is soon; this one must not be the last
                log.warning("job_sweep_failed", lane=self._lane, error=_short(error))

    async def sweep(self, *, silent_for: float = STALLED_SECONDS) -> None:
        """Closes the jobs that nobody works on, and gives all open work without one a new one."""
        await self._queue.app.open_async()
        jobs = self._queue.app.job_manager
        stalled = await jobs.get_stalled_jobs(queue=self._lane, seconds_since_heartbeat=silent_for)
        for job in [*stalled, *await self._forgotten()]:
            log.warning("job_stalled", lane=self._lane, job=job.id, args=job.task_kwargs)
            if job.id is not None:
                await jobs.finish_job_by_id_async(job.id, Status.FAILED, delete_job=True)
        open_subjects = await self._work.open_subjects()
        if not open_subjects:
            return
        lane = self._queue.lane
        live = [
            job.task_kwargs[lane.argument]
            for status in (Status.TODO, Status.DOING)
            for job in await jobs.list_jobs_async(
                queue=lane.name, task=lane.task, status=status.value
            )
        ]
        for subject_id in set(open_subjects) - set(live):
            log.info("job_lost", lane=lane.name, subject=lane.key(subject_id))
            await self._work.ensure_job(subject_id)

    async def _forgotten(self) -> list[Job]:
        """Jobs that this worker has by the queue's account and not by its own, for two sweeps.

        A connection that breaks may take along the news that a job was given out, or that it has
        ended. Its lock would keep the subject from being worked on for as long as we live.
        """
        worker_id = self._procrastinate.worker_id if self._procrastinate is not None else None
        if worker_id is None:
            return []
        jobs = self._queue.app.job_manager
        ours = await jobs.list_jobs_async(
            queue=self._lane, status=Status.DOING.value, worker_id=worker_id
        )
        idle = [job for job in ours if job.id not in self._queue.running]
        before, self._idle = self._idle, {job.id for job in idle}
        return [job for job in idle if job.id in before]


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
