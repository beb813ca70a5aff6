"""Ranges of time as people type them: days or moments, in UTC unless they say otherwise."""

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from laurel.common.v1 import board_pb2
from laurel.scoring.v1 import range_pb2
from laurel_cli.errors import UsageError

Window = tuple[datetime, datetime]


def range_of(start: str, end: str) -> Window | None:
    """The range of --from and --to, the latter left out; None where neither is given.

    Raises UsageError.
    """
    if not start and not end:
        return None
    if not start or not end:
        raise UsageError("--from and --to go together")
    window = _moment("--from", start), _moment("--to", end)
    if window[0] >= window[1]:
        raise UsageError("--to is later than --from")
    return window


def range_words(start: str, end: str) -> str:
    """The range as a title names it; empty where there is none."""
    return f"{start} to {end}" if start else ""


def in_range(board: board_pb2.Board, window: Window) -> range_pb2.RangeBoard:
    """The board over a range, in the place of its period."""
    return range_pb2.RangeBoard(
        installation_id=board.installation_id,
        preset_id=board.preset_id,
        scope_type=board.scope_type,
        scope_id=board.scope_id,
        entity_type=board.entity_type,
        start_time=_timestamp(window[0]),
        end_time=_timestamp(window[1]),
    )


def _timestamp(moment: datetime) -> Timestamp:
    message = Timestamp()
    message.FromDatetime(moment)
    return message


def _moment(option: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option} is a day or a moment, as 2026-03-01: {text!r}") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
