"""The connection pool of a service to PostgreSQL."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

# Below any method's deadline: a caller learns that the pool is exhausted while it still listens.
POOL_TIMEOUT_SECONDS = 2.0
CONNECT_TIMEOUT_SECONDS = 5


def create_engine(
    url: str,
    *,
    application_name: str,
    pool_size: int = 10,
    max_overflow: int = 0,
    pool_timeout: float = POOL_TIMEOUT_SECONDS,
    session: Mapping[str, str] | None = None,
    **options: Any,
) -> AsyncEngine:
    """An engine over psycopg; `url` may be any postgresql:// URL, and nothing connects yet.

    `application_name` shows in pg_stat_activity; sessions run in UTC; parameters never stand in
    errors. `session`: settings of PostgreSQL for each session, names and values without blanks.
    `options` go to SQLAlchemy as they are.
    """
    target = make_url(url).set(drivername="postgresql+psycopg")
    query = dict(target.query)
    settings = {"timezone": "UTC", **(session or {})}
    set_by_options = (f"-c {name}={value}" for name, value in settings.items())
    connect = {
        "application_name": application_name,
        "connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "options": " ".join((str(query.pop("options", "")), *set_by_options)).strip(),
    }
    return create_async_engine(
        target.set(query=query),
        pool_size=pool_size,
        max_overflow=max_overflow,
        pool_timeout=pool_timeout,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args=connect,
        **options,
    )


def psycopg_url(url: str) -> str:
    """The same database as psycopg and ADBC want it named: postgresql://…"""
    named = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    place, mark, query = named.partition("?")
    # SQLAlchemy writes a blank as +, which libpq takes for what it is.
    return f"{place}{mark}{query.replace('+', '%20')}"
