"""grpc.health.v1: SERVING while what the service needs is there, and never before that is known."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from laurel_common.migrations import missing_migrations
from laurel_common.rpc.health_servicer import HealthServicer

_PROBE_SECONDS = 2.0
_STARTING_INTERVAL_SECONDS = 0.2

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """One thing that a service needs; `probe` raises while it is not there.

    One that is needed only `to_start` (a warm-up; a cache that can be missed for a while) holds
    the service back until it was there once, and is watched from then on without effect.
    """

    name: str
    probe: Callable[[], Awaitable[object]]
    to_start: bool = False


def database_check(engine: AsyncEngine) -> HealthCheck:
    """PostgreSQL answers."""

    async def probe() -> None:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    return HealthCheck("database", probe)


def schema_check(engine: AsyncEngine) -> HealthCheck:
    """The database has had every migration that this code counts on."""

    async def probe() -> None:
        async with engine.connect() as connection:
            missing = await missing_migrations(connection)
        if missing:
            raise RuntimeError(f"the database lacks {', '.join(missing)}")

    return HealthCheck("schema", probe, to_start=True)


def redis_check(redis: Redis, *, to_start: bool = True) -> HealthCheck:
    """The cache answers."""

    async def probe() -> None:
        await redis.ping()

    return HealthCheck("redis", probe, to_start=to_start)


def warm_up_check(warm_up: Callable[[], Awaitable[object]]) -> HealthCheck:
    """What has to be done once before the first call (compiling, loading) is done."""
    done = False
    running: asyncio.Task[object] | None = None

    async def probe() -> None:
        nonlocal done, running
        if done:
            return
        if running is None or running.done():
            running = asyncio.ensure_future(warm_up())
        # Shielded: a warm-up that outlasts the probe goes on, and the next probe waits for it.
        await asyncio.shield(running)
        done = True

    return HealthCheck("warm_up", probe, to_start=True)


class Health:
    """Runs the checks every `interval` seconds and tells the outcome under each service's name."""

    def __init__(
        self,
        services: Sequence[str],
        checks: Sequence[HealthCheck],
        *,
        interval: float,
        on_ready: Callable[[], None],
    ) -> None:
        self.servicer = HealthServicer(("", *services))
        self._checks = checks
        self._interval = interval
        self._on_ready = on_ready
        self._states = {check.name: False for check in checks}
        self._passed: set[str] = set()
        self._problems: dict[str, str] = {}
        self._serving = False
        self._task: asyncio.Task[None] | None = None

    @property
    def serving(self) -> bool:
        """What the last round of checks came to."""
        return self._serving

    def states(self) -> dict[str, bool]:
        """Each check's name and whether it holds."""
        return dict(self._states)

    def watch(self) -> None:
        """Begins checking in the background."""
        self._task = asyncio.create_task(self._run(), name="laurel-health")

    async def stop(self) -> None:
        """Says NOT_SERVING for good."""
        self._serving = False
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self.servicer.close()

    async def check(self) -> bool:
        """Runs every check once, at the same time, and tells the outcome."""
        results = await asyncio.gather(*(self._probe(check) for check in self._checks))
        needed = (
            holds or (check.to_start and check.name in self._passed)
            for check, holds in zip(self._checks, results, strict=True)
        )
        serving = all(needed)
        if serving != self._serving:
            self._serving = serving
            if serving:
                self._on_ready()
            self.servicer.tell(serving=serving)
            log.info("health", serving=serving, checks=self.states())
        return serving

    async def _run(self) -> None:
        while True:
            serving = await self.check()
            # Watched closely until it is there: a start is not to wait for the next round.
            await asyncio.sleep(
                self._interval if serving else min(self._interval, _STARTING_INTERVAL_SECONDS)
            )

    async def _probe(self, check: HealthCheck) -> bool:
        try:
            async with asyncio.timeout(_PROBE_SECONDS):
                await check.probe()
        except Exception as error:  # a check may fail in any way; that it failed is its answer
            problem = _describe(error)
            # Once for each problem, not once for each look.
            if self._problems.get(check.name) != problem:
                log.warning("health_check_failed", check=check.name, error=problem)
            self._problems[check.name], self._states[check.name] = problem, False
            return False
        self._problems.pop(check.name, None)
        self._states[check.name] = True
        self._passed.add(check.name)
        return True


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
