"""The typed errors that a call may end in; rpc/status.py says which code each reason has.

Pure: domain layers derive their own errors from LaurelError.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Violation:
    """One field at fault.

    `field` is the path as a caller writes it (`rules.base_points[2].points`), `description` what
    is wrong with it.
    """

    field: str
    description: str


class LaurelError(Exception):
    """An error that a caller is told about: its text and metadata leave the process.

    A subclass names a reason (a value of laurel.common.v1.ErrorReason without its prefix) and a
    default text. Whatever is not a LaurelError reaches a caller as INTERNAL without its text.
    """

    reason: str = "INTERNAL"
    default_message: str = "internal error"

    def __init__(
        self,
        message: str | None = None,
        *,
        violations: Iterable[Violation] = (),
        retry_after: timedelta | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        self.message = message or self.default_message
        self.violations = tuple(violations)
        self.retry_after = retry_after
        self.metadata = dict(metadata or {})
        super().__init__(self.message)


class InvalidRequest(LaurelError):
    """Every field at fault is named at once."""

    reason = "INVALID_REQUEST"
    default_message = "the request is invalid"

    @classmethod
    def of(cls, *faults: tuple[str, str]) -> "InvalidRequest":
        """Builds the error from (field, description) pairs."""
        violations = tuple(Violation(field, description) for field, description in faults)
        text = "; ".join(f"{each.field}: {each.description}" for each in violations)
        return cls(text or None, violations=violations)


class InvalidPageToken(LaurelError):
    """The page token is damaged, or was made for another request."""

    reason = "INVALID_PAGE_TOKEN"
    default_message = "the page token is not one of this request's"

    def __init__(self, message: str | None = None, *, field: str = "page_token") -> None:
        text = message or self.default_message
        super().__init__(text, violations=(Violation(field, text),))


class Unauthenticated(LaurelError):
    """No credentials, or none that can be verified."""

    reason = "UNAUTHENTICATED"
    default_message = "credentials are missing or can't be verified"


class TokenExpired(LaurelError):
    """The token was good once."""

    reason = "TOKEN_EXPIRED"
    default_message = "the token has expired"


class CallerNotAllowed(LaurelError):
    """The method is not for this kind of caller, key or role."""

    reason = "CALLER_NOT_ALLOWED"
    default_message = "the caller may not use this method"


class InstallationNotCovered(LaurelError):
    """The key that called does not cover the installation."""

    reason = "INSTALLATION_NOT_COVERED"
    default_message = "the key does not cover this installation"


class InstallationNotFound(LaurelError):
    """No such installation, or none that the caller may see."""

    reason = "INSTALLATION_NOT_FOUND"
    default_message = "no such installation"


class ReferenceMissing(LaurelError):
    """A row that the request refers to is not there."""

    reason = "REFERENCE_MISSING"
    default_message = "something that the request refers to does not exist"


class DeadlineExceeded(LaurelError):
    """The caller's time ran out."""

    reason = "DEADLINE_EXCEEDED"
    default_message = "the deadline passed before the call was done"


class MessageTooLarge(LaurelError):
    """The message is larger than the service takes."""

    reason = "MESSAGE_TOO_LARGE"
    default_message = "the message is larger than the service takes"


class RetryableError(LaurelError):
    """Worth trying again after `retry_after`, one second unless told."""

    def __init__(
        self,
        message: str | None = None,
        *,
        violations: Iterable[Violation] = (),
        retry_after: timedelta | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(
            message,
            violations=violations,
            retry_after=retry_after or timedelta(seconds=1),
            metadata=metadata,
        )


class DatabaseUnavailable(RetryableError):
    """PostgreSQL can't be reached, or lost the connection."""

    reason = "DATABASE_UNAVAILABLE"
    default_message = "the database can't be reached"


class DependencyUnavailable(RetryableError):
    """Another service can't be reached."""

    reason = "DEPENDENCY_UNAVAILABLE"
    default_message = "another service can't be reached"


class NotServing(RetryableError):
    """The service is starting or stopping."""

    reason = "NOT_SERVING"
    default_message = "the service is starting or stopping"


class Overloaded(RetryableError):
    """Too much at once."""

    reason = "OVERLOADED"
    default_message = "too many calls at once"


class ReaderTooSlow(RetryableError):
    """The caller took nothing of what it was sent for too long."""

    reason = "READER_TOO_SLOW"
    default_message = "nothing of what was sent was taken for too long; go on from what you have"


class InstallationBusy(RetryableError):
    """As many costly reads of one installation run as may at once."""

    reason = "INSTALLATION_BUSY"
    default_message = "as many reads of this kind run for this installation as may at once"


class ConcurrentChange(LaurelError):
    """Other transactions changed the same rows at the same time, again and again."""

    reason = "CONCURRENT_CHANGE"
    default_message = "the same things were changed at the same time; try again"


class RemoteError(LaurelError):
    """What another Laurel service answered instead of a result.

    `code` is the canonical code's name ("NOT_FOUND"), `reason` the answer's own where it gave
    one, `request_id` finds the call in that service's log.
    """

    def __init__(
        self,
        code: str,
        reason: str,
        message: str,
        *,
        violations: Iterable[Violation] = (),
        retry_after: timedelta | None = None,
        metadata: Mapping[str, str] | None = None,
        request_id: str = "",
    ) -> None:
        super().__init__(message, violations=violations, retry_after=retry_after, metadata=metadata)
        self.code = code
        self.reason = reason
        self.request_id = request_id

    def __str__(self) -> str:
        return f"{self.code} {self.reason}: {self.message}"
