"""What HTTP clients are told: messages as JSON, and errors by status, reason and field."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from aiohttp import web
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from laurel_common.errors import RemoteError

STATUS: Final[Mapping[str, int]] = {
    "INVALID_ARGUMENT": 400,
    "OUT_OF_RANGE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ABORTED": 409,
    "ALREADY_EXISTS": 409,
    "FAILED_PRECONDITION": 409,
    "RESOURCE_EXHAUSTED": 429,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def shown(message: Message) -> web.Response:
    """A message as JSON, in the contract's names; 64-bit numbers are strings there."""
    return web.json_response(MessageToDict(message, preserving_proto_field_name=True))


def led_to(url: str) -> web.Response:
    """Sends the browser on."""
    return web.Response(status=302, headers={"Location": url})


@web.middleware
async def told_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Tells what Laurel refused a request with; its texts are meant for callers."""
    try:
        return await handler(request)
    except RemoteError as error:
        body: dict[str, Any] = {"reason": error.reason, "message": error.message}
        if error.violations:
            body["fields"] = {each.field: each.description for each in error.violations}
        if error.request_id:
            body["request_id"] = error.request_id
        headers = {}
        if error.retry_after is not None:
            headers["Retry-After"] = str(max(1, round(error.retry_after.total_seconds())))
        return web.json_response(body, status=STATUS.get(error.code, 500), headers=headers)
