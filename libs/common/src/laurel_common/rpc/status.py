"""Typed errors to canonical codes with details, and back: the one table of both directions."""

from datetime import timedelta

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import DecodeError
from google.rpc import (  # type: ignore[import-untyped]  # published without annotations
    error_details_pb2,
    status_pb2,
)
from grpc import StatusCode

from laurel_common.errors import (
    DeadlineExceeded,
    DependencyUnavailable,
    LaurelError,
    Overloaded,
    RemoteError,
    Violation,
)

DOMAIN = "laurel"
DETAILS_KEY = "grpc-status-details-bin"
INTERNAL_MESSAGE = "internal error"
# Trailing metadata has to fit a caller's 8 KiB of headers, in base64 and beside the text.
_MAX_VIOLATIONS_BYTES = 3000
_MAX_TEXT_BYTES = 400
_MAX_METADATA = 8

CODES: dict[str, StatusCode] = {
    "INTERNAL": StatusCode.INTERNAL,
    "INVALID_REQUEST": StatusCode.INVALID_ARGUMENT,
    "INVALID_PAGE_TOKEN": StatusCode.INVALID_ARGUMENT,
    "UNAUTHENTICATED": StatusCode.UNAUTHENTICATED,
    "TOKEN_EXPIRED": StatusCode.UNAUTHENTICATED,
    "CALLER_NOT_ALLOWED": StatusCode.PERMISSION_DENIED,
    "INSTALLATION_NOT_COVERED": StatusCode.PERMISSION_DENIED,
    "DATABASE_UNAVAILABLE": StatusCode.UNAVAILABLE,
    "DEPENDENCY_UNAVAILABLE": StatusCode.UNAVAILABLE,
    "NOT_SERVING": StatusCode.UNAVAILABLE,
    "DEADLINE_EXCEEDED": StatusCode.DEADLINE_EXCEEDED,
    "OVERLOADED": StatusCode.RESOURCE_EXHAUSTED,
    "READER_TOO_SLOW": StatusCode.RESOURCE_EXHAUSTED,
    "INSTALLATION_BUSY": StatusCode.RESOURCE_EXHAUSTED,
    "MESSAGE_TOO_LARGE": StatusCode.RESOURCE_EXHAUSTED,
    "CANCELLED": StatusCode.CANCELLED,
    "CONCURRENT_CHANGE": StatusCode.ABORTED,
    "INSTALLATION_NOT_FOUND": StatusCode.NOT_FOUND,
    "ORGANIZATION_NOT_FOUND": StatusCode.NOT_FOUND,
    "TEAM_NOT_FOUND": StatusCode.NOT_FOUND,
    "REPOSITORY_NOT_FOUND": StatusCode.NOT_FOUND,
    "USER_NOT_FOUND": StatusCode.NOT_FOUND,
    "REFERENCE_MISSING": StatusCode.FAILED_PRECONDITION,
    "INSTALLATION_CONFLICT": StatusCode.FAILED_PRECONDITION,
    "GITHUB_NOT_CONFIGURED": StatusCode.FAILED_PRECONDITION,
    "APP_NOT_INSTALLED": StatusCode.FAILED_PRECONDITION,
    "APP_INSTALLED": StatusCode.FAILED_PRECONDITION,
    "INSTALLATION_SUSPENDED": StatusCode.FAILED_PRECONDITION,
    "GITHUB_UNAVAILABLE": StatusCode.UNAVAILABLE,
    "GITHUB_RATE_LIMITED": StatusCode.RESOURCE_EXHAUSTED,
    "INSTALL_STATE_INVALID": StatusCode.INVALID_ARGUMENT,
    "INSTALL_STATE_EXPIRED": StatusCode.FAILED_PRECONDITION,
    "GITHUB_REFUSED": StatusCode.FAILED_PRECONDITION,
    "SIGNALS_REFUSED": StatusCode.INVALID_ARGUMENT,
    "MALFORMED_BATCH": StatusCode.INVALID_ARGUMENT,
    "STREAM_OUT_OF_ORDER": StatusCode.FAILED_PRECONDITION,
    "WEBHOOK_REFUSED": StatusCode.PERMISSION_DENIED,
    "WEBHOOK_SECRET_MISSING": StatusCode.FAILED_PRECONDITION,
    "DELIVERY_NOT_FOUND": StatusCode.NOT_FOUND,
    "DELIVERY_BODY_GONE": StatusCode.FAILED_PRECONDITION,
    "THING_NOT_FOUND": StatusCode.NOT_FOUND,
    "INGEST_NOT_FOUND": StatusCode.NOT_FOUND,
    "INGEST_RUNNING": StatusCode.FAILED_PRECONDITION,
    "INGEST_COOLING_DOWN": StatusCode.RESOURCE_EXHAUSTED,
    "PRESET_NOT_FOUND": StatusCode.NOT_FOUND,
    "SCORING_NOT_FOUND": StatusCode.NOT_FOUND,
    "INPUTS_CHANGED": StatusCode.FAILED_PRECONDITION,
    "VERSION_NOT_CURRENT": StatusCode.FAILED_PRECONDITION,
    "ENTITY_NOT_FOUND": StatusCode.NOT_FOUND,
    "SCORE_OUT_OF_RANGE": StatusCode.FAILED_PRECONDITION,
    "PRESET_NAME_TAKEN": StatusCode.ALREADY_EXISTS,
    "PRESET_PROTECTED": StatusCode.FAILED_PRECONDITION,
    "ETAG_STALE": StatusCode.ABORTED,
    "BOARD_NOT_FOUND": StatusCode.NOT_FOUND,
    "NEWER_VERSION_EXISTS": StatusCode.ABORTED,
    "VERSION_EXPIRED": StatusCode.FAILED_PRECONDITION,
    "VERSION_NOT_FOUND": StatusCode.NOT_FOUND,
    "DAY_NOT_KEPT": StatusCode.NOT_FOUND,
    "SESSION_NOT_FOUND": StatusCode.NOT_FOUND,
    "SIGN_IN_STATE_INVALID": StatusCode.INVALID_ARGUMENT,
    "SIGN_IN_EXPIRED": StatusCode.FAILED_PRECONDITION,
    "SIGN_IN_CSRF_MISMATCH": StatusCode.PERMISSION_DENIED,
    "SIGN_IN_CODE_REFUSED": StatusCode.FAILED_PRECONDITION,
    "SIGN_IN_VERIFIER_REFUSED": StatusCode.FAILED_PRECONDITION,
    "SIGN_IN_MISCONFIGURED": StatusCode.FAILED_PRECONDITION,
    "GITHUB_USER_SUSPENDED": StatusCode.PERMISSION_DENIED,
    "GITHUB_TIMEOUT": StatusCode.UNAVAILABLE,
    "IDENTITY_CLAIMED": StatusCode.FAILED_PRECONDITION,
    "CLAIM_NOT_FOUND": StatusCode.NOT_FOUND,
}

