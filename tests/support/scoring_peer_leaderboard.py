"""Leaderboard as scoring meets it."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from grpc_status import rpc_status

from laurel.leaderboard.v1 import materialization_pb2, materialization_pb2_grpc
from laurel_common.errors import ConcurrentChange
from laurel_common.rpc.status import to_status
from tests.support.scoring_peer_failures import Failures


@dataclass
class StoredBoard:
    """A current version as the fake leaderboard keeps it."""

    header: materialization_pb2.PublishHeader
    board: materialization_pb2.PublishBoard
    version: int
    rows: list[dict[str, Any]]


class FakeLeaderboard(materialization_pb2_grpc.MaterializationServiceServicer):
    """Keeps current versions by board; each group whole or not at all, unchanged boards as is."""

    def __init__(self, failures: Failures) -> None:
        self.current: dict[tuple[int, ...], StoredBoard] = {}
        self.failures = failures
        self.publications = 0
        # The preset that reads are served from.
        self.served = 0
        # Where it is not set, each family waits before it is stored to be let through.
        self.gate = asyncio.Event()
        self.gate.set()
        self._passes = asyncio.Semaphore(0)
        # Marks in their order: the cause of each.
        self.marks: list[int] = []

    def rows(self, *key: int) -> list[dict[str, Any]]:
        """The rows of one board: (scope_type, scope_id, entity_type, time_period), as numbered
        on the wire.
        """
        return self.current[key].rows

    def let_through(self, families: int) -> None:
        """Lets as many of those that wait, or will, be stored."""
        for _ in range(families):
            self._passes.release()

    async def _turn(self) -> None:
        waits = [asyncio.ensure_future(each) for each in (self.gate.wait(), self._passes.acquire())]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()

    async def MarkStale(  # noqa: N802 - the method's name on the wire
        self, request: materialization_pb2.MarkStaleRequest, context: Any
    ) -> materialization_pb2.MarkStaleResponse:
        await self.failures.check("MarkStale", context)
        assert not request.boards, "a run concerns all boards"
        self.marks.append(request.cause)
        return materialization_pb2.MarkStaleResponse(mark=len(self.marks))

    async def PublishMaterialization(  # noqa: N802 - the method's name on the wire
        self,
        request_iterator: AsyncIterator[materialization_pb2.PublishMaterializationRequest],
        context: Any,
    ) -> materialization_pb2.PublishMaterializationResponse:
        await self.failures.check("PublishMaterialization", context)
        header, published, unchanged = materialization_pb2.PublishHeader(), 0, 0
        boards: list[materialization_pb2.PublishBoard] = []
        tables: list[Any] = []
        async for message in request_iterator:
            kind = message.WhichOneof("message")
            if kind == "header":
                header = message.header
            elif kind == "boards":
                boards, tables = list(message.boards.boards), []
            elif kind == "unchanged":
                unchanged += await self._note_unchanged(header, message.unchanged.boards, context)
            elif kind == "rows":
                tables.append(pa.ipc.open_stream(message.rows).read_all())
            else:
                await self._turn()
                await self.failures.check("PublishMaterialization.commit", context)
                fresh, same = self._store(header, boards, tables)
                published, unchanged = published + fresh, unchanged + same
        self.publications += 1
        if header.serve_preset:
            self.served = header.preset_id
        return materialization_pb2.PublishMaterializationResponse(
            published_count=published, unchanged_count=unchanged
        )

    async def _note_unchanged(self, header: Any, told: Sequence[Any], context: Any) -> int:
        count = 0
        for each in told:
            known = [
                stored
                for (_, _, _, period), stored in self.current.items()
                if period == each.time_period
                and (stored.header.as_of, stored.header.input_mark) == (each.as_of, each.input_mark)
            ]
            if len(known) != each.board_count:
                error = to_status(ConcurrentChange(), "")
                await context.abort_with_status(rpc_status.to_status(error))
            for stored in known:
                stored.header = header
            count += len(known)
        return count

    def _store(self, header: Any, boards: Sequence[Any], tables: Iterable[Any]) -> tuple[int, int]:
        rows: list[list[dict[str, Any]]] = [[] for _ in boards]
        for table in tables:
            for row in table.to_pylist():
                rows[row["board"]].append(row)
        published = unchanged = 0
        for board, own in zip(boards, rows, strict=True):
            assert len(own) == board.row_count
            key = (board.scope_type, board.scope_id, board.entity_type, board.time_period)
            before = self.current.get(key)
            if before is not None and before.board.digest == board.digest:
                before.header = header
                unchanged += 1
                continue
            version = before.version + 1 if before else 1
            self.current[key] = StoredBoard(header, board, version, own)
            published += 1
        return published, unchanged

    async def ListMaterializations(  # noqa: N802 - the method's name on the wire
        self, request: materialization_pb2.ListMaterializationsRequest, context: Any
    ) -> materialization_pb2.ListMaterializationsResponse:
        await self.failures.check("ListMaterializations", context)
        asked = request.board
        found = []
        for (scope, scope_id, entity, period), stored in self.current.items():
            if (scope, entity, period) != (
                asked.scope_type,
                asked.entity_type,
                asked.time_period,
            ) or asked.scope_id not in (0, scope_id):
                continue
            board = type(asked)()
            board.CopyFrom(asked)
            board.scope_id, board.preset_id = scope_id, stored.header.preset_id
            found.append(
                materialization_pb2.Materialization(
                    id=1,
                    board=board,
                    version=stored.version,
                    as_of=stored.header.as_of,
                    rules_json=stored.header.rules_json,
                    input_mark=stored.header.input_mark,
                )
            )
        return materialization_pb2.ListMaterializationsResponse(materializations=found)
