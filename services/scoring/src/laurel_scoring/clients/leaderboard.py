"""Publishes boards to leaderboard and asks it for current versions."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import UTC

import grpc
import numpy as np
import pyarrow as pa
from google.protobuf.timestamp_pb2 import Timestamp

from laurel.common.v1 import board_pb2
from laurel.leaderboard.v1 import materialization_pb2 as pb
from laurel.leaderboard.v1 import materialization_pb2_grpc
from laurel_common.errors import RemoteError
from laurel_scoring.application.ports import (
    BoardKey,
    PublicationHeader,
    PublishedVersion,
    UnchangedBoards,
)
from laurel_scoring.domain.columns import Int32s, Int64s
from laurel_scoring.domain.digests import FamilyChanges
from laurel_scoring.domain.results import BoardFamily
from laurel_scoring.domain.runs import Change
from laurel_scoring.domain.vocabulary import Category, SignalType

MAX_BOARDS = 10_000
MAX_ROWS = 50_000

Message = pb.PublishMaterializationRequest


class LeaderboardBoards:
    """Implements Boards. The wire numbers enums from 1, the engine from 0."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = materialization_pb2_grpc.MaterializationServiceStub(channel)

    async def mark_stale(self, installation_id: int, change: Change) -> int:
        """See Boards."""
        request = pb.MarkStaleRequest(
            installation_id=installation_id,
            cause=pb.StaleCause.ValueType(change),
        )
        return (await self._stub.MarkStale(request)).mark

    async def publish(
        self,
        header: PublicationHeader,
        families: AsyncIterator[FamilyChanges],
        on_published: Callable[[int], None] | None = None,
        unchanged: Callable[[], Sequence[UnchangedBoards]] | None = None,
    ) -> int:
        """See Boards. A stream for each family, so that its end says what is readable; one is sent
        while the one before is committed.
        """
        count = 0
        sending: asyncio.Task[int] | None = None

        async def sent(task: asyncio.Task[int] | None) -> None:
            nonlocal count
            if task is not None:
                count += await task
                if on_published is not None:
                    on_published(count)

        following: asyncio.Task[int] | None = None
        try:
            async for family in families:
                if not family.changed:
                    continue
                following = asyncio.create_task(self._send(_family_messages(header, family)))
                await sent(sending)
                sending, following = following, None
            await sent(sending)
        finally:
            left = [task for task in (sending, following) if task is not None]
            for task in left:
                task.cancel()
            # Whoever tries again must not meet what still is on its way.
            await asyncio.gather(*left, return_exceptions=True)
        rest = [each for each in (unchanged() if unchanged else ()) if each.count]
        return count + await self._send(_last_messages(header, rest))

    async def _send(self, messages: AsyncIterator[Message]) -> int:
        response = await self._stub.PublishMaterialization(messages)
        return response.published_count + response.unchanged_count

    async def current(self, key: BoardKey) -> PublishedVersion | None:
        """See Boards."""
        request = pb.ListMaterializationsRequest(
            installation_id=key.installation_id,
            board=board_pb2.Board(
                installation_id=key.installation_id,
                preset_id=key.preset_id,
                scope_type=key.scope_type + 1,  # type: ignore[arg-type]  # the wire's number
                scope_id=key.scope_id,
                entity_type=key.entity_type + 1,  # type: ignore[arg-type]  # the wire's number
                time_period=key.time_period + 1,  # type: ignore[arg-type]  # the wire's number
            ),
            current_only=True,
            page_size=1,
        )
        try:
            response = await self._stub.ListMaterializations(request)
        except RemoteError as error:
            if error.reason == "BOARD_NOT_FOUND":
                return None
            raise
        for found in response.materializations:
            return PublishedVersion(
                materialization_id=found.id,
                preset_id=found.board.preset_id,
                scope_id=found.board.scope_id,
                version=found.version,
                as_of=found.as_of.ToDatetime(tzinfo=UTC),
                rules_json=found.rules_json,
                input_mark=found.input_mark,
            )
        return None