_DEFAULT_RETRY = timedelta(seconds=1)
# What another service said about the subject of the call is true of our caller's call as well.
_PASSED_ON = {"NOT_FOUND", "FAILED_PRECONDITION", "ABORTED", "ALREADY_EXISTS", "OUT_OF_RANGE"}
_CORE_ERROR = "Internal error from Core"


def public_error(error: BaseException) -> LaurelError | None:
    """What a caller may learn of `error`; None where it may learn nothing.

    Another service's refusal of our request or credentials is a fault of ours, not of the caller.
    """
    if isinstance(error, RemoteError):
        if error.code in _PASSED_ON and error.reason in CODES:
            return error
        if error.code == "UNAVAILABLE":
            return DependencyUnavailable(retry_after=error.retry_after)
        if error.code == "RESOURCE_EXHAUSTED" and error.reason != "MESSAGE_TOO_LARGE":
            return Overloaded(retry_after=error.retry_after)
        return DeadlineExceeded() if error.code == "DEADLINE_EXCEEDED" else None
    return error if isinstance(error, LaurelError) and error.reason in CODES else None


def code_of(error: LaurelError | None) -> StatusCode:
    """The canonical code of what `public_error` returned."""
    return StatusCode.INTERNAL if error is None else CODES[error.reason]


