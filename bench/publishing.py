"""Boards of any size, published as scoring publishes them, without scoring anything."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import psycopg
import pyarrow as pa

from laurel.common.v1 import board_pb2, types_pb2
from laurel.leaderboard.v1 import materialization_pb2 as pb
from laurel.leaderboard.v1 import materialization_pb2_grpc
from laurel_cli.stack.stack import Stack
from laurel_common.auth.keys import load_private_key
from laurel_common.auth.tokens import TokenSource
from laurel_common.rpc.client import connect

INSTALLATION, ORGANIZATION, PRESET = 880_001, 880_002, 880_003
FIRST_PERSON = 10_000_000
_MESSAGE_ROWS = 50_000
_POINTS = ("commits", "pull_requests", "reviews", "issues", "comments", "penalties")
_COUNTS = (
    *("commit", "pr_open", "pr_merge", "pr_close_no_merge", "issue_open", "issue_close"),
    *("review", "review_comment", "comment", "spam"),
)
_SEED = (
    "INSERT INTO users (id, login, avatar_url)"
    " SELECT %(first)s + n, 'ranked-' || n, 'https://avatars.example/' || n"
    " FROM generate_series(0, %(people)s - 1) AS n",
    "INSERT INTO organizations (id, login) VALUES (%(organization)s, 'ranked')",
    "INSERT INTO github_installations (installation_id, app_id, organization_id)"
    " VALUES (%(installation)s, 1, %(organization)s)",
    "INSERT INTO scoring_presets (id, installation_id, preset_name)"
    " VALUES (%(preset)s, %(installation)s, 'ranked')",
)


def seed(url: str, people: int) -> None:
    """The installation with so many people; `url` is the schema owner's."""
    values = {
        "first": FIRST_PERSON,
        "people": people,
        "organization": ORGANIZATION,
        "installation": INSTALLATION,
        "preset": PRESET,
    }
    with psycopg.connect(url) as connection:
        for statement in _SEED:
            connection.execute(statement, values)


def board() -> board_pb2.Board:
    """The one board."""
    return board_pb2.Board(
        installation_id=INSTALLATION,
        scope_type=types_pb2.SCOPE_TYPE_ORGANIZATION,
        entity_type=types_pb2.ENTITY_TYPE_CONTRIBUTOR,
        time_period=types_pb2.TIME_PERIOD_ALL_TIME,
    )


@dataclass(slots=True)
class Publisher:
    """Publishes with scoring's key."""

    stack: Stack
    target: str

    async def publish(self, scores_e4: np.ndarray) -> None:
        """A version in which person n has the nth score."""
        layout = self.stack.layout
        tokens = TokenSource("scoring", load_private_key(layout.key("scoring")))
        async with connect(self.target, audience="leaderboard", tokens=tokens) as channel:
            stub = materialization_pb2_grpc.MaterializationServiceStub(channel)
            await stub.PublishMaterialization(_stream(scores_e4))


def _stream(scores_e4: np.ndarray) -> Iterator[pb.PublishMaterializationRequest]:
    header = pb.PublishHeader(
        installation_id=INSTALLATION,
        preset_id=PRESET,
        organization_id=ORGANIZATION,
        rules_json="{}",
        serve_preset=True,
    )
    header.as_of.FromDatetime(datetime.now(UTC))
    yield pb.PublishMaterializationRequest(header=header)
    whole = board()
    yield pb.PublishMaterializationRequest(
        boards=pb.PublishBoards(
            boards=[
                pb.PublishBoard(
                    scope_type=whole.scope_type,
                    scope_id=ORGANIZATION,
                    entity_type=whole.entity_type,
                    time_period=whole.time_period,
                    row_count=len(scores_e4),
                    digest=hashlib.sha256(scores_e4.tobytes()).digest(),
                )
            ]
        )
    )
    rows = _rows(scores_e4)
    for start in range(0, rows.num_rows, _MESSAGE_ROWS):
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, rows.schema) as writer:
            writer.write_batch(rows.slice(start, _MESSAGE_ROWS))
        yield pb.PublishMaterializationRequest(rows=sink.getvalue().to_pybytes())
    yield pb.PublishMaterializationRequest(commit=pb.PublishCommit())


def _rows(scores_e4: np.ndarray) -> pa.RecordBatch:
    """As PublishMaterialization wants them: by rank."""
    order = np.argsort(-scores_e4, kind="stable")
    scores = scores_e4[order].astype(np.int64)
    number = len(scores)
    # Equal scores share a rank: that of the first of them.
    first = np.r_[True, scores[1:] != scores[:-1]] if number else np.zeros(0, bool)
    rank = np.maximum.accumulate(np.where(first, np.arange(1, number + 1), 0)).astype(np.int32)
    nothing, few = np.zeros(number, np.int64), np.zeros(number, np.int32)
    columns = {
        "board": few,
        "entity_id": FIRST_PERSON + order.astype(np.int64),
        "rank": rank,
        "score_e4": scores,
        **{f"{name}_e4": scores if name == "commits" else nothing for name in _POINTS},
        **{f"count_{name}": few for name in _COUNTS},
        "additions": few,
        "deletions": few,
    }
    arrays = [pa.array(values) for values in columns.values()]
    arrays.append(pa.nulls(number, pa.int32()))
    return pa.RecordBatch.from_arrays(arrays, names=[*columns, "member_count"])
