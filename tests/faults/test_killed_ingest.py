"""The ingest service itself killed at random in the middle of a backfill, and started again.

In the end every signal stands as after a run that nobody disturbed. Another seed is another story:
LAUREL_TEST_CHAOS_SEED=7.
"""

import asyncio
import os
import random
from pathlib import Path

import pytest

from laurel.identity.v1 import installation_pb2, installation_pb2_grpc
from laurel.ingest.v1 import ingest_pb2_grpc, ingest_runs_pb2
from laurel_cli.stack.layout import Layout
from tests.support.database import Database
from tests.support.endpoints import Endpoints
from tests.support.github import GitHubSimulator, running_github
from tests.support.github.history import Size
from tests.support.github.tokens import Token
from tests.support.history_standing import standing, undisturbed
from tests.support.history_worker import TOKEN
from tests.support.ingest_github import Story
from tests.support.stack_company import told_of
from tests.support.stack_running import Laurel, running_laurel, until
from tests.support.world_actions import patiently

SEED = int(os.environ.get("LAUREL_TEST_CHAOS_SEED", "1"))
KILLS = 3


async def test_the_service_killed_during_a_backfill_leaves_what_an_undisturbed_run_leaves(
    database: Database,
    postgres_endpoints: Endpoints,
    redis_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    draw = random.Random(SEED)  # noqa: S311 - a story, no secret
    story = Story(6, Size(commits=15, pulls=5, issues=5, reviews=2, comments=3))
    story.world.tokens[TOKEN] = Token(TOKEN, "installation", story.installation.id, None)
    # What a dead process was reading waits until it is missed; the next one begins with others.
    monkeypatch.setenv("LAUREL_INGEST_CONCURRENCY", "2")
    layout = Layout(tmp_path / "laurel")
    layout.make()
    async with running_github(story.world) as github:
        github.largest_page = 6
        expected, answers = await undisturbed(postgres_endpoints, story, github, tmp_path)
        with told_of(github, layout, "a-webhook-secret"):
            async with running_laurel(
                layout.root, database=database, redis_url=redis_url
            ) as laurel:
                run = await killed_again_and_again(draw, laurel, github, story)
                assert laurel.starts("ingest") == 1 + KILLS
    assert run.state == ingest_runs_pb2.INGEST_STATE_SUCCEEDED
    assert standing(database) == expected
    assert run.new_count - run.withdrawn_count == len(expected[0])
    assert run.request_count == answers, "no page was stored twice"


async def killed_again_and_again(
    draw: random.Random, laurel: Laurel, github: GitHubSimulator, story: Story
) -> ingest_runs_pb2.Ingest:
    """Starts a run, and kills whoever reads it; answers the run as it ended."""
    async with (
        laurel.caller.channel("identity") as to_identity,
        laurel.caller.channel("ingest") as to_ingest,
    ):
        identity = installation_pb2_grpc.InstallationServiceStub(to_identity)
        await identity.SyncInstallations(installation_pb2.SyncInstallationsRequest(page_size=100))
        ingest = ingest_pb2_grpc.IngestServiceStub(to_ingest)
        started = await ingest.StartIngest(
            ingest_runs_pb2.StartIngestRequest(installation_id=story.installation.id)
        )
        asked = ingest_runs_pb2.GetIngestRequest(
            installation_id=story.installation.id, ingest_id=started.ingest.id
        )
        for _ in range(KILLS):
            until_next = len(github.queries) + draw.randrange(3, 9)
            await until(lambda: len(github.queries) >= until_next, "it reads on")  # noqa: B023 - used within the turn
            starts = laurel.starts("ingest")
            laurel.kill("ingest")
            await laurel.until_back("ingest", after=starts)
        async with asyncio.timeout(60):
            while True:
                run = (await patiently(lambda: ingest.GetIngest(asked))).ingest
                if run.end_time.seconds:
                    return run
                await asyncio.sleep(0.1)
