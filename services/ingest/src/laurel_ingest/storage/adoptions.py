"""Moves signals to another installation: said at once, the rows following in slices."""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from laurel_common.db import run_transaction, transaction
from laurel_common.errors import ConcurrentChange, InstallationNotFound
from laurel_ingest.application.adopt_installation import Move
from laurel_ingest.storage import adoption_steps as steps
from laurel_ingest.storage.scoring_notices import note_change
from laurel_ingest.storage.signal_writer import lock_all_repositories, lock_repositories

# Whoever writes into the same repositories waits for one of these: well below a second.
SLICE: Final = 10_000
_TURN: Final = text("SELECT pg_advisory_xact_lock(CAST(:key AS bigint))")
_MOVES_LOCK: Final = 0x51670005
_CONSTRAINTS: Final = {
    "fk_signal_moves_into_installation": InstallationNotFound,
    "fk_installation_signal_states_installation": InstallationNotFound,
}

_SPAN: Final = text(
    """
    SELECT first_event_timestamp, last_event_timestamp FROM signal_moves
    WHERE from_installation_id = :from AND repository_id = :repository
    """
)
_LEFT: Final = text(
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
_MOVE: Final = text(
    """
    WITH moved AS (
        UPDATE signals SET installation_id = :into
        WHERE installation_id = :from AND repository_id = ANY (CAST(:repositories AS bigint[]))
            AND event_timestamp BETWEEN :first AND :last
        RETURNING decode(content_hash, 'hex') AS content_hash,
            CASE type WHEN 'commit' THEN user_id ELSE 0 END AS credited_id
    ), keyed AS (
        UPDATE signal_keys AS k SET installation_id = :into FROM moved AS m
        WHERE k.content_hash = m.content_hash AND k.user_id = m.credited_id
    )
    SELECT count(*) FROM moved
    """
)


class AdoptionTables:
    """Implements SignalMoves."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def begin(self, move: Move, now: datetime) -> bool:
        """See SignalMoves."""

        async def work(connection: AsyncConnection) -> bool:
            values = _values(move) | {"now": now}
            await connection.execute(_TURN, {"key": _MOVES_LOCK})
            known = (await connection.execute(steps.KNOWN, values)).one_or_none()
            if known is not None and known[0] == move.into_installation_id:
                return known[1] is None
            if await connection.scalar(steps.BUSY, values) or (known and known[1] is None):
                raise ConcurrentChange
            await _hold(connection, move)
            await _all(connection, steps.LEAD_ON, values)
            await _say(connection, move, values)
            return True

        return await run_transaction(self._engine, work, constraints=_CONSTRAINTS)

    async def slices(self, move: Move) -> AsyncIterator[int]:
        """See SignalMoves. Repositories with few signals share a slice, one with many has several;
        which there are is asked once.
        """
        values = _values(move)
        async with transaction(self._engine) as connection:
            first, last = (await connection.execute(_SPAN, values)).one()
            if first is None:
                return
            span = values | {"first": first, "last": last}
            left = [(row[0], row[1]) for row in await connection.execute(_LEFT, span)]
        for repositories in _packed(left):
            while moved := await self._slice(move, span | {"repositories": repositories}):
                yield moved

    async def _slice(self, move: Move, span: dict[str, Any]) -> int:
        async def work(connection: AsyncConnection) -> int:
            await lock_repositories(connection, span["repositories"])
            until = await connection.scalar(_UNTIL, span | {"limit": SLICE})
            if until is None:
                return 0
            moved = int(await connection.scalar(_MOVE, span | {"last": until}) or 0)
            if move.repository_id:
                await connection.execute(steps.COUNT_MOVED, span | {"count": moved})
            return moved

        return await run_transaction(self._engine, work)

    async def finish(self, move: Move, now: datetime) -> bool:
        """See SignalMoves."""

        async def work(connection: AsyncConnection) -> bool:
            values = _values(move) | {"now": now}
            await connection.execute(_TURN, {"key": _MOVES_LOCK})
            first, last = (await connection.execute(_SPAN, values)).one()
            if first is not None:
                left = await connection.execute(_LEFT, values | {"first": first, "last": last})
                if left.first() is not None:
                    return False
            await _all(connection, steps.IN_THE_END, values)
            if move.repository_id:
                await connection.execute(steps.STATES_REPOSITORY, values)
                await note_change(connection, sorted(_both(move)))
            return True

        return await run_transaction(self._engine, work)


async def _hold(connection: AsyncConnection, move: Move) -> None:
    """Waits for whoever writes to the installation by what it knew before; whoever comes later
    finds the move.
    """
    if move.repository_id:
        await lock_repositories(connection, [move.repository_id])
    else:
        await lock_all_repositories(connection)


async def _say(connection: AsyncConnection, move: Move, values: dict[str, Any]) -> None:
    if move.repository_id:
        await connection.execute(steps.BEGIN_REPOSITORY, values)
        await connection.execute(steps.STATES_REPOSITORY, values)
        await _all(connection, steps.AT_ONCE_REPOSITORY, values)
        return
    await connection.execute(steps.BEGIN_WHOLE, values)
    await connection.execute(steps.STATES_WHOLE, values)
    await _all(connection, steps.AT_ONCE_WHOLE, values)
    await note_change(connection, [move.into_installation_id])


async def _all(
    connection: AsyncConnection, statements: Iterable[TextClause], values: dict[str, Any]
) -> None:
    for statement in statements:
        await connection.execute(statement, values)


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


def _both(move: Move) -> set[int]:
    return {move.from_installation_id, move.into_installation_id}


def _values(move: Move) -> dict[str, Any]:
    return {
        "from": move.from_installation_id,
        "into": move.into_installation_id,
        "repository": move.repository_id,
    }
