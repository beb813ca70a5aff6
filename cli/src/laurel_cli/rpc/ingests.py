"""Runs that read history from GitHub, and what they cover."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from laurel.common.v1 import types_pb2
from laurel.identity.v1 import directory_lists_pb2, directory_pb2_grpc
from laurel.ingest.v1 import ingest_pb2_grpc, ingest_runs_pb2
from laurel_cli.rpc.caller import Caller
from laurel_common.errors import LaurelError, RemoteError

_PAUSE = 1.0
_ENDED = (
    ingest_runs_pb2.INGEST_STATE_SUCCEEDED,
    ingest_runs_pb2.INGEST_STATE_FAILED,
    ingest_runs_pb2.INGEST_STATE_CANCELLED,
)
# A stream that ends in one of these may be opened again.
_AWAY = frozenset(
    {"DATABASE_UNAVAILABLE", "NOT_SERVING", "DEPENDENCY_UNAVAILABLE", "READER_TOO_SLOW"}
)
_PAGE = 1_000


class IngestFailedError(LaurelError):
    """A run was given up, or cancelled."""

    reason = "INGEST_FAILED"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be read; 0 is no team and no repository."""

    installation_id: int
    team_id: int = 0
    repository_id: int = 0
    period: types_pb2.TimePeriod.ValueType = types_pb2.TIME_PERIOD_ALL_TIME
    force: bool = False


async def start_ingest(caller: Caller, wanted: Wanted) -> ingest_runs_pb2.Ingest:
    """Asks for history to be read; returns the run that will do it."""
    request = ingest_runs_pb2.StartIngestRequest(
        installation_id=wanted.installation_id, time_period=wanted.period, force=wanted.force
    )
    if wanted.team_id:
        request.team_id = wanted.team_id
    elif wanted.repository_id:
        request.repository_id = wanted.repository_id
    async with caller.channel("ingest") as channel:
        answer: ingest_runs_pb2.StartIngestResponse = await ingest_pb2_grpc.IngestServiceStub(
            channel
        ).StartIngest(request)
    return answer.ingest


async def wait_for_ingest(
    caller: Caller,
    run: ingest_runs_pb2.Ingest,
    on_progress: Callable[[ingest_runs_pb2.Ingest], None],
) -> ingest_runs_pb2.Ingest:
    """Waits until the run has ended; raises IngestFailedError where it did not succeed."""
    request = ingest_runs_pb2.WatchIngestRequest(
        installation_id=run.installation_id, ingest_id=run.id
    )
    async with caller.channel("ingest") as channel:
        stub = ingest_pb2_grpc.IngestServiceStub(channel)
        while run.state not in _ENDED:
            try:
                async for response in stub.WatchIngest(request):
                    run = response.ingest
                    on_progress(run)
            except RemoteError as error:
                if error.reason not in _AWAY:
                    raise
                await asyncio.sleep(_PAUSE)
    if run.state != ingest_runs_pb2.INGEST_STATE_SUCCEEDED:
        raise IngestFailedError(f"run {run.id} ended: {run.failure_reason or 'cancelled'}")
    return run


async def get_ingest(caller: Caller, installation_id: int, run_id: int) -> ingest_runs_pb2.Ingest:
    """One run."""
    request = ingest_runs_pb2.GetIngestRequest(installation_id=installation_id, ingest_id=run_id)
    async with caller.channel("ingest") as channel:
        answer: ingest_runs_pb2.GetIngestResponse = await ingest_pb2_grpc.IngestServiceStub(
            channel
        ).GetIngest(request)
    return answer.ingest


async def list_ingests(
    caller: Caller, installation_id: int, limit: int
) -> list[ingest_runs_pb2.Ingest]:
    """The newest runs."""
    request = ingest_runs_pb2.ListIngestsRequest(installation_id=installation_id, page_size=limit)
    async with caller.channel("ingest") as channel:
        answer: ingest_runs_pb2.ListIngestsResponse = await ingest_pb2_grpc.IngestServiceStub(
            channel
        ).ListIngests(request)
    return list(answer.ingests)


async def cancel_ingest(
    caller: Caller, installation_id: int, run_id: int
) -> ingest_runs_pb2.Ingest:
    """Ends a run."""
    request = ingest_runs_pb2.CancelIngestRequest(installation_id=installation_id, ingest_id=run_id)
    async with caller.channel("ingest") as channel:
        answer: ingest_runs_pb2.CancelIngestResponse = await ingest_pb2_grpc.IngestServiceStub(
            channel
        ).CancelIngest(request)
    return answer.ingest


async def coverage_of(
    caller: Caller, installation_id: int
) -> AsyncIterator[ingest_runs_pb2.RepositoryCoverage]:
    """What of each repository is known."""
    request = ingest_runs_pb2.GetCoverageRequest(installation_id=installation_id, page_size=_PAGE)
    async with caller.channel("ingest") as channel:
        stub = ingest_pb2_grpc.IngestServiceStub(channel)
        while True:
            answer: ingest_runs_pb2.GetCoverageResponse = await stub.GetCoverage(request)
            for each in answer.repositories:
                yield each
            if not answer.next_page_token:
                return
            request.page_token = answer.next_page_token


async def coverage_line(caller: Caller, installation_id: int) -> str:
    """What of all its repositories is known, in a line."""
    request = ingest_runs_pb2.SummarizeCoverageRequest(installation_id=installation_id)
    async with caller.channel("ingest") as channel:
        answer: ingest_runs_pb2.SummarizeCoverageResponse = await ingest_pb2_grpc.IngestServiceStub(
            channel
        ).SummarizeCoverage(request)
    return answer.summary.line


async def repository_names(caller: Caller, installation_id: int) -> dict[int, str]:
    """Full names of an installation's repositories by id."""
    names: dict[int, str] = {}
    request = directory_lists_pb2.ListRepositoriesRequest(
        installation_id=installation_id, page_size=10_000
    )
    async with caller.channel("identity") as channel:
        stub = directory_pb2_grpc.DirectoryServiceStub(channel)
        while True:
            answer: directory_lists_pb2.ListRepositoriesResponse = await stub.ListRepositories(
                request
            )
            names |= {each.id: each.full_name for each in answer.repositories}
            if not answer.next_page_token:
                return names
            request.page_token = answer.next_page_token
