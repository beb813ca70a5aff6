"""Ingest and identity as scoring meets them, and leaderboard beside them: real gRPC servers,
scripted answers.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import grpc
import pyarrow as pa

from laurel.identity.v1 import (
    directory_lists_pb2,
    directory_lookups_pb2,
    directory_pb2_grpc,
    entities_pb2,
    installation_pb2,
    installation_pb2_grpc,
)
from laurel.ingest.v1 import signal_pb2_grpc, signal_reads_pb2
from laurel.leaderboard.v1 import materialization_pb2_grpc
from laurel_scoring.domain.roster import Roster
from laurel_scoring.domain.vocabulary import ReviewState, SignalFlag, SignalType
from tests.support.naive_scoring import NaiveSignal
from tests.support.scoring_peer_failures import Failures
from tests.support.scoring_peer_leaderboard import FakeLeaderboard


def signals_to_arrow(signals: Sequence[NaiveSignal], *, references: bool = False) -> bytes:
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
    if references:
        columns |= {
            "number": pa.array([s.number("number") for s in signals], pa.int64()),
            "object_id": pa.array([str(s.metadata.get("object_id", "")) for s in signals]),
            "title": pa.array([str(s.metadata.get("title", "")) for s in signals]),
        }
    batch = pa.RecordBatch.from_pydict(columns)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    data: bytes = sink.getvalue().to_pybytes()
    return data


def _key(signal: NaiveSignal) -> tuple[str, int]:
    return signal.content_hash, signal.user_id if signal.type == "commit" else 0


def _keys_to_arrow(keys: Sequence[tuple[str, int]]) -> bytes:
    batch = pa.RecordBatch.from_pydict(
        {
            "content_hash": pa.array([bytes.fromhex(key) for key, _ in keys], pa.binary()),
            "user_id": pa.array([user for _, user in keys], pa.int64()),
        }
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    data: bytes = sink.getvalue().to_pybytes()
    return data


class FakeIngest(signal_pb2_grpc.SignalServiceServicer):
    """Streams the signals that it holds, two at a time."""

    def __init__(self, failures: Failures) -> None:
        self.signals: list[NaiveSignal] = []
        self.bots: list[int] = []
        self.mark = "signals-1"
        self.failures = failures
        self.reads = 0
        # What was there when a mark was last told, and whether to tell of changes since then.
        self.told: dict[str, list[NaiveSignal]] = {}
        self.knows_changes = True
        # How many signals each read sent.
        self.sent: list[int] = []
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
        before = self.told.get(request.since_mark) if self.knows_changes else None
        self.told[self.mark] = list(self.signals)
        header = signal_reads_pb2.StreamSignalsHeader(
            input_mark=self.mark,
            bot_user_ids=self.bots,
            signal_count_estimate=len(self.signals),
            changes_only=before is not None,
        )
        yield signal_reads_pb2.StreamSignalsResponse(header=header)
        held = [each for each in self.signals if _wanted(each, request)]
        if before is not None:
            gone = {_key(each) for each in before} - {_key(each) for each in held}
            yield signal_reads_pb2.StreamSignalsResponse(removed=_keys_to_arrow(sorted(gone)))
            held = [each for each in held if each not in before]
        self.sent.append(len(held))
        for first in range(0, len(held), 2):
            yield signal_reads_pb2.StreamSignalsResponse(
                arrow=signals_to_arrow(
                    held[first : first + 2], references=request.include_references
                )
            )
        await self.failures.check("StreamSignals.end", context)


def _wanted(signal: NaiveSignal, request: signal_reads_pb2.StreamSignalsRequest) -> bool:
    since = request.start_time.ToDatetime(tzinfo=UTC) if request.HasField("start_time") else None
    until = request.end_time.ToDatetime(tzinfo=UTC) if request.HasField("end_time") else None
    return (
        (since is None or since <= signal.event_timestamp)
        and (until is None or signal.event_timestamp <= until)
        and (not request.user_ids or signal.user_id in request.user_ids)
        and (not request.repository_ids or signal.repository_id in request.repository_ids)
    )


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
        found, token = _page(
            sorted(self.roster.repositories), request.page_token, request.repository_ids
        )
        return directory_lists_pb2.ListRepositoriesResponse(
            repositories=[
                entities_pb2.Repository(id=each, full_name=f"acme/repo{each}") for each in found
            ],
            next_page_token=token,
        )

    async def ListTeams(  # noqa: N802 - the method's name on the wire
        self, request: directory_lists_pb2.ListTeamsRequest, _context: Any
    ) -> directory_lists_pb2.ListTeamsResponse:
        found, token = _page(
            [team.id for team in self.roster.teams], request.page_token, request.team_ids
        )
        return directory_lists_pb2.ListTeamsResponse(
            teams=[entities_pb2.Team(id=each, slug=f"team{each}") for each in found],
            next_page_token=token,
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
        asked, bots = set(request.user_ids), self.roster.bots
        return directory_lookups_pb2.BatchGetUsersResponse(
            users=[
                entities_pb2.User(id=each, login=f"user{each}", is_bot=each in bots)
                for each in sorted(asked & bots if request.bots_only else asked)
            ]
        )


def _page(items: Sequence[Any], token: str, only: Sequence[int] = ()) -> tuple[Sequence[Any], str]:
    if only:
        return [each for each in items if each in only], ""
    start = int(token or 0)
    following = str(start + 1) if start + 1 < len(items) else ""
    return items[start : start + 1], following


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
