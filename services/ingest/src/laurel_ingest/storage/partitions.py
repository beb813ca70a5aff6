"""The partitions of signals, as the catalog and the health table tell."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from laurel_common.db import transaction
from laurel_ingest.application.partitions import DefaultUse, Partition
from laurel_ingest.storage.scoring_notices import note_change

_ALL: Final = text(
    """
    SELECT to_date(substr(child.relname, 9), 'YYYY_MM'), child.reltuples::bigint,
        pg_total_relation_size(child.oid)
    FROM pg_inherits AS link
    JOIN pg_class AS child ON child.oid = link.inhrelid
    WHERE link.inhparent = 'public.signals'::regclass
        AND child.relname ~ '^signals_[0-9]{4}_[0-9]{2}$'
    ORDER BY child.relname
    """
)

_DEFAULT_USES: Final = text(
    """
    SELECT event_month, sum(hits)::bigint, min(first_event_timestamp), max(last_event_timestamp),
        min(recorded_at)
    FROM signals_partition_health WHERE resolved_at IS NULL
    GROUP BY event_month ORDER BY event_month
    """
)

# What of each installation goes is counted before it does.
_LEAVING: Final = text(
    """
    SELECT installation_id, count(*) FROM signals
    WHERE event_timestamp >= CAST(:first AS date) AND event_timestamp < CAST(:end AS date)
    GROUP BY installation_id
    """
)

_LESS: Final = text(
    """
    UPDATE installation_signal_states AS state
    SET revision = state.revision + 1,
        signal_count = greatest(state.signal_count - gone.count, 0)
    FROM unnest(CAST(:installation_ids AS bigint[]), CAST(:counts AS bigint[]))
        AS gone (installation_id, count)
    WHERE state.installation_id = gone.installation_id
    """
)

_DROP: Final = text("SELECT drop_old_signals_partitions(:keep_months)")


class PartitionTables:
    """Implements Partitions."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def all(self) -> Sequence[Partition]:
        """See Partitions."""
        async with transaction(self._engine) as connection:
            return [Partition(*row) for row in await connection.execute(_ALL)]

    async def default_uses(self) -> Sequence[DefaultUse]:
        """See Partitions."""
        async with transaction(self._engine) as connection:
            return [DefaultUse(*row) for row in await connection.execute(_DEFAULT_USES)]

    async def drop(self, keep_months: int, months: Sequence[date]) -> None:
        """See Partitions. What is told to scoring commits with it."""
        first, last = min(months), max(months)
        end = date(last.year + last.month // 12, last.month % 12 + 1, 1)
        async with transaction(self._engine) as connection:
            await connection.exec_driver_sql("SET LOCAL timezone = 'UTC'")
            rows = await connection.execute(_LEAVING, {"first": first, "end": end})
            leaving = {row[0]: row[1] for row in rows}
            await connection.execute(_DROP, {"keep_months": keep_months})
            if leaving:
                ids = sorted(leaving)
                counts = [leaving[each] for each in ids]
                await connection.execute(_LESS, {"installation_ids": ids, "counts": counts})
                await note_change(connection, ids)
