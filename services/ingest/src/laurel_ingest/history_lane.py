"""Puts the reading of history together: runs, their repositories, and the workers of both."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from laurel_common.clock import Clock
from laurel_common.jobs import JobQueue, Loop, Worker
from laurel_common.page_token import PageTokens
from laurel_ingest.application.follow_boards import BulkWrite
from laurel_ingest.application.history.coverage import GetCoverage, SummarizeCoverage
from laurel_ingest.application.history.github import InstallationTokens
from laurel_ingest.application.history.page_store import PageStore
from laurel_ingest.application.history.ports import Roster
from laurel_ingest.application.history.read_ingests import CancelIngest, ListIngests, WatchIngest
from laurel_ingest.application.history.read_repository import ReadRepository
from laurel_ingest.application.history.read_rewritten import ReadRewritten
from laurel_ingest.application.history.reconcile import CRON, BeginHistory, Reconcile
from laurel_ingest.application.history.run_ingest import RunIngest
from laurel_ingest.application.history.start_ingest import StartIngest
from laurel_ingest.application.ports import Directory
from laurel_ingest.clients.github.history import GraphQLHistory
from laurel_ingest.clients.github.http import Connections, GraphQL
from laurel_ingest.clients.github.lists import RestLists
from laurel_ingest.config import IngestSettings
from laurel_ingest.rpc.ingest_runs import IngestRunCases
from laurel_ingest.storage.coverage import PostgresCoverage
from laurel_ingest.storage.histories import Budgets, Histories
from laurel_ingest.storage.ingest_runs import RunTable
from laurel_ingest.storage.ingest_works import OpenWorks, WorkTable
from laurel_ingest.storage.lanes import INGEST_REPOSITORIES, INGEST_RUNS, INGEST_URGENT
from laurel_ingest.storage.postgres import PostgresStorage
from laurel_ingest.storage.rewritten_branches import RewrittenTable
from laurel_ingest.storage.sightings import Sightings
from laurel_ingest.telemetry import NewestPageMetrics

_URGENT_AT_ONCE = 1
_REWRITTEN_EVERY_SECONDS = 10.0


@dataclass(slots=True)
class HistoryLane:
    """The use cases, and what works in the background once `start` is called."""

    cases: IngestRunCases
    queue: JobQueue
    runs_worker: Worker
    works_worker: Worker
    urgent_worker: Worker
    rewritten: Loop
    connections: Connections
    runs: RunTable
    run_ingest: RunIngest
    read_repository: ReadRepository
    reconcile: Reconcile
    begin: BeginHistory
    metrics: NewestPageMetrics
    read_rewritten: ReadRewritten

    def start(self) -> None:
        """Called within the running loop."""
        self.runs_worker.start()
        self.works_worker.start()
        self.urgent_worker.start()
        self.rewritten.start()

    def closers(self) -> list[Callable[[], Awaitable[object]]]:
        """What ends the background work, to be called in reverse order."""
        workers = (self.runs_worker, self.works_worker, self.urgent_worker)
        return [self.connections.aclose, *(each.stop for each in workers), self.rewritten.stop]


def build_history_lane(
    settings: IngestSettings,
    *,
    engine: AsyncEngine,
    directory: Directory,
    roster: Roster,
    installation_tokens: InstallationTokens,
    tokens: PageTokens,
    clock: Clock,
    bulk: BulkWrite | None = None,
) -> HistoryLane:
    """With a storage of its own, so that it takes no turns of imports and webhooks. `bulk` tells
    whoever follows boards what runs write.
    """
    bulk = bulk or BulkWrite()
    at_once = settings.ingest_concurrency
    runs_queue = JobQueue(settings.database_url, INGEST_RUNS)
    works_queue = JobQueue(settings.database_url, INGEST_REPOSITORIES, pool_size=at_once + 3)
    urgent_queue = JobQueue(settings.database_url, INGEST_URGENT, pool_size=_URGENT_AT_ONCE + 3)
    runs = RunTable(engine, runs_queue, works_queue, urgent_queue)
    works = WorkTable(engine, works_queue, urgent_queue, runs_queue)
    histories, budgets = Histories(engine), Budgets(engine)
    connections = Connections(settings.github_api_url, installation_tokens, clock)
    github = GraphQLHistory(GraphQL(connections))
    metrics = NewestPageMetrics()
    lists = RestLists(connections, metrics.count)
    storage = PostgresStorage(engine, writers=max(1, at_once // 2), boards_follow=True)
    run_ingest = RunIngest(
        runs=runs,
        histories=histories,
        budgets=budgets,
        github=github,
        lists=lists,
        roster=roster,
        clock=clock,
        bulk=bulk,
    )
    read_repository = ReadRepository(
        works=works,
        histories=histories,
        budgets=budgets,
        github=github,
        lists=lists,
        sightings=Sightings(engine),
        pages=PageStore(storage, directory, works, clock, bulk),
        clock=clock,
    )
    reconcile = Reconcile(runs, roster, clock)
    runs_queue.register(run_ingest)
    runs_queue.every(CRON, reconcile)
    works_queue.register(read_repository)
    urgent_queue.register(read_repository)
    read_rewritten = ReadRewritten(RewrittenTable(engine), runs, roster, clock)
    coverage = PostgresCoverage(engine, clock)
    cases = IngestRunCases(
        start=StartIngest(runs, roster, clock),
        runs=runs,
        list_ingests=ListIngests(runs, tokens),
        watch=WatchIngest(runs),
        coverage=GetCoverage(coverage, tokens),
        summarize=SummarizeCoverage(coverage, roster),
        cancel=CancelIngest(runs, clock),
    )
    return HistoryLane(
        cases=cases,
        queue=runs_queue,
        runs_worker=Worker(runs_queue, runs),
        works_worker=Worker(
            works_queue, OpenWorks(engine, works_queue, is_urgent=False), concurrency=at_once
        ),
        urgent_worker=Worker(
            urgent_queue,
            OpenWorks(engine, urgent_queue, is_urgent=True),
            concurrency=_URGENT_AT_ONCE,
        ),
        rewritten=Loop("read-rewritten", read_rewritten, every_seconds=_REWRITTEN_EVERY_SECONDS),
        connections=connections,
        metrics=metrics,
        runs=runs,
        run_ingest=run_ingest,
        read_repository=read_repository,
        reconcile=reconcile,
        begin=BeginHistory(runs, roster, clock),
        read_rewritten=read_rewritten,
    )
