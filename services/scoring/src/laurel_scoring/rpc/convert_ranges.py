"""Ranges from protobuf, and boards over them to it."""

from google.protobuf.timestamp_pb2 import Timestamp

from laurel.scoring.v1 import range_pb2
from laurel_common.errors import InvalidRequest
from laurel_scoring.application.ranges import RangeKey
from laurel_scoring.application.score_range import RangePage
from laurel_scoring.domain.results import Result
from laurel_scoring.domain.vocabulary import EntityType, ScopeType
from laurel_scoring.rpc.convert import breakdown, counts, decimal

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


def range_response(page: RangePage) -> range_pb2.ScoreRangeResponse:
    """A page."""
    return range_pb2.ScoreRangeResponse(
        entries=[_entry(each, page) for each in page.results],
        next_page_token=page.next_page_token,
        total_size=page.total_size,
        signal_count=page.signal_count,
        preset_id=page.preset_id,
        etag=page.etag,
    )


def _entry(result: Result, page: RangePage) -> range_pb2.RangeEntry:
    seen = result.entity_id not in page.hidden
    return range_pb2.RangeEntry(
        rank=result.rank,
        entity_id=result.entity_id if seen else 0,
        entity_name=page.names.get(result.entity_id, "") if seen else "",
        score_e4=result.score_e4,
        score=decimal(result.score_e4),
        breakdown=breakdown(result),
        counts=counts(result),
        additions=result.additions,
        deletions=result.deletions,
        member_count=result.member_count,
    )
