"""Webhooks of an organization whose history is being read meanwhile: how long boards take."""

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from typing import Final

from bench.backfill import REPOSITORIES, fetch_alone, passwords
from bench.gateway import SECRET, gateway, opened_issue, p95, trust_gateway
from bench.measure import Figure
from bench.recorded_github import Recorded, recorded_github, story
from bench.stack import Servers, laurel, migrate, say, servers
from laurel.common.v1 import board_pb2, types_pb2
from laurel.ingest.v1 import ingest_pb2_grpc, ingest_runs_pb2, webhook_pb2, webhook_pb2_grpc
from laurel.leaderboard.v1 import leaderboard_pb2, leaderboard_pb2_grpc
from laurel_cli.rpc.caller import Caller
from laurel_common.errors import RemoteError
from tests.support.database import Database
from tests.support.endpoints import Endpoints
from tests.support.ingest_github import Story, enter

LIMIT_SECONDS: Final = 3.0
EVERY_SECONDS: Final = 0.5
LOOK_EVERY_SECONDS: Final = 0.02
# Known by its webhooks alone, so that the run has no say about it.
_HOOKED: Final = {"id": 79_999, "full_name": "Acme/hooked"}
_RUNNING: Final = (ingest_runs_pb2.INGEST_STATE_QUEUED, ingest_runs_pb2.INGEST_STATE_RUNNING)


async def run() -> list[Figure]:
    """The figure; about three minutes."""
    told = story(REPOSITORIES, is_filled=False)
    with servers() as having, recorded_github(REPOSITORIES) as github:
        url = having.new_database("base")
        migrate(url, having)
        await fetch_alone(github.api_url, told)
        _enter(told, having)
        key = trust_gateway(having)
        with _told_of(github, having):
            async with laurel(having, url) as (_, caller), gateway(caller, key) as inbox:
                waits, seconds, count = await _beside(caller, inbox, told)
    say(f"{count:,} signals read in {seconds:.0f} s beside {len(waits)} webhooks")
    return [
        Figure(
            "webhook to rank, backfill",
            "p95 from acknowledged to the changed score read, while the same installation's history"
            f" is read and scored: one each {EVERY_SECONDS} s",
            "3 s",
            p95(waits) / LIMIT_SECONDS,
            1.0,
            at_least=False,
            unit="s",
            subject_values=waits,
            limit_values=[LIMIT_SECONDS],
            notes={
                "p50": median(waits),
                "p95": p95(waits),
                "slowest": max(waits),
                "signals of the backfill": count,
                "seconds of the backfill": round(seconds),
            },
        )
    ]


def _enter(told: Story, having: Servers) -> None:
    """What identity has of the organization once the App is installed for all of it."""
    endpoints = Endpoints(having.postgres.url(database="postgres"), "base", passwords(having))
    database = Database("base", endpoints)
    enter(told, database)
    with database.connect() as connection:
        connection.execute(
            "INSERT INTO installation_repositories (installation_id, repository_id)"
            " SELECT %s, id FROM repositories",
            [told.installation.id],
        )


@contextmanager
def _told_of(github: Recorded, having: Servers) -> Iterator[None]:
    """The services' environment says where GitHub is, and as which App they ask it."""
    key_file = having.root / "app.pem"
    key_file.write_text(github.private_key)
    key_file.chmod(0o600)
    told = {
        "LAUREL_WEBHOOK_SECRETS": SECRET,
        "LAUREL_GITHUB_API_URL": github.api_url,
        "LAUREL_GITHUB_APP_ID": str(github.app_id),
        "LAUREL_GITHUB_APP_PRIVATE_KEY_FILE": str(key_file),
    }
    os.environ.update(told)
    try:
        yield
    finally:
        for name in told:
            del os.environ[name]


async def _beside(
    caller: Caller, inbox: webhook_pb2_grpc.WebhookServiceStub, told: Story
) -> tuple[list[float], float, int]:
    """Seconds from each acknowledgement to the board that has its author; those of the run; its
    signals.
    """
    acknowledged: dict[int, float] = {}
    waits: dict[int, float] = {}
    is_over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(_look(caller, told, acknowledged, waits, is_over))
        started = time.perf_counter()
        run = await _start(caller, told)
        number = 0
        while run.state in _RUNNING:
            number += 1
            await inbox.ReceiveWebhook(_opened(told, number))
            acknowledged[5_000 + number] = time.perf_counter()
            await asyncio.sleep(EVERY_SECONDS)
            run = await _get(caller, told, run.id)
        seconds = time.perf_counter() - started
        is_over.set()
    assert run.state == ingest_runs_pb2.INGEST_STATE_SUCCEEDED, run
    return list(waits.values()), seconds, run.new_count


async def _look(
    caller: Caller,
    told: Story,
    acknowledged: dict[int, float],
    waits: dict[int, float],
    is_over: asyncio.Event,
) -> None:
    """Reads the board again and again until it has everybody."""
    async with caller.channel("leaderboard") as channel:
        boards = leaderboard_pb2_grpc.LeaderboardServiceStub(channel)
        while not is_over.is_set() or acknowledged.keys() - waits.keys():
            seen = await _people(boards, told)
            now = time.perf_counter()
            for person in seen & acknowledged.keys():
                waits.setdefault(person, now - acknowledged[person])
            await asyncio.sleep(LOOK_EVERY_SECONDS)


async def _people(boards: leaderboard_pb2_grpc.LeaderboardServiceStub, told: Story) -> set[int]:
    """Whom the organization's board has."""
    board = board_pb2.Board(
        installation_id=told.installation.id,
        scope_type=types_pb2.SCOPE_TYPE_ORGANIZATION,
        entity_type=types_pb2.ENTITY_TYPE_CONTRIBUTOR,
        time_period=types_pb2.TIME_PERIOD_ALL_TIME,
    )
    request = leaderboard_pb2.GetLeaderboardRequest(board=board, page_size=500)
    try:
        return {entry.entity.id for entry in (await boards.GetLeaderboard(request)).entries}
    except RemoteError as error:
        if error.code != "NOT_FOUND":
            raise
        return set()


async def _start(caller: Caller, told: Story) -> ingest_runs_pb2.Ingest:
    async with caller.channel("ingest") as channel:
        ingest = ingest_pb2_grpc.IngestServiceStub(channel)
        asked = ingest_runs_pb2.StartIngestRequest(installation_id=told.installation.id, force=True)
        return (await ingest.StartIngest(asked)).ingest


async def _get(caller: Caller, told: Story, ingest_id: int) -> ingest_runs_pb2.Ingest:
    async with caller.channel("ingest") as channel:
        ingest = ingest_pb2_grpc.IngestServiceStub(channel)
        asked = ingest_runs_pb2.GetIngestRequest(
            installation_id=told.installation.id, ingest_id=ingest_id
        )
        return (await ingest.GetIngest(asked)).ingest


def _opened(told: Story, number: int) -> webhook_pb2.ReceiveWebhookRequest:
    owner = {"id": told.organization.id, "login": told.organization.login, "type": "Organization"}
    return opened_issue(
        owner, _HOOKED, number=number, person=number, installation_id=told.installation.id
    )
