"""Works the queue off inside the service's process, and puts right what killed processes left."""

import asyncio
from collections.abc import Awaitable, Callable

import procrastinate.worker
import structlog
from procrastinate.jobs import Job, Status

from laurel_scoring.storage.queue import QUEUE, TASK, JobQueue
from laurel_scoring.storage.runs import RunTable

log = structlog.get_logger(__name__)

HEARTBEAT_SECONDS = 2.0
# A worker that was silent for so long is dead, and its jobs are another's.
STALLED_SECONDS = 10.0
SWEEP_SECONDS = 2.0
# A stopping process lets running jobs go on for so long; what is cut off is begun again.
STOP_SECONDS = 5.0
_POLL_SECONDS = 1.0
_RECONNECT_SECONDS = 1.0


class Worker:
    """Runs jobs until stopped. Comes back by itself when PostgreSQL does."""

    def __init__(self, queue: JobQueue, runs: RunTable, *, concurrency: int = 2) -> None:
        self._queue = queue
        self._runs = runs
        self._concurrency = concurrency
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False
        self._procrastinate: procrastinate.worker.Worker | None = None
        self._idle: set[int | None] = set()

    def start(self, ready: Callable[[], Awaitable[object]]) -> None:
        """Begins as soon as `ready` (a warm-up) is done. Called within the running loop."""
        self._tasks = [
            asyncio.create_task(self._run(ready), name="scoring-worker"),
            asyncio.create_task(self._sweep_forever(), name="scoring-sweep"),
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

    async def _run(self, ready: Callable[[], Awaitable[object]]) -> None:
        await ready()
        # procrastinate answers a cancellation by ending in good order, not by passing it on.
        while not self._stopping:
            try:
                await self._queue.app.open_async()
                if self._stopping:
                    return
                self._procrastinate = procrastinate.worker.Worker(
                    self._queue.app,
                    queues=[QUEUE],
                    name="scoring",
                    concurrency=self._concurrency,
                    install_signal_handlers=False,
                    fetch_job_polling_interval=_POLL_SECONDS,
                    update_heartbeat_interval=HEARTBEAT_SECONDS,
                    stalled_worker_timeout=STALLED_SECONDS,
                    shutdown_graceful_timeout=STOP_SECONDS,
                    # What became of it stands in the run's row.
                    delete_jobs="always",
                )
                await self._procrastinate.run()  # type: ignore[no-untyped-call]  # theirs
            except Exception as error:  # whatever ended the worker, runs must go on being worked on
                log.warning("scoring_worker_ended", error=f"{type(error).__name__}: {error}")
            if not self._stopping:
                await asyncio.sleep(_RECONNECT_SECONDS)

    async def _sweep_forever(self) -> None:
        while not self._stopping:
            await asyncio.sleep(SWEEP_SECONDS)
            try:
                await self.sweep()
            except Exception as error:  # the next sweep is soon; this one must not be the last
                log.warning("scoring_sweep_failed", error=f"{type(error).__name__}: {error}")

    async def sweep(self, *, silent_for: float = STALLED_SECONDS) -> None:
        """Closes the jobs that nobody works on, and gives every open run without one a new one."""
        await self._queue.app.open_async()
        jobs = self._queue.app.job_manager
        stalled = await jobs.get_stalled_jobs(queue=QUEUE, seconds_since_heartbeat=silent_for)
        for job in [*stalled, *await self._forgotten()]:
            log.warning("scoring_job_stalled", job=job.id, args=job.task_kwargs)
            if job.id is not None:
                await jobs.finish_job_by_id_async(job.id, Status.FAILED, delete_job=True)
        open_installations = await self._runs.open_installations()
        if not open_installations:
            return
        live = [
            job.task_kwargs["installation_id"]
            for status in (Status.TODO, Status.DOING)
            for job in await jobs.list_jobs_async(queue=QUEUE, task=TASK, status=status.value)
        ]
        for installation_id in set(open_installations) - set(live):
            log.info("scoring_job_lost", installation_id=installation_id)
            await self._runs.ensure_job(installation_id)

    async def _forgotten(self) -> list[Job]:
        """Jobs that this worker has by the queue's account and not by its own, for two sweeps.

        A connection that breaks may take along the news that a job was given out, or that it has
        ended. Its lock would keep the installation from being worked on for as long as we live.
        """
        worker_id = self._procrastinate.worker_id if self._procrastinate is not None else None
        if worker_id is None:
            return []
        jobs = self._queue.app.job_manager
        ours = await jobs.list_jobs_async(
            queue=QUEUE, status=Status.DOING.value, worker_id=worker_id
        )
        idle = [job for job in ours if job.id not in self._queue.running]
        before, self._idle = self._idle, {job.id for job in idle}
        return [job for job in idle if job.id in before]
