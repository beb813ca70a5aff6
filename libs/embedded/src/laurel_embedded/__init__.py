"""A real PostgreSQL and a real Valkey from wheels, for development, the demo and the tests."""

from .errors import AlreadyRunning, EmbeddedServerError, StartFailed
from .postgres import EmbeddedPostgres
from .valkey import EmbeddedValkey

__all__ = [
    "AlreadyRunning",
    "EmbeddedPostgres",
    "EmbeddedServerError",
    "EmbeddedValkey",
    "StartFailed",
]
