"""The units of work of ingest on PostgreSQL, and the partitions that they write into."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from laurel_common.db import transaction
from laurel_common.errors import ReferenceMissing
from laurel_ingest.application.ports import UnitOfWork
from laurel_ingest.storage.corrections import CorrectionTable
from laurel_ingest.storage.coverage_gaps import GapTable
from laurel_ingest.storage.fact_store import PostgresFacts
from laurel_ingest.storage.signal_writer import SignalWriter

_ENSURE: Final = text("SELECT ensure_signals_monthly_partitions(:first, :last)")

# Whoever goes while a batch that names them is on its way.
_CONSTRAINTS: Final = {
    "fk_signals_installation": ReferenceMissing,
    "fk_signals_user": ReferenceMissing,
    "fk_signals_repository": ReferenceMissing,
    "fk_synthetic_user_claims_user": ReferenceMissing,
    "fk_installation_signal_states_installation": ReferenceMissing,
}


@dataclass(frozen=True, slots=True)
class PostgresUnit(UnitOfWork):
    """A unit of work with its connection, for what other tables note in the same transaction."""

    connection: AsyncConnection


class PostgresStorage:
    """Facts and signals in one transaction per unit of work.

    At most `writers` of them at a time: those of one repository wait for each other in the
    database, and would leave no connection to those who read. Who comes later waits here, in order.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        writers: int = 4,
        boards_follow: bool = False,
        on_commit: Callable[[], None] = lambda: None,
    ) -> None:
        """`boards_follow`: what changes is noted, so that scoring is told of it. `on_commit` is
        called after each unit of work.
        """
        self._engine = engine
        self._on_commit = on_commit
        self._boards_follow = boards_follow
        self._turns = asyncio.Semaphore(writers)
        self._months: set[datetime] = set()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[UnitOfWork]:
        """Facts and signals on one connection."""
        async with (
            self._turns,
            transaction(self._engine, constraints=_CONSTRAINTS) as connection,
        ):
            writer = SignalWriter(connection, boards_follow=self._boards_follow)
            yield PostgresUnit(
                PostgresFacts(connection),
                writer,
                CorrectionTable(connection),
                GapTable(connection),
                connection,
            )
        self._on_commit()

    async def claims_of(self, synthetic_ids: Collection[int]) -> dict[int, int]:
        """Committed claims on these ids."""
        if not synthetic_ids:
            return {}
        async with self._turns, transaction(self._engine) as connection:
            return await PostgresFacts(connection).claims_of(synthetic_ids)

    async def authors_called(self, logins: Collection[str]) -> dict[int, str]:
        """Authors whose account has one of these logins, as committed."""
        if not logins:
            return {}
        async with self._turns, transaction(self._engine) as connection:
            return await PostgresFacts(connection).authors_called(logins)

    async def ensure_partitions(self, months: Collection[datetime]) -> None:
        """Makes the missing partitions, each run of adjoining months at once.

        In transactions of their own: making one holds locks that a batch must not prolong. What
        an operator drops later, the default partition catches.
        """
        starts = {
            month.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
            for month in months
        }
        for first, last in _runs(sorted(starts - self._months)):
            async with self._turns, transaction(self._engine) as connection:
                await connection.execute(_ENSURE, {"first": first, "last": last})
        self._months |= starts


def _runs(months: list[datetime]) -> list[tuple[datetime, datetime]]:
    """Adjoining months as (first, last)."""
    runs: list[tuple[datetime, datetime]] = []
    for month in months:
        if runs and (runs[-1][1] + timedelta(days=31)).replace(day=1) == month:
            runs[-1] = runs[-1][0], month
        else:
            runs.append((month, month))
    return runs
