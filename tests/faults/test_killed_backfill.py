"""Workers killed at random in the middle of a backfill, from a GitHub that fails at random.

In the end every signal stands as after a run that nobody disturbed. Another seed is another story:
LAUREL_TEST_CHAOS_SEED=7; LAUREL_TEST_CHAOS_REPOSITORIES=100 makes it a long one.
"""

import asyncio
import os
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from laurel_ingest.application.history.ports import RunRequest
from laurel_ingest.domain.history.runs import Preset, Run, RunState, Scope
from laurel_ingest.history_lane import HistoryLane
from tests.support.database import Database, cloned_database
from tests.support.endpoints import Endpoints
from tests.support.github import GitHubSimulator, running_github
from tests.support.github.history import Size
from tests.support.github.tokens import Token
from tests.support.history_worker import TOKEN, lane_of, start_worker
from tests.support.ingest_github import Story, enter

SEED = int(os.environ.get("LAUREL_TEST_CHAOS_SEED", "1"))
REPOSITORIES = int(os.environ.get("LAUREL_TEST_CHAOS_REPOSITORIES", "3"))
WORKERS = 3
# Each costs the repositories that were being read the time until the dead worker is missed.
MOST_KILLS = 2 * REPOSITORIES
FAULTS: list[dict[str, Any]] = [
    {"status": 502},
    {"status": 504},
    {"status": 500},
    {"cut": True},
    {"delay": 0.2},
    {"retry_after": 1},
]


async def test_workers_killed_during_a_backfill_leave_what_an_undisturbed_run_leaves(
    database: Database, postgres_endpoints: Endpoints, tmp_path: Path
) -> None:
    draw = random.Random(SEED)  # noqa: S311 - a story, no secret
    story = Story(REPOSITORIES, Size(commits=20, pulls=7, issues=7, reviews=2, comments=3))
    story.world.tokens[TOKEN] = Token(TOKEN, "installation", story.installation.id, None)
    enter(story, database)
    async with running_github(story.world) as github:
        # Many pages are many places to be killed at.
        github.largest_page = 6
        with cloned_database(postgres_endpoints) as quiet:
            enter(story, quiet)
            async with lane(quiet, github, tmp_path) as undisturbed:
                run = await request(undisturbed, story)
                await undisturbed.run_ingest(run.id)
                for work_id in open_works(quiet):
                    await undisturbed.read_repository(work_id)
                await undisturbed.run_ingest(run.id)
            expected = standing(quiet)
        async with lane(database, github, tmp_path) as asking:
            run = await request(asking, story)
            start = partial(start_worker, database, github.api_url, tmp_path)
            kills = await disturbed(draw, asking, run, github, start)
            run = await asking.runs.get(story.installation.id, run.id)
    assert (run.state, run.failure_reason) == (RunState.SUCCEEDED, None)
    assert [each for each in run.troubles if each.is_left_out] == []
    assert kills >= 3
    assert standing(database) == expected
    assert run.new_count - run.withdrawn_count == len(expected[0])


async def disturbed(
    draw: random.Random,
    asking: HistoryLane,
    run: Run,
    github: GitHubSimulator,
    start: Callable[[], ForkServerProcess],
) -> int:
    """Works a run off in processes that are killed now and then; answers how often."""
    workers: list[ForkServerProcess] = []
    kills = 0
    try:
        async with asyncio.timeout(60 + 5 * REPOSITORIES):
            while not run.state.is_over:
                while len(workers) < WORKERS:
                    workers.append(await asyncio.to_thread(start))
                until_next = len(github.queries) + draw.randrange(4, 12)
                while len(github.queries) < until_next or kills >= MOST_KILLS:
                    await asyncio.sleep(0.01)
                    run = await asking.runs.get(run.scope.installation_id, run.id)
                    if run.state.is_over:
                        break
                else:
                    github.faults.add("GRAPHQL (Commits|Pulls|Issues)", **draw.choice(FAULTS))
                    victim = workers.pop(draw.randrange(len(workers)))
                    victim.kill()
                    kills += 1
    finally:
        for each in workers:
            each.kill()
    return kills


@asynccontextmanager
async def lane(
    database: Database, github: GitHubSimulator, directory: Path
) -> AsyncIterator[HistoryLane]:
    made = lane_of(database.url("laurel_ingest"), database.url(), github.api_url, directory)
    yield made
    for close in reversed(made.closers()):
        await close()


async def request(asked: HistoryLane, story: Story) -> Run:
    wanted = RunRequest(Scope(story.installation.id), Preset.ALL_TIME, "tests", is_forced=True)
    now = datetime.now(UTC)
    return await asked.runs.request(wanted, story.organization.id, now)


def open_works(database: Database) -> list[int]:
    with database.connect() as connection:
        rows = connection.execute("SELECT id FROM ingest_run_repositories WHERE state = 'waiting'")
        return [row[0] for row in rows]


def standing(database: Database) -> tuple[list[Any], list[Any]]:
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
