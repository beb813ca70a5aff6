"""Times as signals carry them: whole seconds of UTC since 1970, as an int."""

from datetime import UTC, datetime

from laurel_ingest.domain.refusals import MalformedError

FIRST_SECOND = int(datetime(2005, 1, 1, tzinfo=UTC).timestamp())
"""Nothing on GitHub or in git is older: an earlier time is a broken clock."""

_FARTHEST = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp())

FUTURE_TOLERANCE = 300
"""Seconds that a source's clock may run ahead of ours."""


def epoch_seconds(value: object) -> int:
    """Whole seconds of an ISO 8601 text with an offset, or of an epoch number.

    Webhooks write a push's repository times as numbers, everything else as text.
    """
    if isinstance(value, bool):
        raise MalformedError("a time is neither text nor a number")
    if isinstance(value, int):
        if abs(value) > _FARTHEST:
            raise MalformedError("a time is beyond every calendar")
        return value
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise MalformedError("a time is not ISO 8601") from None
        if moment.tzinfo is None:
            raise MalformedError("a time has no offset")
        try:
            return int(moment.timestamp() // 1)
        except (OverflowError, ValueError):
            raise MalformedError("a time is beyond every calendar") from None
    raise MalformedError("a time is neither text nor a number")


def is_plausible(seconds: int, now: int) -> bool:
    """Whether a signal may carry this time: from 2005 on, at most five minutes ahead of now."""
    return FIRST_SECOND <= seconds <= now + FUTURE_TOLERANCE
