"""Scoring's storage on a real PostgreSQL, logged in as its own role."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from laurel_common.db import create_engine
from laurel_common.jobs import JobQueue
from laurel_scoring.domain.runs import Change
from laurel_scoring.storage.presets import PresetTables
from laurel_scoring.storage.queue import LANE
from laurel_scoring.storage.runs import RunTable
from tests.support.database import Database
from tests.support.scoring_database import an_installation


class Told:
    """Hears what readers are told of, and does what a test plans for that moment."""

    def __init__(self) -> None:
        self.of: list[tuple[int, Change]] = []
        self.then: Callable[[], Awaitable[None]] | None = None

    async def __call__(self, installation_id: int, change: Change) -> None:
        self.of.append((installation_id, change))
        if self.then is not None:
            await self.then()


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database.url("laurel_scoring"), application_name="scoring-tests")
    yield engine
    await engine.dispose()


@pytest.fixture
def installation(database: Database) -> int:
    return an_installation(database)


@pytest.fixture
def presets(engine: AsyncEngine) -> PresetTables:
    return PresetTables(engine)


@pytest.fixture
async def queue(database: Database) -> AsyncIterator[JobQueue]:
    queue = JobQueue(database.url("laurel_scoring"), LANE)
    yield queue
    await queue.app.close_async()


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def runs(engine: AsyncEngine, queue: JobQueue, told: Told) -> RunTable:
    return RunTable(engine, queue, told)
