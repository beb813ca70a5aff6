"""Workers killed at random in the middle of a backfill, from a GitHub that fails at random.

In the end every signal stands as after a run that nobody disturbed. Another seed is another story:
LAUREL_TEST_CHAOS_SEED=7; LAUREL_TEST_CHAOS_REPOSITORIES=100 makes it a long one.
"""

import asyncio
import os
import random
from collections.abc import Callable
from functools import partial
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from laurel_ingest.domain.history.runs import Run, RunState
from laurel_ingest.history_lane import HistoryLane
from tests.support.database import Database
from tests.support.endpoints import Endpoints
from tests.support.github import GitHubSimulator, running_github
from tests.support.github.history import Size
from tests.support.github.tokens import Token
from tests.support.history_standing import lane, request, standing, undisturbed
from tests.support.history_worker import TOKEN, start_worker
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
        expected, _ = await undisturbed(postgres_endpoints, story, github, tmp_path)
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
