"""Request ids and W3C trace context: read from the caller, written to logs, passed on."""

import re
import secrets
from itertools import count

REQUEST_ID_KEY = "x-request-id"
TRACEPARENT_KEY = "traceparent"
TRACESTATE_KEY = "tracestate"

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
# What has to be passed on, and can be: metadata that gRPC would not send fail the call with them.
_TRACESTATE = re.compile(r"[\x20-\x7e]{1,512}")
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16

_process = secrets.token_hex(6)
_numbers = count(1)


def new_request_id() -> str:
    """An id that no other call has: a random part of the process and a running number."""
    return f"{_process}-{next(_numbers):x}"


class Trace:
    """Which request this is and where it stands in a distributed trace.

    Ids are parsed, or made, when somebody asks for them: most calls never log and never call on.
    """

    # What most calls never ask for stands here once, and not in every call's.
    _request_id = ""
    _trace_id = ""
    _span_id = ""
    _flags = "00"

    def __init__(
        self,
        request_id: str | None = None,
        traceparent: str | None = None,
        tracestate: str | None = None,
    ) -> None:
        self._given = request_id
        self._traceparent = traceparent
        self.tracestate = tracestate

    @property
    def request_id(self) -> str:
        """The caller's id where it is well-formed, or a new one."""
        if not self._request_id:
            given = self._given
            known = given is not None and _REQUEST_ID.fullmatch(given)
            self._request_id = given if known and given else new_request_id()
        return self._request_id

    @property
    def trace_id(self) -> str:
        """32 hex digits: the caller's trace, or a new one."""
        self._settle()
        return self._trace_id

    @property
    def span_id(self) -> str:
        """16 hex digits: this call's own span."""
        self._settle()
        return self._span_id

    def child_traceparent(self) -> str:
        """The header for a call made on behalf of this one: same trace, this span as parent."""
        self._settle()
        return f"00-{self._trace_id}-{self._span_id}-{self._flags}"

    def _settle(self) -> None:
        if self._trace_id:
            return
        found = _TRACEPARENT.fullmatch(self._traceparent or "")
        if found and found[1] != _NO_TRACE and found[2] != _NO_SPAN:
            self._trace_id, self._flags = found[1], found[3]
            if not _TRACESTATE.fullmatch(self.tracestate or ""):
                self.tracestate = None
        else:
            # A state without the context that it belongs to means nothing.
            self._trace_id, self.tracestate = secrets.token_hex(16), None
        self._span_id = secrets.token_hex(8)
