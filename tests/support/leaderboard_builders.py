"""Builders for leaderboard's tests: boards with rows, publishing streams, a world to stand on."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from laurel.common.v1 import board_pb2
from laurel.leaderboard.v1 import materialization_pb2
from laurel_leaderboard.domain.boards import (
    BoardAddress,
    BoardKey,
    EntityType,
    Preset,
    ScopeType,
    TimePeriod,
)
from laurel_leaderboard.domain.rows import COUNTS, POINTS, SCHEMA, GroupRows, check_group
from laurel_leaderboard.domain.versions import NewBoard, PublishHeader
from tests.support.database import Database
from tests.support.rows import Rows

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
INSTALLATION, PRESET, ORGANIZATION = 71, 7, 700
RULES = '{"weekly_threshold": 9}'
CONTRIBUTORS = BoardKey(
    ScopeType.ORGANIZATION, ORGANIZATION, EntityType.CONTRIBUTOR, TimePeriod.ALL_TIME
)
TEAMS = CONTRIBUTORS._replace(entity_type=EntityType.TEAM)


@dataclass(frozen=True)
class BoardOf:
    """A board and its scores, in ten-thousandths by entity id."""

    scores: Mapping[int, int] = field(default_factory=dict)
    key: BoardKey = CONTRIBUTORS
    signal_count: int = 3

    def columns(self, index: int) -> list[dict[str, Any]]:
        """Its rows by rank, as SCHEMA's columns name their values."""
        ordered = sorted(self.scores.items(), key=lambda item: (-item[1], item[0]))
        return [self._row(index, place, ordered) for place in range(len(ordered))]

    def _row(self, index: int, place: int, ordered: list[tuple[int, int]]) -> dict[str, Any]:
        entity_id, score = ordered[place]
        row = dict.fromkeys(POINTS, 0) | dict.fromkeys(COUNTS, 0)
        row |= {"commits_e4": score + 20_000, "penalties_e4": -20_000, "count_commit": 3}
        return row | {
            "board": index,
            "entity_id": entity_id,
            "rank": 1 + sum(other > score for _, other in ordered),
            "score_e4": score,
            "additions": 11,
            "deletions": 5,
            "member_count": 4 if self.key.entity_type is EntityType.TEAM else None,
        }

    def new(self) -> NewBoard:
        """As a publisher announces it."""
        digest = hashlib.sha256(repr((self.key, sorted(self.scores.items()))).encode()).digest()
        return NewBoard(self.key, len(self.scores), self.signal_count, digest)


def batch_of(*boards: BoardOf, **replaced: Sequence[Any]) -> pa.RecordBatch:
    """The rows of some boards; `replaced` puts other values in place of whole columns."""
    rows = [row for index, board in enumerate(boards) for row in board.columns(index)]
    columns = {name: [row[name] for row in rows] for name in SCHEMA.names} | replaced
    return pa.RecordBatch.from_pydict(columns, schema=SCHEMA)


def rows_of(*boards: BoardOf) -> GroupRows:
    """The checked rows of a group."""
    return check_group([board.new() for board in boards], [batch_of(*boards)])


def ipc(*batches: pa.RecordBatch) -> bytes:
    """An Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batches[0].schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return bytes(sink.getvalue())


def header_of(as_of: datetime = NOON, **changes: Any) -> PublishHeader:
    """The header of a stream."""
    values: dict[str, Any] = {
        "preset": Preset(INSTALLATION, PRESET, ORGANIZATION),
        "as_of": as_of,
        "rules_json": RULES,
        "input_mark": "mark",
        "serve_preset": True,
    }
    return PublishHeader(**values | changes)


def address_of(key: BoardKey = CONTRIBUTORS, preset_id: int = 0) -> BoardAddress:
    """A board of the usual installation as a caller names it."""
    return BoardAddress(INSTALLATION, preset_id, *key)


def board_message(key: BoardKey = CONTRIBUTORS, **changes: Any) -> board_pb2.Board:
    """The same on the wire."""
    values: dict[str, Any] = {
        "installation_id": INSTALLATION,
        "scope_type": 1 + list(ScopeType).index(key.scope_type),
        "scope_id": key.scope_id,
        "entity_type": 1 + list(EntityType).index(key.entity_type),
        "time_period": 1 + list(TimePeriod).index(key.time_period),
    }
    return board_pb2.Board(**values | changes)


Request = materialization_pb2.PublishMaterializationRequest


def header_request(as_of: datetime = NOON, **changes: Any) -> Request:
    """The first message of a stream."""
    header = materialization_pb2.PublishHeader(
        installation_id=INSTALLATION,
        preset_id=PRESET,
        organization_id=ORGANIZATION,
        rules_json=RULES,
        input_mark="mark",
        serve_preset=True,
    )
    header.as_of.FromDatetime(as_of)
    for name, value in changes.items():
        setattr(header, name, value)
    return Request(header=header)


def boards_request(*boards: BoardOf) -> Request:
    """Opens a group."""
    return Request(
        boards=materialization_pb2.PublishBoards(boards=[_publish_board(b) for b in boards])
    )


def _publish_board(board: BoardOf) -> materialization_pb2.PublishBoard:
    named, new = board_message(board.key), board.new()
    return materialization_pb2.PublishBoard(
        scope_type=named.scope_type,
        scope_id=named.scope_id,
        entity_type=named.entity_type,
        time_period=named.time_period,
        row_count=new.row_count,
        signal_count=new.signal_count,
        digest=new.digest,
    )


def rows_request(*boards: BoardOf) -> Request:
    """The rows of a group."""
    return Request(rows=ipc(batch_of(*boards)))


COMMIT = Request(commit=materialization_pb2.PublishCommit())


def stream_of(*boards: BoardOf, as_of: datetime = NOON, **header: Any) -> list[Request]:
    """A whole stream of one group."""
    return [
        header_request(as_of, **header),
        boards_request(*boards),
        rows_request(*boards),
        COMMIT,
    ]


def seed_world(database: Database, *, users: Iterable[int] = range(1, 21)) -> None:
    """What the usual boards refer to: an installation with a preset, users 1 to 20, a few teams
    (801 …) and repositories (901 …)."""
    with database.connect() as connection:
        rows = Rows(connection)
        rows.organization(id=ORGANIZATION, login="acme")
        rows.installation(installation_id=INSTALLATION, organization_id=ORGANIZATION)
        rows.preset(INSTALLATION, id=PRESET)
        for number in users:
            rows.user(id=number)
        for number in range(1, 4):
            rows.team(ORGANIZATION, id=800 + number)
            rows.repository(id=900 + number, organization_id=ORGANIZATION)
