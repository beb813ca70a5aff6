"""Logs of what runs inside the tests' own process."""

import structlog
from structlog.dev import ConsoleRenderer, plain_traceback


def plain_logs() -> None:
    """Tracebacks as they are: drawn ones with every local take the event loop seconds."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            ConsoleRenderer(colors=False, exception_formatter=plain_traceback),
        ],
        cache_logger_on_first_use=False,
    )
