"""Comparisons of a board's versions, as messages."""

from datetime import date

from laurel.leaderboard.v1 import leaderboard_pb2
from laurel_common.errors import InvalidRequest
from laurel_leaderboard.application.compare_versions import Comparison
from laurel_leaderboard.domain.comparison import Mover
from laurel_leaderboard.domain.entries import format_points
from laurel_leaderboard.domain.history import BoardDay
from laurel_leaderboard.rpc.convert import timestamp
from laurel_leaderboard.rpc.convert_entries import day_of, entity_message, version_summary


def compared_with(request: leaderboard_pb2.CompareVersionsRequest) -> int | date:
    """A version's id or a day; the chain has seen to it that there is one."""
    if request.WhichOneof("base") == "base_materialization_id":
        return request.base_materialization_id
    try:
        return day_of(request.base_date)
    except ValueError as error:
        raise InvalidRequest.of(("base_date", "is no day as 2026-01-15")) from error


def comparison_response(found: Comparison) -> leaderboard_pb2.CompareVersionsResponse:
    """A page of movers, and what was compared."""
    kind = found.board.version.board.entity_type
    response = leaderboard_pb2.CompareVersionsResponse(
        movers=[
            mover_message(
                mover,
                entity_message(
                    kind,
                    mover.entity_id,
                    found.profiles.get(mover.entity_id),
                    hidden=mover.entity_id in found.hidden,
                ),
            )
            for mover in found.movers
        ],
        version=version_summary(found.board),
        next_page_token=found.page_token,
    )
    if isinstance(found.base, BoardDay):
        response.base_day.CopyFrom(_day_summary(found.base))
    else:
        response.base_version.CopyFrom(version_summary(found.base))
    return response


def mover_message(mover: Mover, entity: leaderboard_pb2.Entity) -> leaderboard_pb2.Mover:
    """One whose place changed."""
    message = leaderboard_pb2.Mover(
        entity=entity,
        # The domain's numbers are the wire's.
        change=leaderboard_pb2.Change.ValueType(mover.change),
        rank_change=mover.rank_change,
        score_change_e4=mover.score_change_e4,
        score_change=format_points(mover.score_change_e4),
    )
    if mover.now is not None:
        message.rank, message.score_e4 = mover.now
    if mover.before is not None:
        message.previous_rank, message.previous_score_e4 = mover.before
    return message


def _day_summary(day: BoardDay) -> leaderboard_pb2.DaySummary:
    return leaderboard_pb2.DaySummary(
        date=day.day.isoformat(),
        version=day.number,
        entry_count=day.entry_count,
        as_of=timestamp(day.as_of),
    )
