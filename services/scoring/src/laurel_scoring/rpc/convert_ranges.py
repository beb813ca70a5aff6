"""Ranges from protobuf."""

from google.protobuf.timestamp_pb2 import Timestamp

from laurel.scoring.v1 import range_pb2
from laurel_common.errors import InvalidRequest
from laurel_scoring.application.ranges import RangeKey
from laurel_scoring.domain.vocabulary import EntityType, ScopeType

# The years 1 to 9999, which is what a Timestamp may hold.
_FIRST_SECOND = -62_135_596_800
_END_SECOND = 253_402_300_800
_NANOS = 10**9


def range_key(board: range_pb2.RangeBoard) -> RangeKey:
    """The board that a request is about. Raises InvalidRequest."""
    start = _microseconds(board.start_time, "range.start_time")
    end = _microseconds(board.end_time, "range.end_time")
    if start >= end:
        # Signals are known to the microsecond.
        raise InvalidRequest.of(
            ("range.end_time", "must be at least a microsecond later than start_time")
        )
    return RangeKey(
        installation_id=board.installation_id,
        preset_id=board.preset_id,
        scope_type=ScopeType(board.scope_type - 1),
        scope_id=board.scope_id,
        entity_type=EntityType(board.entity_type - 1),
        start=start,
        end=end,
    )


def _microseconds(moment: Timestamp, field: str) -> int:
    """Since 1970; a part of one counts as a whole, so that [from, to) holds the same signals."""
    if not _FIRST_SECOND <= moment.seconds < _END_SECOND or not 0 <= moment.nanos < _NANOS:
        raise InvalidRequest.of((field, "must be a time of the years 1 to 9999"))
    return moment.seconds * 1_000_000 - (-moment.nanos // 1_000)
