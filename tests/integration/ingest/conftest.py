"""Ingest's storage on a real database."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from laurel_common.auth.keys import generate_private_key
from laurel_common.db import create_engine
from laurel_common.page_token import PageTokens
from laurel_common.testing.clock import FakeClock
from laurel_ingest.application.import_events import ImportEvents
from laurel_ingest.config import IngestSettings
from laurel_ingest.history_lane import HistoryLane, build_history_lane
from laurel_ingest.storage.postgres import PostgresStorage
from laurel_ingest.storage.sessions import SESSION
from tests.support.database import Database
from tests.support.github import GitHubSimulator, running_github
from tests.support.github.history import Size
from tests.support.github.weather import Weather
from tests.support.held_reading import Held
from tests.support.ingest_directory import DatabaseDirectory
from tests.support.ingest_github import DatabaseRoster, FixedTokens, Story, enter
from tests.support.ingest_ground import Ground

NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(
        database.url("laurel_ingest"), application_name="test", pool_size=4, session=SESSION
    )
    yield engine
    await engine.dispose()


@pytest.fixture
def storage(engine: AsyncEngine) -> PostgresStorage:
    return PostgresStorage(engine)


@pytest.fixture
def imports(storage: PostgresStorage, database: Database) -> ImportEvents:
    return ImportEvents(storage, DatabaseDirectory(database.url()), FakeClock(NOW))


@pytest.fixture
def story() -> Story:
    return Story(2, Size(commits=9, pulls=4, issues=3, reviews=1, comments=2))


@pytest.fixture
async def github(story: Story, request: pytest.FixtureRequest) -> AsyncIterator[GitHubSimulator]:
    """In bad weather, unless the test is marked: a run gets over it wherever it strikes."""
    async with running_github(story.world) as github:
        if request.node.get_closest_marker("fair_weather") is None:
            github.weather = Weather(request.node.nodeid)
        yield github


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def installation_tokens(story: Story, clock: FakeClock) -> FixedTokens:
    return FixedTokens(story.world, story.installation, clock)


@pytest.fixture
async def make_lane(  # noqa: PLR0917 - fixtures, by name
    database: Database,
    engine: AsyncEngine,
    github: GitHubSimulator,
    clock: FakeClock,
    installation_tokens: FixedTokens,
    tmp_path: Path,
) -> AsyncIterator[Callable[[], HistoryLane]]:
    """Makes a lane as each replica has one."""
    generate_private_key(tmp_path / "key")
    settings = IngestSettings.model_validate(
        {
            "database_url": database.url("laurel_ingest"),
            "redis_url": "redis://unused",
            "trust_file": tmp_path / "trust",
            "key_file": tmp_path / "key",
            "github_api_url": github.api_url,
        }
    )
    lanes: list[HistoryLane] = []

    def make() -> HistoryLane:
        lane = build_history_lane(
            settings,
            engine=engine,
            directory=DatabaseDirectory(database.url()),
            roster=DatabaseRoster(database.url()),
            installation_tokens=installation_tokens,
            tokens=PageTokens(b"x" * 32),
            clock=clock,
        )
        lanes.append(lane)
        return lane

    yield make
    for lane in lanes:
        for close in reversed(lane.closers()):
            await close()


@pytest.fixture
def ground(  # noqa: PLR0917 - fixtures, by name
    story: Story,
    database: Database,
    github: GitHubSimulator,
    make_lane: Callable[[], HistoryLane],
    clock: FakeClock,
    installation_tokens: FixedTokens,
) -> Ground:
    enter(story, database)
    lane = make_lane()
    return Ground(story, github, database, lane, lane.runs, clock, installation_tokens)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Held:
    return Held(monkeypatch)
