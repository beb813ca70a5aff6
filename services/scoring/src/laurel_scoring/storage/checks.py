"""When boards have to be looked at again: noted with each run, read by the schedule."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Integer, bindparam, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from laurel_scoring.domain.schedule import due_at
from laurel_scoring.domain.vocabulary import TimePeriod
from laurel_scoring.storage.tables import scoring_checks

_checks = scoring_checks.c
_TURN: Final = select(func.pg_advisory_xact_lock(bindparam("turn", 0x51670042, Integer)))

# An open run will come by anyhow.
_DUE: Final = text(
    """
    SELECT installation_id FROM scoring_checks AS due
    WHERE due_at <= :now AND NOT EXISTS (
        SELECT 1 FROM scoring_runs AS open
        WHERE open.installation_id = due.installation_id AND open.state IN ('queued', 'running')
    )
    GROUP BY installation_id ORDER BY min(due_at) LIMIT :limit
    """
)

_FORGET: Final = text(
    """
    DELETE FROM scoring_runs AS old
    WHERE finished_at < :before AND NOT EXISTS (
        SELECT 1 FROM (
            SELECT max(id) AS id FROM scoring_runs AS newest
            WHERE newest.preset_id = old.preset_id AND newest.state = 'succeeded'
                AND newest.all_periods
        ) AS kept WHERE kept.id = old.id
    )
    """
)


async def note_checks(
    connection: AsyncConnection,
    installation_id: int,
    periods: Collection[TimePeriod],
    as_of: datetime,
) -> None:
    """Notes that the boards of these periods were computed as of a time."""
    new = insert(scoring_checks).values(
        [
            {
                "installation_id": installation_id,
                "time_period": period.name.lower(),
                "as_of": as_of,
                "due_at": due_at(period, as_of),
            }
            for period in sorted(periods)
        ]
    )
    await connection.execute(
        new.on_conflict_do_update(
            constraint="pk_scoring_checks",
            set_={"as_of": new.excluded.as_of, "due_at": new.excluded.due_at},
        )
    )


async def put_checks_off(connection: AsyncConnection, installation_id: int, to: datetime) -> None:
    """Nothing of the installation is due before a time."""
    await connection.execute(
        update(scoring_checks)
        .where(_checks.installation_id == installation_id, _checks.due_at < to)
        .values(due_at=to)
    )


async def due_periods(
    connection: AsyncConnection, installation_id: int, by: datetime
) -> frozenset[TimePeriod]:
    """The periods of an installation that are due by a time."""
    query = select(_checks.time_period).where(
        _checks.installation_id == installation_id, _checks.due_at <= by
    )
    found = (await connection.execute(query)).scalars()
    return frozenset(TimePeriod[name.upper()] for name in found)


async def lock_due(connection: AsyncConnection, now: datetime, limit: int) -> Sequence[int]:
    """Installations that are due and have no open run; whoever else asks waits for our commit."""
    await connection.execute(_TURN)
    return (await connection.execute(_DUE, {"now": now, "limit": limit})).scalars().all()


async def forget_runs(connection: AsyncConnection, before: datetime) -> int:
    """Deletes runs that ended before, but for each preset's last complete success."""
    return (await connection.execute(_FORGET, {"before": before})).rowcount
