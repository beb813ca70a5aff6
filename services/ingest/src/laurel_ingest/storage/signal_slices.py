"""An installation's signals, taken in slices that others need not wait long for."""

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from laurel_common.db import run_transaction, transaction
from laurel_ingest.storage.signal_writer import lock_repositories

# Whoever writes into the same repositories waits for one of these: well below a second.
SLICE: Final = 10_000

LEFT: Final = text(
    """
    SELECT repository_id, count(*) FROM signals
    WHERE installation_id = :from AND (:repository = 0 OR repository_id = :repository)
        AND event_timestamp BETWEEN :first AND :last
    GROUP BY repository_id ORDER BY repository_id
    """
)
_UNTIL: Final = text(
    """
    SELECT max(event_timestamp) FROM (
        SELECT event_timestamp FROM signals
        WHERE installation_id = :from AND repository_id = ANY (CAST(:repositories AS bigint[]))
            AND event_timestamp BETWEEN :first AND :last
        ORDER BY event_timestamp LIMIT :limit
    ) AS slice
    """
)


class SignalSlices:
    """Executes a statement for one slice after the other, each in a transaction of its own.

    The statement takes the signals of :from in :repositories between :first and :last out of
    these, and answers how many they were.
    """

    def __init__(self, engine: AsyncEngine, statement: TextClause, **values: int) -> None:
        """`values` are told to the statement, too."""
        self._engine = engine
        self._statement = statement
        self._values = values

    async def run(
        self, installation_id: int, span: tuple[datetime, datetime], repository_id: int = 0
    ) -> AsyncGenerator[int]:
        """How many signals each slice had; of one repository, or of all.

        Repositories with few signals share a slice, one with many has several; which there are is
        asked once.
        """
        values: dict[str, Any] = {
            **self._values,
            "from": installation_id,
            "repository": repository_id,
            "first": span[0],
            "last": span[1],
            "limit": SLICE,
        }
        async with transaction(self._engine) as connection:
            left = [(row[0], row[1]) for row in await connection.execute(LEFT, values)]
        for repositories in _packed(left):
            while taken := await self._take(values | {"repositories": repositories}):
                yield taken

    async def _take(self, values: dict[str, Any]) -> int:
        async def work(connection: AsyncConnection) -> int:
            await lock_repositories(connection, values["repositories"])
            until = await connection.scalar(_UNTIL, values)
            if until is None:
                return 0
            return int(await connection.scalar(self._statement, values | {"last": until}) or 0)

        return await run_transaction(self._engine, work)


def _packed(left: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Repositories (with their counts), put together as long as they fit into one slice."""
    packed: list[list[int]] = []
    room = 0
    for repository_id, count in left:
        if not packed or count > room:
            packed.append([])
            room = SLICE
        packed[-1].append(repository_id)
        room -= count
    return packed
