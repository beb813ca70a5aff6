"""A lane of durable jobs: one job a subject at a time, in procrastinate's own schema."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import procrastinate
from procrastinate.exceptions import AlreadyEnqueued
from psycopg.conninfo import make_conninfo
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection

from laurel_common.jobs.schema import JobSchema

# The pool doubles its pauses between attempts for as long as it is let: after an outage of a
# minute it could stay away for another. It gives up soon instead, and whoever asks next has it
# try again.
_WAIT_SECONDS = 2.0
_RECONNECT_SECONDS = 1.0
# What a schedule does is short, and says what others are to do.
_SCHEDULE_PRIORITY = 100

Work = Callable[[int], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Lane:
    """One kind of work with its own worker, so that no other kind can hold it up.

    `name`: the queue. `task`: what is done. `subject`: what it is done to, by its number.
    """

    schema: JobSchema
    name: str
    task: str
    subject: str

    @property
    def argument(self) -> str:
        """The name of the number that a job carries."""
        return f"{self.subject}_id"

    def key(self, subject_id: int) -> str:
        """What two jobs of one subject have in common."""
        return f"{self.subject}:{subject_id}"


class JobQueue:
    """A lane's jobs by subject: at most one waits and at most one runs, whoever asks how often."""

    def __init__(self, url: str, lane: Lane, *, pool_size: int = 4) -> None:
        self.lane = lane
        self.app = procrastinate.App(
            connector=procrastinate.PsycopgConnector(
                conninfo=_conninfo(url, lane),
                min_size=1,
                max_size=pool_size,
                timeout=_WAIT_SECONDS,
                reconnect_timeout=_RECONNECT_SECONDS,
            )
        )
        # Numbers of the jobs that run in this process.
        self.running: set[int | None] = set()

    def register(self, work: Work) -> None:
        """Sets what a job does with its subject."""

        @self.app.task(name=self.lane.task, queue=self.lane.name, pass_context=True)
        async def run(context: procrastinate.JobContext, /, **arguments: int) -> None:
            self.running.add(context.job.id)
            try:
                await work(arguments[self.lane.argument])
            finally:
                self.running.discard(context.job.id)

    def every(self, cron: str, work: Callable[[], Awaitable[None]]) -> None:
        """Has `work` done at each of `cron`'s times (UTC): once, by one of all processes that work
        on the lane, before whatever else waits in it. A time that passed while none did is made up
        for within ten minutes, and left out after that.
        """
        task = f"{self.lane.name}_schedule"

        @self.app.periodic(cron=cron)
        @self.app.task(
            name=task,
            queue=self.lane.name,
            lock=task,
            queueing_lock=task,
            priority=_SCHEDULE_PRIORITY,
            pass_context=True,
        )
        async def run(context: procrastinate.JobContext, timestamp: int) -> None:  # noqa: ARG001 - procrastinate gives it
            self.running.add(context.job.id)
            try:
                await work()
            finally:
                self.running.discard(context.job.id)

    async def put(
        self,
        connection: AsyncConnection,
        subject_id: int,
        *,
        at: datetime | None = None,
        priority: int = 0,
    ) -> None:
        """Adds a job with the transaction of `connection`, unless one waits already.

        Of jobs that wait, the highest `priority` is first.
        """
        driver = (await connection.get_raw_connection()).driver_connection
        deferrer = self.app.configure_task(
            self.lane.task,
            allow_unknown=True,
            queue=self.lane.name,
            lock=self.lane.key(subject_id),
            queueing_lock=self.lane.key(subject_id),
            schedule_at=at,
            priority=priority,
            connection=driver,
        )
        await connection.exec_driver_sql(f"SET LOCAL search_path = {self.lane.schema.name}, public")
        try:
            async with connection.begin_nested():
                await deferrer.defer_async(**{self.lane.argument: subject_id})
        except AlreadyEnqueued:
            pass  # the one that waits will find whatever is open
        await connection.exec_driver_sql("SET LOCAL search_path = public")


def _conninfo(url: str, lane: Lane) -> str:
    """Connections that see the queue's tables without naming their schema.

    As key=value pairs: libpq does not read the "+" that SQLAlchemy writes for spaces in a URL.
    """
    target = make_url(url)
    parts: dict[str, Any] = target.translate_connect_args(username="user", database="dbname")
    parts |= target.query
    options = f"{parts.get('options', '')} -c search_path={lane.schema.name},pg_catalog"
    parts["options"] = options.strip()
    parts.setdefault("application_name", f"laurel-{lane.name}-jobs")
    return make_conninfo(**parts)
