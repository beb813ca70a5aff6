"""IngestService on the wire."""

from typing import Any

from laurel.ingest.v1 import ingest_pb2, ingest_pb2_grpc, partitions_pb2
from laurel_common.rpc.server import Servicer
from laurel_ingest.application.partitions import DropOldPartitions, GetPartitionHealth
from laurel_ingest.rpc import convert_corrections as convert
from laurel_ingest.rpc.ingest_runs import IngestRunCases, IngestRunMethods


class IngestServicer(IngestRunMethods):
    """Reads history, and runs ingest."""

    def __init__(
        self, health: GetPartitionHealth, drop: DropOldPartitions, cases: IngestRunCases
    ) -> None:
        super().__init__(cases)
        self._health = health
        self._drop = drop

    async def GetPartitionHealth(
        self, _request: partitions_pb2.GetPartitionHealthRequest, _context: Any
    ) -> partitions_pb2.GetPartitionHealthResponse:
        """Monthly partitions, and what the default one holds."""
        return convert.health(await self._health())

    async def DropOldPartitions(
        self, request: partitions_pb2.DropOldPartitionsRequest, _context: Any
    ) -> partitions_pb2.DropOldPartitionsResponse:
        """What went, or would go."""
        old = await self._drop(request.keep_months, confirmed=request.confirmed)
        return partitions_pb2.DropOldPartitionsResponse(
            partitions=convert.partitions(old), dropped=request.confirmed
        )


def served(servicer: IngestServicer) -> Servicer:
    """The servicer as a server takes it."""
    return (
        ingest_pb2_grpc.add_IngestServiceServicer_to_server,
        servicer,
        ingest_pb2.DESCRIPTOR.services_by_name["IngestService"],
    )