def to_status(error: LaurelError | None, request_id: str) -> status_pb2.Status:
    """The google.rpc.Status for what `public_error` returned: code, text, details."""
    code = code_of(error)
    message = INTERNAL_MESSAGE if error is None or code is StatusCode.INTERNAL else error.message
    status = status_pb2.Status(code=code.value[0], message=_cut(message))
    info = error_details_pb2.ErrorInfo(domain=DOMAIN, reason="INTERNAL")
    if error is not None and code is not StatusCode.INTERNAL:
        info.reason = error.reason
        few = list(error.metadata.items())[:_MAX_METADATA]
        info.metadata.update({key: _cut(value, 100) for key, value in few})
    status.details.add().Pack(info)
    if error is not None and error.violations and code is not StatusCode.INTERNAL:
        status.details.add().Pack(_bad_request(error.violations))
    if code in (StatusCode.UNAVAILABLE, StatusCode.RESOURCE_EXHAUSTED) and error is not None:
        _add_retry(status, error)
    status.details.add().Pack(error_details_pb2.RequestInfo(request_id=request_id))
    return status


def _bad_request(violations: tuple[Violation, ...]) -> error_details_pb2.BadRequest:
    found = error_details_pb2.BadRequest()
    for number, each in enumerate(violations):
        field, description = _cut(each.field), _cut(each.description)
        found.field_violations.add(field=field, description=description)
        left = len(violations) - number - 1
        if left and found.ByteSize() > _MAX_VIOLATIONS_BYTES:
            found.field_violations.add(field="", description=f"and {left} more")
            break
    return found


def _cut(text: str, limit: int = _MAX_TEXT_BYTES) -> str:
    return text.encode("utf-8", "replace")[:limit].decode("utf-8", "ignore")


def _add_retry(status: status_pb2.Status, error: LaurelError) -> None:
    # The same message will be too large again.
    if error.reason == "MESSAGE_TOO_LARGE":
        return
    delay = duration_pb2.Duration()
    delay.FromTimedelta(error.retry_after or _DEFAULT_RETRY)
    status.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=delay))


def trailing_metadata(status: status_pb2.Status) -> tuple[tuple[str, bytes], ...]:
    """The trailers that carry `status` with its details."""
    return ((DETAILS_KEY, status.SerializeToString()),)


def from_rpc_error(error: grpc.aio.AioRpcError) -> RemoteError:
    """The typed form of an error that a call ended in, whoever sent it."""
    details = _details(error)
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    retry, request = error_details_pb2.RetryInfo(), error_details_pb2.RequestInfo()
    known = False
    for detail in details:
        known = detail.Unpack(info) or known
        for other in (bad, retry, request):
            detail.Unpack(other)
    unanswered = broke_while_sending(error) or was_let_go(error)
    code = "UNAVAILABLE" if unanswered else error.code().name
    return RemoteError(
        code,
        info.reason if known and info.domain == DOMAIN else _reason_without_info(code),
        error.details() or code,
        violations=[Violation(each.field, each.description) for each in bad.field_violations],
        retry_after=retry.retry_delay.ToTimedelta() if retry.HasField("retry_delay") else None,
        metadata=dict(info.metadata),
        request_id=request.request_id,
    )


def broke_while_sending(error: grpc.aio.AioRpcError) -> bool:
    """Whether the other side ended the stream while a message was on its way to it.

    gRPC's client then says INTERNAL, in these words of its own, instead of what was answered.
    Whoever sends again meets the same end between two messages, and its reason.
    """
    return error.code() is grpc.StatusCode.INTERNAL and error.details() == _CORE_ERROR


def was_let_go(error: grpc.aio.AioRpcError) -> bool:
    """Whether the other side, or what stands before it, dropped a call that its caller wanted.

    A call that is cancelled here ends in asyncio's CancelledError, never in this.
    """
    return error.code() is grpc.StatusCode.CANCELLED


def _details(error: grpc.aio.AioRpcError) -> list[any_pb2.Any]:
    for key, value in error.trailing_metadata() or ():
        if key == DETAILS_KEY and isinstance(value, bytes):
            try:
                return list(status_pb2.Status.FromString(value).details)
            except DecodeError:
                return []
    return []


def _reason_without_info(code: str) -> str:
    """The reason for what gRPC itself, or a proxy, answered."""
    return {
        "UNAVAILABLE": "DEPENDENCY_UNAVAILABLE",
        "DEADLINE_EXCEEDED": "DEADLINE_EXCEEDED",
        "RESOURCE_EXHAUSTED": "OVERLOADED",
        "UNAUTHENTICATED": "UNAUTHENTICATED",
        "PERMISSION_DENIED": "CALLER_NOT_ALLOWED",
        "CANCELLED": "CANCELLED",
    }.get(code, "INTERNAL")
