"""The driver below SQLAlchemy, for COPY, which SQLAlchemy does not speak."""

from typing import Any, cast

import psycopg
from sqlalchemy.ext.asyncio import AsyncConnection


async def cursor_of(connection: AsyncConnection) -> psycopg.AsyncCursor[Any]:
    """A cursor of psycopg's in the transaction that the connection is in."""
    raw = await connection.get_raw_connection()
    return cast("psycopg.AsyncConnection[Any]", raw.driver_connection).cursor()
