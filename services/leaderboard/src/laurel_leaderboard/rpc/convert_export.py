"""Exports, as messages."""

from laurel.leaderboard.v1 import export_pb2
from laurel_leaderboard.application.current_boards import CurrentBoard
from laurel_leaderboard.domain.exports import MEDIA_TYPES, Format
from laurel_leaderboard.rpc.convert import board_message, timestamp


def format_of(request: export_pb2.ExportLeaderboardRequest) -> Format:
    """The wire's numbers are the domain's."""
    return Format(request.format)


def export_message(
    part: CurrentBoard | bytes, form: Format
) -> export_pb2.ExportLeaderboardResponse:
    """The header, or a piece of the file."""
    if isinstance(part, bytes):
        return export_pb2.ExportLeaderboardResponse(data=part)
    version = part.version
    return export_pb2.ExportLeaderboardResponse(
        header=export_pb2.ExportHeader(
            board=board_message(version),
            materialization_id=version.id,
            version=version.number,
            entry_count=version.row_count,
            compute_time=timestamp(version.computed_at),
            as_of=timestamp(version.as_of),
            media_type=MEDIA_TYPES[form],
        )
    )
