"""Ingest's storage on a real database."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from laurel_common.db import create_engine
from laurel_common.testing.clock import FakeClock
from laurel_ingest.application.import_events import ImportEvents
from laurel_ingest.storage.postgres import PostgresStorage
from tests.support.database import Database
from tests.support.ingest_directory import DatabaseDirectory

NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database.url("laurel_ingest"), application_name="test", pool_size=4)
    yield engine
    await engine.dispose()


@pytest.fixture
def storage(engine: AsyncEngine) -> PostgresStorage:
    return PostgresStorage(engine)


@pytest.fixture
def imports(storage: PostgresStorage, database: Database) -> ImportEvents:
    return ImportEvents(storage, DatabaseDirectory(database.url()), FakeClock(NOW))
