"""Structured logs: one JSON object a line on stdout, with the request's ids, without secrets."""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from functools import lru_cache
from typing import Any

import structlog

from laurel_common.surroundings import current_trace

REDACTED = "[redacted]"
_SECRET_KEYS = re.compile(
    r"(?i)(token|password|passwd|secret|authorization|cookie|private_key|credential|api_key)"
)
# Keys that look secret and are not: identifiers of tokens, counts, positions.
_HARMLESS_KEYS = {"token_id", "tokens", "token_count", "page_token_kind"}
_SECRET_TEXT = re.compile(
    r"""
      (?P<url>[a-z][a-z0-9+.-]*://)[^\s/@:]*:[^\s/@]*@     # credentials in a URL
    | \b(?:bearer|token|basic)\s+[A-Za-z0-9._~+/=-]{8,}     # an authorization header
    | \beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*   # a JWT
    | \bgh[pousr]_[A-Za-z0-9]{16,}\b                        # GitHub's tokens
    | \bgithub_pat_[A-Za-z0-9_]{16,}\b
    | \b(?:password|passwd|secret)=[^\s&;]+
    | -----BEGIN[ A-Z]*PRIVATE\ KEY-----.*?(?:-----END[ A-Z]*PRIVATE\ KEY-----|$)
    | \b[0-9a-f]{64}\b                                      # a session token
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)

EventDict = MutableMapping[str, Any]


def redact_text(text: str) -> str:
    """`text` with everything in it that looks like a credential replaced."""
    return _SECRET_TEXT.sub(
        lambda found: (found["url"] or "") + REDACTED + "@" * bool(found["url"]), text
    )


def _redact(value: Any) -> Any:
    if isinstance(value, str):
        return redact_text(value)
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, Mapping):
        return {key: _redact_field(str(key), each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_redact(each) for each in value]
    return redact_text(str(value))


def _redact_field(key: str, value: Any) -> Any:
    return REDACTED if _is_secret(key) else _redact(value)


@lru_cache(maxsize=1024)
def _is_secret(key: str) -> bool:
    return key not in _HARMLESS_KEYS and _SECRET_KEYS.search(key) is not None


def redact(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Takes credentials out of an event: by the key's name, and by the value's shape."""
    return {key: _redact_field(key, value) for key, value in event.items()}


def add_trace(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Adds the running request's ids."""
    trace = current_trace()
    if trace is not None:
        event.setdefault("request_id", trace.request_id)
        event.setdefault("trace_id", trace.trace_id)
    return event


def configure_logging(service: str, level: str = "info") -> None:
    """Sends this process's logs, and those of the libraries in it, to stdout as JSON lines."""

    def add_service(_logger: Any, _method: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_service,
        add_trace,
        structlog.processors.format_exc_info,
        redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.WriteLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # Libraries' chatter is of use to nobody below a warning, unless asked for.
    root.setLevel(logging.DEBUG if level == "debug" else logging.WARNING)
