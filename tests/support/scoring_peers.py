"""Ingest, identity and leaderboard as scoring meets them: real gRPC servers, scripted answers."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

import grpc
import pyarrow as pa
from grpc_status import rpc_status

from laurel.identity.v1 import (
    directory_lists_pb2,
    directory_lookups_pb2,
    directory_pb2_grpc,
    entities_pb2,
    installation_pb2,
    installation_pb2_grpc,
)
from laurel.ingest.v1 import signal_pb2_grpc, signal_reads_pb2
from laurel.leaderboard.v1 import materialization_pb2, materialization_pb2_grpc
from laurel_common.errors import LaurelError
from laurel_common.rpc.status import to_status
from laurel_scoring.domain.roster import Roster
from laurel_scoring.domain.vocabulary import ReviewState, SignalFlag, SignalType
from tests.support.naive_scoring import NaiveSignal


def signals_to_arrow(signals: Sequence[NaiveSignal]) -> bytes:
    """An Arrow IPC stream as signal.proto describes StreamSignals' batches."""

    def state(signal: NaiveSignal) -> int:
        name = str(signal.metadata.get("review_state", "none")).upper()
        return ReviewState[name] if name in ReviewState.__members__ else 0

    columns = {
        "user_id": pa.array([s.user_id for s in signals], pa.int64()),
        "repository_id": pa.array([s.repository_id for s in signals], pa.int64()),
        "type": pa.array([SignalType[s.type.upper()] + 1 for s in signals], pa.int16()),
        "value_e4": pa.array([int(s.value * 10_000) for s in signals], pa.int64()),
        "event_time": pa.array([s.event_timestamp for s in signals], pa.timestamp("us", "UTC")),
        "content_hash": pa.array([bytes.fromhex(s.content_hash) for s in signals], pa.binary()),
        "flags": pa.array(
            [sum(f for f in SignalFlag if s.flag((f.name or "").lower())) for s in signals],
            pa.int32(),
        ),
        "review_state": pa.array([state(s) for s in signals], pa.int16()),
        "additions": pa.array([s.number("additions") for s in signals], pa.int32()),
        "deletions": pa.array([s.number("deletions") for s in signals], pa.int32()),
    }
    batch = pa.RecordBatch.from_pydict(columns)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    data: bytes = sink.getvalue().to_pybytes()
    return data


@dataclass
class Failures:
    """Errors to answer with instead, by method, one after the other."""

    queued: dict[str, list[LaurelError]] = field(default_factory=dict)

    def next(self, method: str, *errors: LaurelError) -> None:
        """The next calls of `method` end in these errors."""
        self.queued.setdefault(method, []).extend(errors)

    async def check(self, method: str, context: Any) -> None:
        """Ends the call if its turn has come."""
        if waiting := self.queued.get(method):
            error = waiting.pop(0)
            await context.abort_with_status(rpc_status.to_status(to_status(error, "")))


class FakeIngest(signal_pb2_grpc.SignalServiceServicer):
    """Streams the signals that it holds, two at a time."""

    def __init__(self, failures: Failures) -> None:
        self.signals: list[NaiveSignal] = []
        self.bots: list[int] = []
        self.mark = "signals-1"
        self.failures = failures
        self.reads = 0
        self.gate = asyncio.Event()
        self.gate.set()
        # Set by the first read that begins.
        self.begun = asyncio.Event()

    async def StreamSignals(  # noqa: N802 - the method's name on the wire
        self, request: signal_reads_pb2.StreamSignalsRequest, context: Any
    ) -> AsyncIterator[signal_reads_pb2.StreamSignalsResponse]:
        self.reads += 1
        self.begun.set()
        await self.failures.check("StreamSignals", context)
        await self.gate.wait()
        header = signal_reads_pb2.StreamSignalsHeader(
            input_mark=self.mark,
            bot_user_ids=self.bots,
            signal_count_estimate=len(self.signals),
        )
        yield signal_reads_pb2.StreamSignalsResponse(header=header)
        until = request.end_time.ToDatetime(tzinfo=UTC)
        held = [each for each in self.signals if each.event_timestamp <= until]
        for first in range(0, len(held), 2):
            yield signal_reads_pb2.StreamSignalsResponse(
                arrow=signals_to_arrow(held[first : first + 2])
            )
        await self.failures.check("StreamSignals.end", context)


