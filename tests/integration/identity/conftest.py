"""The directory over a real database, written to as identity's own role."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from laurel_common.db.engine import create_engine
from laurel_common.testing.clock import FakeClock
from laurel_identity.application.batch import Batch
from laurel_identity.application.upsert_entities import UpsertEntities, UpsertResult
from laurel_identity.storage.directory import SqlDirectory
from tests.support.database import Database

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Directory:
    """The use case over SQL, and a look at the tables."""

    engine: AsyncEngine
    upsert_entities: UpsertEntities

    async def upsert(self, **fields: Any) -> UpsertResult:
        """Takes in a batch; `observed_at` is now unless told."""
        return await self.upsert_entities(Batch(**({"observed_at": NOW} | fields)))

    async def rows(self, query: str) -> Sequence[tuple[Any, ...]]:
        """The rows of a query, as tuples."""
        async with self.engine.connect() as connection:
            return [tuple(row) for row in await connection.execute(text(query))]


OpenDirectory = Callable[[Database], Directory]


@pytest.fixture
async def directory(database: Database) -> AsyncIterator[Directory]:
    """The directory on a database of the test's own."""
    engine = create_engine(database.url("laurel_identity"), application_name="test", pool_size=8)
    yield Directory(engine, UpsertEntities(SqlDirectory(engine), FakeClock(NOW)))
    await engine.dispose()
