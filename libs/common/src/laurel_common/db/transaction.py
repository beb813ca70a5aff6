"""One transaction: committed on success, rolled back otherwise, limited by the call's deadline."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final, Literal, TypeVar, cast

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from laurel_common.db.errors import Constraints, typed_errors
from laurel_common.deadline import MARGIN_SECONDS, remaining
from laurel_common.errors import ConcurrentChange, DeadlineExceeded

Isolation = Literal["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"]
T = TypeVar("T")

_BUSY: Final = {TransactionStatus.ACTIVE, TransactionStatus.UNKNOWN}


@asynccontextmanager
async def transaction(
    engine: AsyncEngine,
    *,
    constraints: Constraints | None = None,
    isolation: Isolation | None = None,
) -> AsyncIterator[AsyncConnection]:
    """A connection in a transaction of its own.

    `constraints` maps the names of constraints to what their violation means. Raises the typed
    errors of db/errors.py, and DeadlineExceeded where no time is left to begin.
    """
    with typed_errors(constraints):
        async with engine.connect() as connection:
            if isolation is not None:
                await connection.execution_options(isolation_level=isolation)
            async with connection.begin():
                await limit_to_deadline(connection)
                try:
                    yield connection
                except BaseException:
                    await _drop_if_busy(connection)
                    raise


async def _drop_if_busy(connection: AsyncConnection) -> None:
    """Closes a connection that can't be told to roll back; PostgreSQL rolls back by itself then.

    Whoever is cancelled just as a COPY begins leaves it within the COPY: the driver cancels what
    has been done by then. The failure of the rollback would stand in the cancellation's place.
    """
    if connection.invalidated:
        return
    raw = await connection.get_raw_connection()
    driver = cast("psycopg.AsyncConnection[Any]", raw.driver_connection)
    if driver.pgconn.transaction_status in _BUSY:
        await connection.invalidate()


async def limit_to_deadline(connection: AsyncConnection) -> None:
    """Gives every further statement of this transaction what remains of the deadline at most."""
    left = remaining()
    if left is None:
        return
    milliseconds = int((left - MARGIN_SECONDS) * 1000)
    if milliseconds <= 0:
        raise DeadlineExceeded
    await connection.exec_driver_sql(f"SET LOCAL statement_timeout = {milliseconds}")


async def run_transaction(
    engine: AsyncEngine,
    work: Callable[[AsyncConnection], Awaitable[T]],
    *,
    constraints: Constraints | None = None,
    isolation: Isolation | None = None,
    attempts: int = 3,
) -> T:
    """Runs `work` in a transaction, again from the start after a deadlock or a serialization
    failure; raises ConcurrentChange after `attempts` of them. `work` has no effects but in the
    database.
    """
    for _ in range(attempts - 1):
        try:
            return await _once(engine, work, constraints, isolation)
        except ConcurrentChange:
            continue
    return await _once(engine, work, constraints, isolation)


async def _once(
    engine: AsyncEngine,
    work: Callable[[AsyncConnection], Awaitable[T]],
    constraints: Constraints | None,
    isolation: Isolation | None,
) -> T:
    async with transaction(engine, constraints=constraints, isolation=isolation) as connection:
        return await work(connection)
