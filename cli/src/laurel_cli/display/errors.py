"""Errors as one line, and the exit code that goes with each."""

from laurel_cli.display.text import clean
from laurel_cli.errors import (
    EXIT_FAILURE,
    EXIT_NOT_FOUND,
    EXIT_REFUSED,
    EXIT_UNAVAILABLE,
    EXIT_USAGE,
)
from laurel_common.errors import LaurelError, RemoteError

_CODES = {
    "INVALID_ARGUMENT": EXIT_USAGE,
    "NOT_FOUND": EXIT_NOT_FOUND,
    "UNAUTHENTICATED": EXIT_REFUSED,
    "PERMISSION_DENIED": EXIT_REFUSED,
    "UNAVAILABLE": EXIT_UNAVAILABLE,
    "DEADLINE_EXCEEDED": EXIT_UNAVAILABLE,
    "RESOURCE_EXHAUSTED": EXIT_UNAVAILABLE,
}


def error_line(error: LaurelError) -> str:
    """Reason, text, fields at fault and the request id, on one line."""
    parts = [f"{error.reason}: {clean(error.message)}"]
    if isinstance(error, RemoteError) and not error.reason:
        parts = [f"{error.code}: {clean(error.message)}"]
    told = error.message
    fields = [
        f"{clean(each.field)}: {clean(each.description)}"
        for each in error.violations
        if each.description not in told
    ]
    if fields:
        parts.append(f"({'; '.join(fields)})")
    if error.retry_after:
        parts.append(f"(try again in {error.retry_after.total_seconds():g} s)")
    if isinstance(error, RemoteError) and error.request_id:
        parts.append(f"[request {clean(error.request_id)}]")
    return " ".join(parts)


def exit_code(error: LaurelError) -> int:
    """2 bad request, 3 not found, 4 refused, 5 not available now, 1 anything else."""
    code = error.code if isinstance(error, RemoteError) else ""
    return _CODES.get(code, EXIT_FAILURE)
