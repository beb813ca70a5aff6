"""What a run over a story leaves in the database, to hold others against."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from laurel_ingest.application.history.ports import RunRequest
from laurel_ingest.domain.history.runs import Preset, Run, Scope
from laurel_ingest.history_lane import HistoryLane
from tests.support.database import Database, cloned_database
from tests.support.endpoints import Endpoints
from tests.support.github import GitHubSimulator
from tests.support.history_worker import lane_of
from tests.support.ingest_github import Story, enter

Standing = tuple[list[Any], list[Any]]


async def undisturbed(
    endpoints: Endpoints, story: Story, github: GitHubSimulator, directory: Path
) -> tuple[Standing, int]:
    """What stands after a run over a story that nobody disturbs, and how many answers of GitHub's
    it has stored.
    """
    with cloned_database(endpoints) as quiet:
        enter(story, quiet)
        async with lane(quiet, github, directory) as one:
            run = await request(one, story)
            await one.run_ingest(run.id)
            for work_id in open_works(quiet):
                await one.read_repository(work_id)
            await one.run_ingest(run.id)
            run = await one.runs.get(story.installation.id, run.id)
        return standing(quiet), run.request_count


@asynccontextmanager
async def lane(
    database: Database, github: GitHubSimulator, directory: Path
) -> AsyncIterator[HistoryLane]:
    """Ingest's lane of history in this process, which works on nothing by itself."""
    made = lane_of(database.url("laurel_ingest"), database.url(), github.api_url, directory)
    yield made
    for close in reversed(made.closers()):
        await close()


async def request(asked: HistoryLane, story: Story) -> Run:
    """A run over all of a story."""
    wanted = RunRequest(Scope(story.installation.id), Preset.ALL_TIME, "tests", is_forced=True)
    now = datetime.now(UTC)
    return await asked.runs.request(wanted, story.organization.id, now)


def open_works(database: Database) -> list[int]:
    """The repositories of a run that wait to be read."""
    with database.connect() as connection:
        rows = connection.execute("SELECT id FROM ingest_run_repositories WHERE state = 'waiting'")
        return [row[0] for row in rows]


def standing(database: Database) -> Standing:
    """Every signal with its standing, and what is known of each repository."""
    with database.connect() as connection:
        signals = connection.execute(
            "SELECT s.repository_id, s.type::text, s.user_id, s.content_hash, s.event_timestamp,"
            " s.value, s.metadata, k.standing FROM signals AS s JOIN signal_keys AS k"
            " ON k.signal_id = s.id AND k.event_timestamp = s.event_timestamp ORDER BY 1, 2, 4, 3"
        ).fetchall()
        repositories = connection.execute(
            "SELECT repository_id, head_sha, pulls_until, issues_until, commits_total,"
            " pulls_total, issues_total, gap FROM repository_histories ORDER BY 1"
        ).fetchall()
    return signals, repositories
