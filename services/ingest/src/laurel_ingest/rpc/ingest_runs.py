"""The runs of IngestService on the wire."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from laurel.ingest.v1 import ingest_pb2_grpc, ingest_runs_pb2
from laurel_common.auth.principal import PrincipalKind
from laurel_common.errors import CallerNotAllowed
from laurel_common.surroundings import current_access, current_principal
from laurel_ingest.application.history.coverage import GetCoverage, SummarizeCoverage
from laurel_ingest.application.history.ports import RunStore
from laurel_ingest.application.history.read_ingests import (
    CancelIngest,
    ListIngests,
    WatchIngest,
    visible,
)
from laurel_ingest.application.history.start_ingest import StartIngest
from laurel_ingest.rpc import convert_ingest_runs as convert


@dataclass(frozen=True, slots=True)
class IngestRunCases:
    """The use cases of runs and coverage."""

    start: StartIngest
    runs: RunStore
    list_ingests: ListIngests
    cancel: CancelIngest
    watch: WatchIngest
    coverage: GetCoverage
    summarize: SummarizeCoverage


class IngestRunMethods(ingest_pb2_grpc.IngestServiceServicer):
    """Reads an installation's history from GitHub."""

    def __init__(self, cases: IngestRunCases) -> None:
        self._cases = cases

    async def StartIngest(
        self, request: ingest_runs_pb2.StartIngestRequest, _context: Any
    ) -> ingest_runs_pb2.StartIngestResponse:
        """Asks for the history of a scope to be read."""
        caller = current_principal()
        if request.force and caller.kind is not PrincipalKind.OPERATOR:
            raise CallerNotAllowed("force is the operator's")
        run = await self._cases.start(convert.run_request(request, caller.name))
        return ingest_runs_pb2.StartIngestResponse(ingest=convert.ingest(run))

    async def GetIngest(
        self, request: ingest_runs_pb2.GetIngestRequest, _context: Any
    ) -> ingest_runs_pb2.GetIngestResponse:
        """One run."""
        run = await self._cases.runs.get(request.installation_id, request.ingest_id)
        return ingest_runs_pb2.GetIngestResponse(
            ingest=convert.ingest(visible(run, current_access()))
        )

    async def ListIngests(
        self, request: ingest_runs_pb2.ListIngestsRequest, _context: Any
    ) -> ingest_runs_pb2.ListIngestsResponse:
        """A page of runs, newest first."""
        page = await self._cases.list_ingests(
            request.installation_id, request.page_size, request.page_token
        )
        return ingest_runs_pb2.ListIngestsResponse(
            ingests=[convert.ingest(run) for run in page.runs],
            next_page_token=page.next_page_token,
        )

    async def CancelIngest(
        self, request: ingest_runs_pb2.CancelIngestRequest, _context: Any
    ) -> ingest_runs_pb2.CancelIngestResponse:
        """Ends a run."""
        run = await self._cases.cancel(request.installation_id, request.ingest_id)
        return ingest_runs_pb2.CancelIngestResponse(ingest=convert.ingest(run))

    async def WatchIngest(
        self, request: ingest_runs_pb2.WatchIngestRequest, _context: Any
    ) -> AsyncIterator[ingest_runs_pb2.WatchIngestResponse]:
        """A run as it goes on."""
        access = current_access()
        async for run in self._cases.watch(request.installation_id, request.ingest_id):
            yield ingest_runs_pb2.WatchIngestResponse(ingest=convert.ingest(visible(run, access)))

    async def GetCoverage(
        self, request: ingest_runs_pb2.GetCoverageRequest, _context: Any
    ) -> ingest_runs_pb2.GetCoverageResponse:
        """What of each repository is known."""
        page = await self._cases.coverage(
            request.installation_id, request.page_size, request.page_token, current_access()
        )
        return convert.coverage(page)

    async def SummarizeCoverage(
        self, request: ingest_runs_pb2.SummarizeCoverageRequest, _context: Any
    ) -> ingest_runs_pb2.SummarizeCoverageResponse:
        """What of a scope is known."""
        found = await self._cases.summarize(convert.scope_of(request), current_access())
        return ingest_runs_pb2.SummarizeCoverageResponse(summary=convert.summary(found))
