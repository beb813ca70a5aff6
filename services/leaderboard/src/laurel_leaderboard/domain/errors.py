"""What can be wrong with a call to leaderboard."""

from laurel_common.errors import LaurelError, Violation


class BoardNotFound(LaurelError):
    """The board was never scored, or the installation has no such board."""

    reason = "BOARD_NOT_FOUND"
    default_message = "the board was never scored"


class EntityNotFound(LaurelError):
    """The entity is not on the board, or nothing bears its login."""

    reason = "ENTITY_NOT_FOUND"
    default_message = "the entity is not on this board"


class VersionExpired(LaurelError):
    """The version that is read or walked is not kept any more."""

    reason = "VERSION_EXPIRED"
    default_message = "the version that the page token walks is gone; start at the first page"


class VersionNotFound(LaurelError):
    """The board has no such version."""

    reason = "VERSION_NOT_FOUND"
    default_message = "the board has no such version"


class DayNotKept(LaurelError):
    """The board left nothing on that day, or it was forgotten."""

    reason = "DAY_NOT_KEPT"
    default_message = "how the board stood on that day is not known"


class NewerVersionExists(LaurelError):
    """A version that is as new or newer is current."""

    reason = "NEWER_VERSION_EXISTS"
    default_message = "a version that is as new or newer is current"


class StreamOutOfOrder(LaurelError):
    """The messages of a publishing stream came in an order that means nothing."""

    reason = "STREAM_OUT_OF_ORDER"
    default_message = "the messages of the stream are out of order"


class MalformedBatch(LaurelError):
    """The rows are not what they are said to be."""

    reason = "MALFORMED_BATCH"
    default_message = "the rows are not what they are said to be"

    def __init__(self, message: str, *, field: str = "rows") -> None:
        super().__init__(f"{field}: {message}", violations=(Violation(field, message),))
