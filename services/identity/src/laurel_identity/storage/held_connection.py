"""A connection of the pool that stays checked out, for a statement that is asked all the time."""

from collections.abc import Sequence
from typing import Any, LiteralString, cast

import psycopg
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from laurel_common.db.errors import typed_errors


class HeldConnection:
    """Executes statements one after the other with the driver's own means: SQLAlchemy's, and the
    pool's with its ping, cost several times what such a statement does.

    Each statement is a transaction of its own. A connection that was lost is replaced once.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._held: AsyncConnection | None = None
        self._driver: psycopg.AsyncConnection[Any] | None = None

    async def fetch(self, query: LiteralString, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """The rows of a query that is prepared. Raises the typed errors of db/errors.py.

        Not to be called before the call before it has ended.
        """
        with typed_errors():
            if self._driver is not None:
                try:
                    return await self._fetch(self._driver, query, values)
                except psycopg.OperationalError:
                    if self._driver is not None:
                        raise
            return await self._fetch(await self._connect(), query, values)

    async def close(self) -> None:
        """Lets the connection go; the next statement takes another one."""
        held, self._held, self._driver = self._held, None, None
        if held is not None:
            await held.invalidate()
            await held.close()

    async def _connect(self) -> "psycopg.AsyncConnection[Any]":
        self._held = await self._engine.connect()
        raw = await self._held.get_raw_connection()
        self._driver = cast("psycopg.AsyncConnection[Any]", raw.driver_connection)
        return self._driver

    async def _fetch(
        self, driver: "psycopg.AsyncConnection[Any]", query: LiteralString, values: Sequence[Any]
    ) -> list[tuple[Any, ...]]:
        try:
            cursor = await driver.execute(query, values, prepare=True)
            return await cursor.fetchall()
        except BaseException:
            # Cut off, or lost: what it has half said must not be the next one's answer.
            if driver.closed or driver.pgconn.transaction_status:
                await self.close()
            raise
