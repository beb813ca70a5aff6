"""Moves signals to another installation: said at once, the rows following in slices."""

from collections.abc import AsyncGenerator, Iterable
from datetime import datetime
from typing import Any, Final

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from laurel_common.db import run_transaction, transaction
from laurel_common.errors import ConcurrentChange, InstallationNotFound
from laurel_ingest.application.adopt_installation import Move
from laurel_ingest.storage import adoption_steps as steps
from laurel_ingest.storage.scoring_notices import note_change
from laurel_ingest.storage.signal_slices import LEFT, SignalSlices
from laurel_ingest.storage.signal_writer import lock_all_repositories, lock_repositories

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
_MOVED: Final = """
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
"""
_MOVE: Final = text(_MOVED + "SELECT count(*) FROM moved")  # noqa: S608 - constants alone
# An installation that is moved whole had its count moved when that began.
_COUNTED: Final = """
    , counted AS (
        UPDATE installation_signal_states AS state
        SET signal_count = greatest(state.signal_count
            + CASE state.installation_id WHEN :into THEN moved.count ELSE -moved.count END, 0)
        FROM (SELECT count(*) AS count FROM moved) AS moved
        WHERE state.installation_id IN (:from, :into)
    )
    SELECT count(*) FROM moved
"""
_MOVE_COUNTED: Final = text("".join((_MOVED, _COUNTED)))


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

    async def slices(self, move: Move) -> AsyncGenerator[int]:
        """See SignalMoves."""
        async with transaction(self._engine) as connection:
            first, last = (await connection.execute(_SPAN, _values(move))).one()
        if first is None:
            return
        statement = _MOVE_COUNTED if move.repository_id else _MOVE
        slices = SignalSlices(self._engine, statement, into=move.into_installation_id)
        async for count in slices.run(move.from_installation_id, (first, last), move.repository_id):
            yield count

    async def finish(self, move: Move, now: datetime) -> bool:
        """See SignalMoves."""

        async def work(connection: AsyncConnection) -> bool:
            values = _values(move) | {"now": now}
            await connection.execute(_TURN, {"key": _MOVES_LOCK})
            first, last = (await connection.execute(_SPAN, values)).one()
            if first is not None:
                left = await connection.execute(LEFT, values | {"first": first, "last": last})
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


def _both(move: Move) -> set[int]:
    return {move.from_installation_id, move.into_installation_id}


def _values(move: Move) -> dict[str, Any]:
    return {
        "from": move.from_installation_id,
        "into": move.into_installation_id,
        "repository": move.repository_id,
    }
