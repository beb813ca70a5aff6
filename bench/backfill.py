"""A backfill: 100 repositories with 200,000 signals from a recorded GitHub into the database,
against the same answers fetched and parsed alone.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from bench.measure import Figure, median_ratio
from bench.recorded_github import SIZE, recorded_github, story
from bench.stack import Servers, migrate, say, servers
from laurel_common.clock import SystemClock
from laurel_common.rpc.run import spare_the_collector
from laurel_ingest.application.history.github import Listing
from laurel_ingest.application.history.ports import RunRequest
from laurel_ingest.clients.github.history import GraphQLHistory
from laurel_ingest.clients.github.http import Connections, GraphQL
from laurel_ingest.domain.history.progress import PAGE_SIZES, Phase
from laurel_ingest.domain.history.runs import Preset, Run, RunState, Scope
from laurel_ingest.history_lane import HistoryLane
from tests.support.database import Database
from tests.support.endpoints import Endpoints
from tests.support.history_worker import ForeignTokens, lane_of
from tests.support.ingest_github import Story, enter

REPOSITORIES: Final = int(os.environ.get("BENCH_REPOSITORIES", "100"))
AT_ONCE: Final = 4
PAIRS: Final = 2
# What an answer takes: a tenth or less of what GitHub's take. So a hundred repositories are read
# more than five times as fast as its 2,000 points a minute let anybody read them.
PACE_SECONDS: Final = 0.05
# A request for each object, as REST would take, costs a point each.
FEWER: Final = 20
_LISTINGS: Final = (
    (Phase.COMMITS, Listing.COMMITS),
    (Phase.PULLS, Listing.PULLS),
    (Phase.ISSUES, Listing.ISSUES),
)


@dataclass(frozen=True, slots=True)
class Read:
    """What a backfill came to."""

    run: Run
    seconds: float


async def run() -> list[Figure]:
    """The figures; about five minutes."""
    told = story(REPOSITORIES, is_filled=False)
    spare_the_collector()  # as every service does, once it is loaded
    with servers() as having, recorded_github(REPOSITORIES) as github:
        migrate(having.new_database("base"), having)
        started = time.perf_counter()
        await fetch_alone(github.api_url, told)
        say(f"answers made up in {time.perf_counter() - started:.0f} s")
        at_once, read = await _pairs(having, github.api_url, told, "at_once")
        github.answer_after(PACE_SECONDS)
        paced, _ = await _pairs(having, github.api_url, told, "paced")
    points = 1_000 * read.run.point_count / read.run.new_count
    say(f"{points:.1f} points per 1,000 signals, {read.run.request_count} requests")
    return [
        _figure("backfill", f"answers after {PACE_SECONDS * 1_000:.0f} ms", paced),
        _figure("backfill, at once", "answers at once", at_once),
        Figure(
            "backfill points",
            "GraphQL points per 1,000 signals",
            "a request for each",
            points / 1_000,
            1 / FEWER,
            at_least=False,
            unit="points",
            subject_values=[points],
            limit_values=[1_000.0],
            notes={"requests": read.run.request_count, "points": read.run.point_count},
        ),
    ]


async def _pairs(
    having: Servers, api_url: str, told: Story, name: str
) -> tuple[tuple[list[float], list[float]], Read]:
    """Signals a second of backfills, and of the same answers fetched and parsed alone."""
    ours: list[float] = []
    alone: list[float] = []
    for number in range(PAIRS):
        read = await backfill(having, api_url, told, f"{name}{number}")
        assert read.run.new_count > REPOSITORIES * SIZE.commits
        seconds = await fetch_alone(api_url, told)
        ours.append(read.run.new_count / read.seconds)
        alone.append(read.run.new_count / seconds)
        say(f"backfill {ours[-1]:,.0f}, fetched and parsed alone {alone[-1]:,.0f} signals/s")
    return (ours, alone), read


def _figure(name: str, pace: str, rates: tuple[list[float], list[float]]) -> Figure:
    ours, alone = rates
    return Figure(
        name,
        f"signals of {REPOSITORIES} repositories, from StartIngest on; {pace}",
        "the same answers fetched and parsed alone",
        median_ratio(ours, alone),
        0.5,
        at_least=True,
        unit="signals/s",
        subject_values=ours,
        limit_values=alone,
    )


async def backfill(having: Servers, api_url: str, told: Story, name: str) -> Read:
    """One run on a database that knows nothing yet, from its request to its end."""
    having.new_database(name, template="base")
    endpoints = Endpoints(having.postgres.url(database="postgres"), "base", passwords(having))
    database = Database(name, endpoints)
    try:
        enter(told, database)
        async with _lane(having, database, api_url) as lane:
            lane.start()
            scope = Scope(told.installation.id)
            asked = RunRequest(scope, Preset.ALL_TIME, "bench", is_forced=True)
            started = time.perf_counter()
            found = await lane.runs.request(asked, told.organization.id, datetime.now(UTC))
            while not found.state.is_over:
                await asyncio.sleep(0.1)
                found = await lane.runs.get(scope.installation_id, found.id)
            seconds = time.perf_counter() - started
    finally:
        having.drop_database(name)
    assert found.state is RunState.SUCCEEDED, found
    return Read(found, seconds)


@asynccontextmanager
async def _lane(having: Servers, database: Database, api_url: str) -> AsyncIterator[HistoryLane]:
    url = database.url("laurel_ingest")
    lane = lane_of(url, database.url(), api_url, having.root, at_once=AT_ONCE)
    try:
        yield lane
    finally:
        for close in reversed(lane.closers()):
            await close()


async def fetch_alone(api_url: str, told: Story) -> float:
    """Seconds that all pages take to come and be parsed, as many at a time as the lane reads."""
    connections = Connections(api_url, ForeignTokens(), SystemClock())
    history, waiting = GraphQLHistory(GraphQL(connections)), list(told.repositories)

    async def read() -> None:
        while waiting:
            await _pages(history, told, told.world.full_name(waiting.pop()))

    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(read())
    seconds = time.perf_counter() - started
    await connections.aclose()
    return seconds


async def _pages(history: GraphQLHistory, told: Story, full_name: str) -> None:
    """Every page of a repository, as a run asks for them."""
    installation_id = told.installation.id
    (found,), _ = await history.probe(installation_id, [full_name])
    assert found is not None
    owner, _, name = full_name.partition("/")
    head = {"head": found["defaultBranchRef"]["target"]["oid"], "since": None}
    for phase, listing in _LISTINGS:
        asked = {"owner": owner, "name": name} | (head if phase is Phase.COMMITS else {})
        after: str | None = None
        while True:
            variables = asked | {"size": PAGE_SIZES[phase], "after": after}
            after = (await history.page(installation_id, listing, variables)).after
            if after is None:
                break


def passwords(having: Servers) -> dict[str, str]:
    """Of the roles that a benchmark's own process takes."""
    return {"laurel_ingest": having.postgres.password("laurel_ingest")}