async def _family_messages(
    header: PublicationHeader, changes: FamilyChanges
) -> AsyncIterator[Message]:
    yield _header(header)
    for first in range(0, len(changes.changed), MAX_BOARDS):
        numbers = changes.changed[first : first + MAX_BOARDS]
        yield _boards(header, changes, numbers)
        for rows in _row_streams(changes.family, numbers):
            yield Message(rows=rows)
        yield Message(commit=pb.PublishCommit())


async def _last_messages(
    header: PublicationHeader, unchanged: Sequence[UnchangedBoards]
) -> AsyncIterator[Message]:
    """Once every changed board is there: the others were checked, and the preset is served."""
    yield _header(header, serve_preset=True)
    if unchanged:
        yield Message(
            unchanged=pb.PublishUnchanged(boards=[_unchanged(each) for each in unchanged])
        )


def _unchanged(boards: UnchangedBoards) -> pb.UnchangedBoards:
    message = pb.UnchangedBoards(
        time_period=boards.time_period + 1,  # type: ignore[arg-type]  # the wire's number
        input_mark=boards.input_mark,
        board_count=boards.count,
    )
    message.as_of.FromDatetime(boards.as_of)
    return message


def _header(header: PublicationHeader, *, serve_preset: bool = False) -> Message:
    as_of = Timestamp()
    as_of.FromDatetime(header.as_of)
    return Message(
        header=pb.PublishHeader(
            installation_id=header.installation_id,
            preset_id=header.preset_id,
            organization_id=header.organization_id,
            as_of=as_of,
            rules_json=header.rules_json,
            input_mark=header.input_mark,
            serve_preset=serve_preset,
            stale_mark=header.stale_mark,
        )
    )


def _boards(header: PublicationHeader, changes: FamilyChanges, numbers: Sequence[int]) -> Message:
    family = changes.family
    sizes = np.diff(family.board_start).tolist()
    signals = family.signal_count.tolist()
    scopes = family.scope_ids.tolist()
    return Message(
        boards=pb.PublishBoards(
            boards=[
                pb.PublishBoard(
                    scope_type=family.scope_type + 1,  # type: ignore[arg-type]  # the wire's number
                    scope_id=scopes[number // family.windows],
                    entity_type=family.entity_type + 1,  # type: ignore[arg-type]  # the wire's number
                    time_period=header.periods[number % family.windows] + 1,  # type: ignore[arg-type]  # the wire's number
                    row_count=sizes[number],
                    signal_count=signals[number],
                    digest=changes.digests[number],
                )
                for number in numbers
            ]
        )
    )


def _row_streams(family: BoardFamily, numbers: Sequence[int]) -> Iterator[bytes]:
    """The rows of some boards as Arrow IPC streams of MAX_ROWS rows each."""
    rows = family.rows_of(numbers)
    sizes = np.diff(family.board_start)[list(numbers)]
    board = np.repeat(np.arange(len(numbers), dtype=np.int32), sizes)
    for begin in range(0, len(rows), MAX_ROWS):
        piece = slice(begin, begin + MAX_ROWS)
        batch = _batch(family, rows[piece], board[piece])
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as writer:
            writer.write_batch(batch)
        yield sink.getvalue().to_pybytes()


def _batch(family: BoardFamily, rows: Int64s, board: Int32s) -> pa.RecordBatch:
    columns = {
        "board": board,
        "entity_id": family.entity_id[rows],
        "rank": family.rank[rows],
        "score_e4": family.score_e4[rows],
    }
    for part in Category:
        columns[f"{part.name.lower()}_e4"] = family.breakdown_e4[rows, part]
    for kind in SignalType:
        columns[f"count_{kind.name.lower()}"] = family.counts[rows, kind]
    columns["additions"] = family.additions[rows]
    columns["deletions"] = family.deletions[rows]
    arrays = {name: pa.array(np.ascontiguousarray(values)) for name, values in columns.items()}
    size = len(rows)
    if family.member_count is None:
        arrays["member_count"] = pa.nulls(size, pa.int32())
    else:
        arrays["member_count"] = pa.array(family.member_count[rows])
    return pa.RecordBatch.from_pydict(arrays)
