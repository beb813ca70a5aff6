"""The durable queue: one job an installation at a time, in procrastinate's own schema."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import procrastinate
from procrastinate.exceptions import AlreadyEnqueued
from psycopg.conninfo import make_conninfo
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection

from laurel_scoring.storage.queue_schema import QUEUE_SCHEMA

QUEUE = "scoring"
TASK = "score_installation"

# The pool doubles its pauses between attempts for as long as it is let: after an outage of a
# minute it could stay away for another. It gives up soon instead, and whoever asks next has it
# try again.
_WAIT_SECONDS = 2.0
_RECONNECT_SECONDS = 1.0

Work = Callable[[int], Awaitable[None]]


class JobQueue:
    """Jobs by installation: at most one waits and at most one runs, whoever asks how often."""

    def __init__(self, url: str, *, pool_size: int = 4) -> None:
        self.app = procrastinate.App(
            connector=procrastinate.PsycopgConnector(
                conninfo=_conninfo(url),
                min_size=1,
                max_size=pool_size,
                timeout=_WAIT_SECONDS,
                reconnect_timeout=_RECONNECT_SECONDS,
            )
        )
        # Numbers of the jobs that run in this process.
        self.running: set[int | None] = set()

    def register(self, work: Work) -> None:
        """Sets what a job does with its installation."""

        @self.app.task(name=TASK, queue=QUEUE, pass_context=True)
        async def score_installation(
            context: procrastinate.JobContext, installation_id: int
        ) -> None:
            self.running.add(context.job.id)
            try:
                await work(installation_id)
            finally:
                self.running.discard(context.job.id)

    async def put(
        self, connection: AsyncConnection, installation_id: int, *, at: datetime | None = None
    ) -> None:
        """Adds a job with the transaction of `connection`, unless one waits already."""
        driver = (await connection.get_raw_connection()).driver_connection
        deferrer = self.app.configure_task(
            TASK,
            allow_unknown=True,
            queue=QUEUE,
            lock=_key(installation_id),
            queueing_lock=_key(installation_id),
            schedule_at=at,
            connection=driver,
        )
        await connection.exec_driver_sql(f"SET LOCAL search_path = {QUEUE_SCHEMA}, public")
        try:
            async with connection.begin_nested():
                await deferrer.defer_async(installation_id=installation_id)
        except AlreadyEnqueued:
            pass  # the one that waits will find whatever is open
        await connection.exec_driver_sql("SET LOCAL search_path = public")


def _key(installation_id: int) -> str:
    return f"installation:{installation_id}"


def _conninfo(url: str) -> str:
    """Connections that see the queue's tables without naming their schema.

    As key=value pairs: libpq does not read the "+" that SQLAlchemy writes for spaces in a URL.
    """
    target = make_url(url)
    parts: dict[str, Any] = target.translate_connect_args(username="user", database="dbname")
    parts |= target.query
    options = f"{parts.get('options', '')} -c search_path={QUEUE_SCHEMA},pg_catalog"
    parts["options"] = options.strip()
    parts.setdefault("application_name", "laurel-scoring-jobs")
    return make_conninfo(**parts)
