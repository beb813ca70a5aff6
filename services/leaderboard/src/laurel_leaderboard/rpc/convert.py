"""The one place where leaderboard's protobuf meets its domain."""

import json
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from laurel.common.v1 import board_pb2, types_pb2
from laurel.leaderboard.v1 import leaderboard_pb2, materialization_pb2
from laurel_common.errors import InvalidRequest
from laurel_leaderboard.application.publish_materialization import (
    Commit,
    Message,
    OpenGroup,
    Rows,
    StillHold,
)
from laurel_leaderboard.domain.boards import (
    BoardAddress,
    BoardKey,
    EntityType,
    Preset,
    ScopeType,
    TimePeriod,
)
from laurel_leaderboard.domain.freshness import Cause
from laurel_leaderboard.domain.versions import (
    NewBoard,
    PublishHeader,
    RetentionState,
    Unchanged,
    Version,
    VersionRecord,
)

# The wire's numbers are the order of the database's enums plus one.
SCOPES = dict(enumerate(ScopeType, start=1))
ENTITIES = dict(enumerate(EntityType, start=1))
PERIODS = dict(enumerate(TimePeriod, start=1))
CAUSES = dict(enumerate(Cause, start=1))
_STATES = {state: number for number, state in enumerate(RetentionState, start=1)}
_SCOPE_NUMBERS = {scope: types_pb2.ScopeType.ValueType(n) for n, scope in SCOPES.items()}
ENTITY_NUMBERS = {kind: types_pb2.EntityType.ValueType(n) for n, kind in ENTITIES.items()}
_PERIOD_NUMBERS = {period: types_pb2.TimePeriod.ValueType(n) for n, period in PERIODS.items()}


def board_address(board: board_pb2.Board) -> BoardAddress:
    """A validated board as it was asked for."""
    return BoardAddress(
        board.installation_id,
        board.preset_id,
        SCOPES[board.scope_type],
        board.scope_id,
        ENTITIES[board.entity_type],
        PERIODS[board.time_period],
    )


def board_message(version: Version) -> board_pb2.Board:
    """The board of a version, nothing left to defaults."""
    return board_pb2.Board(
        installation_id=version.preset.installation_id,
        preset_id=version.preset.preset_id,
        scope_type=_SCOPE_NUMBERS[version.board.scope_type],
        scope_id=version.board.scope_id,
        entity_type=ENTITY_NUMBERS[version.board.entity_type],
        time_period=_PERIOD_NUMBERS[version.board.time_period],
    )


def board_summary(version: Version) -> leaderboard_pb2.BoardSummary:
    """A board and its current version."""
    return leaderboard_pb2.BoardSummary(
        board=board_message(version),
        materialization_id=version.id,
        version=version.number,
        entry_count=version.row_count,
        compute_time=timestamp(version.computed_at),
        as_of=timestamp(version.as_of),
    )


def materialization(record: VersionRecord) -> materialization_pb2.Materialization:
    """A version and what made it."""
    version = record.version
    state = materialization_pb2.RetentionState.ValueType(_STATES[version.state])
    return materialization_pb2.Materialization(
        id=version.id,
        board=board_message(version),
        version=version.number,
        row_count=version.row_count,
        signal_count=version.signal_count,
        retention_state=state,
        compute_time=timestamp(version.computed_at),
        as_of=timestamp(version.as_of),
        check_time=timestamp(version.checked_at),
        supersede_time=timestamp(version.superseded_at),
        expire_time=timestamp(version.expires_at),
        rules_json=record.rules_json,
        input_mark=record.input_mark,
    )


def publish_message(request: materialization_pb2.PublishMaterializationRequest) -> Message:
    """One message of a publishing stream; the chain has seen to it that there is one in it."""
    match request.WhichOneof("message"):
        case "header":
            return _header(request.header)
        case "boards":
            return OpenGroup(tuple(_new_board(board) for board in request.boards.boards))
        case "rows":
            return Rows(request.rows)
        case "unchanged":
            return StillHold(tuple(_unchanged(each) for each in request.unchanged.boards))
        case _:
            return Commit()


def _unchanged(boards: materialization_pb2.UnchangedBoards) -> Unchanged:
    return Unchanged(
        PERIODS[boards.time_period],
        _instant(boards.as_of, "unchanged.boards.as_of"),
        boards.input_mark,
        boards.board_count,
    )


def _header(header: materialization_pb2.PublishHeader) -> PublishHeader:
    return PublishHeader(
        preset=Preset(header.installation_id, header.preset_id, header.organization_id),
        as_of=_instant(header.as_of, "header.as_of"),
        rules_json=_rules(header.rules_json),
        input_mark=header.input_mark,
        serve_preset=header.serve_preset,
        stale_mark=header.stale_mark,
    )


def _rules(text: str) -> str:
    """The rules as they came; raises InvalidRequest for what PostgreSQL would not take as JSON."""
    try:
        parsed = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest.of(("header.rules_json", "is not JSON")) from error
    if not isinstance(parsed, dict) or "\\u0000" in text:
        raise InvalidRequest.of(("header.rules_json", "is not a JSON object"))
    return text


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def before_time(request: materialization_pb2.PurgeSupersededRequest) -> datetime | None:
    """Up to when to purge; None where unset."""
    if not request.HasField("before_time"):
        return None
    return _instant(request.before_time, "before_time")


def _new_board(board: materialization_pb2.PublishBoard) -> NewBoard:
    key = BoardKey(
        SCOPES[board.scope_type],
        board.scope_id,
        ENTITIES[board.entity_type],
        PERIODS[board.time_period],
    )
    return NewBoard(key, board.row_count, board.signal_count, board.digest)


def timestamp(value: datetime | None) -> Timestamp | None:
    """An aware instant as the wire has it; nothing for None."""
    if value is None:
        return None
    message = Timestamp()
    message.FromDatetime(value)
    return message


def _instant(value: Timestamp, field: str) -> datetime:
    try:
        return value.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidRequest.of((field, "is no instant between the years 1 and 9999")) from error
