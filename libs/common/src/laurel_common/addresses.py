"""Checks the addresses that people configure, so that a mistake is told before anything starts."""

from urllib.parse import urlsplit

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

_DATABASES = {"postgresql", "postgres", "postgresql+psycopg"}
_CACHES = {"redis", "rediss", "unix"}
_MAX_PORT = 65535


def check_database_url(url: str) -> str:
    """`url` as it is; raises ValueError, which never shows it, for what is no PostgreSQL URL."""
    try:
        found = make_url(url)
    except (ArgumentError, ValueError):
        found = None
    if found is None or found.drivername not in _DATABASES:
        raise ValueError("not a URL as postgresql://user:password@host/database")
    return url


def check_redis_url(url: str) -> str:
    """`url` as it is; raises ValueError, which never shows it, for what is no Redis URL."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in _CACHES and bool(parts.netloc or parts.path)
        _ = parts.port
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("not a URL as redis://:password@host:6379/0")
    return url


def check_listen(address: str) -> str:
    """`address` as it is; raises ValueError for a port that there is not."""
    if int(address.rpartition(":")[2]) > _MAX_PORT:
        raise ValueError(f"ports end at {_MAX_PORT}")
    return address