class FakeIdentity(
    directory_pb2_grpc.DirectoryServiceServicer, installation_pb2_grpc.InstallationServiceServicer
):
    """Tells of one roster, in pages of one item each."""

    def __init__(self, failures: Failures) -> None:
        self.roster = Roster(1, frozenset({1}))
        self.failures = failures

    async def GetInstallation(  # noqa: N802 - the method's name on the wire
        self, request: installation_pb2.GetInstallationRequest, context: Any
    ) -> installation_pb2.GetInstallationResponse:
        await self.failures.check("GetInstallation", context)
        return installation_pb2.GetInstallationResponse(
            installation=entities_pb2.Installation(
                installation_id=request.installation_id, account_id=self.roster.organization_id
            )
        )

    async def ListRepositories(  # noqa: N802 - the method's name on the wire
        self, request: directory_lists_pb2.ListRepositoriesRequest, _context: Any
    ) -> directory_lists_pb2.ListRepositoriesResponse:
        found, token = _page(sorted(self.roster.repositories), request.page_token)
        return directory_lists_pb2.ListRepositoriesResponse(
            repositories=[entities_pb2.Repository(id=each) for each in found],
            next_page_token=token,
        )

    async def ListTeams(  # noqa: N802 - the method's name on the wire
        self, request: directory_lists_pb2.ListTeamsRequest, _context: Any
    ) -> directory_lists_pb2.ListTeamsResponse:
        found, token = _page([team.id for team in self.roster.teams], request.page_token)
        return directory_lists_pb2.ListTeamsResponse(
            teams=[entities_pb2.Team(id=each) for each in found], next_page_token=token
        )

    async def ListTeamMembers(  # noqa: N802 - the method's name on the wire
        self, request: directory_lists_pb2.ListTeamMembersRequest, _context: Any
    ) -> directory_lists_pb2.ListTeamMembersResponse:
        pairs = [(team.id, user) for team in self.roster.teams for user in sorted(team.members)]
        found, token = _page(pairs, request.page_token)
        return directory_lists_pb2.ListTeamMembersResponse(
            team_members=[entities_pb2.TeamMember(team_id=t, user_id=u) for t, u in found],
            next_page_token=token,
        )

    async def ListTeamRepositories(  # noqa: N802 - the method's name on the wire
        self, request: directory_lists_pb2.ListTeamRepositoriesRequest, _context: Any
    ) -> directory_lists_pb2.ListTeamRepositoriesResponse:
        pairs = [
            (team.id, each) for team in self.roster.teams for each in sorted(team.repositories)
        ]
        found, token = _page(pairs, request.page_token)
        return directory_lists_pb2.ListTeamRepositoriesResponse(
            team_repositories=[
                entities_pb2.TeamRepository(team_id=t, repository_id=r) for t, r in found
            ],
            next_page_token=token,
        )

    async def BatchGetUsers(  # noqa: N802 - the method's name on the wire
        self, request: directory_lookups_pb2.BatchGetUsersRequest, context: Any
    ) -> directory_lookups_pb2.BatchGetUsersResponse:
        await self.failures.check("BatchGetUsers", context)
        bots = self.roster.bots & set(request.user_ids)
        return directory_lookups_pb2.BatchGetUsersResponse(
            users=[entities_pb2.User(id=each, login="bot", is_bot=True) for each in sorted(bots)]
        )


def _page(items: Sequence[Any], token: str) -> tuple[Sequence[Any], str]:
    start = int(token or 0)
    following = str(start + 1) if start + 1 < len(items) else ""
    return items[start : start + 1], following


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


@dataclass
class Peers:
    """The three services at one address."""

    target: str
    ingest: FakeIngest
    identity: FakeIdentity
    leaderboard: FakeLeaderboard
    failures: Failures


@asynccontextmanager
async def serving_peers() -> AsyncIterator[Peers]:
    """Serves the fakes on an ephemeral port of loopback."""
    server = grpc.aio.server()
    failures = Failures()
    ingest = FakeIngest(failures)  # type: ignore[abstract]  # answers what scoring calls
    identity = FakeIdentity(failures)  # type: ignore[abstract]  # answers what scoring calls
    leaderboard = FakeLeaderboard(failures)  # type: ignore[abstract]  # answers what scoring calls
    signal_pb2_grpc.add_SignalServiceServicer_to_server(ingest, server)
    directory_pb2_grpc.add_DirectoryServiceServicer_to_server(identity, server)
    installation_pb2_grpc.add_InstallationServiceServicer_to_server(identity, server)
    materialization_pb2_grpc.add_MaterializationServiceServicer_to_server(leaderboard, server)
    port = server.add_insecure_port("localhost:0")
    await server.start()
    try:
        yield Peers(f"localhost:{port}", ingest, identity, leaderboard, failures)
    finally:
        ingest.gate.set()
        leaderboard.gate.set()
        await server.stop(0)
