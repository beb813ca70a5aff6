"""Webhooks that GitHub could not deliver, in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from laurel_common.db import transaction
from laurel_ingest.domain.redelivery import FailedAttempt

_READ_UNTIL: Final = text("SELECT read_until FROM webhook_failure_readings WHERE id = 1")
_NOTE: Final = text(
    """
    INSERT INTO webhook_redeliveries AS r (delivery_id, attempt_id, event, failed_at)
    SELECT DISTINCT ON (delivery_id) delivery_id,
        last_value(attempt_id) OVER same, event, first_value(attempted_at) OVER same
    FROM unnest(
        CAST(:delivery_ids AS text[]), CAST(:attempt_ids AS bigint[]), CAST(:events AS text[]),
        CAST(:times AS timestamptz[])
    ) AS told (delivery_id, attempt_id, event, attempted_at)
    WHERE NOT EXISTS (SELECT FROM webhook_deliveries WHERE delivery_id = told.delivery_id)
    WINDOW same AS (
        PARTITION BY delivery_id ORDER BY attempted_at, attempt_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    )
    ORDER BY delivery_id
    ON CONFLICT ON CONSTRAINT pk_webhook_redeliveries DO UPDATE SET
        attempt_id = greatest(r.attempt_id, excluded.attempt_id),
        failed_at = least(r.failed_at, excluded.failed_at)
    """
)
_NOTE_READ: Final = text(
    """
    INSERT INTO webhook_failure_readings AS r (id, read_until) VALUES (1, :until)
    ON CONFLICT ON CONSTRAINT pk_webhook_failure_readings DO UPDATE
    SET read_until = greatest(r.read_until, excluded.read_until)
    """
)
_DUE: Final = text(
    """
    SELECT attempt_id, delivery_id, event, failed_at FROM webhook_redeliveries AS r
    WHERE failed_at >= :failed_since AND (asked_at IS NULL OR asked_at < :asked_before)
        AND NOT EXISTS (SELECT FROM webhook_deliveries WHERE delivery_id = r.delivery_id)
    ORDER BY failed_at, delivery_id
    LIMIT :limit
    """
)
_ASKED: Final = text(
    """
    UPDATE webhook_redeliveries SET asked_count = asked_count + 1, asked_at = :now
    WHERE delivery_id = :delivery_id
    """
)
_CAME: Final = text(
    """
    DELETE FROM webhook_redeliveries AS r
    WHERE EXISTS (SELECT FROM webhook_deliveries WHERE delivery_id = r.delivery_id)
    """
)
_LOST: Final = text(
    """
    WITH gone AS (
        DELETE FROM webhook_redeliveries WHERE delivery_id = CAST(:delivery_id AS text)
            OR failed_at < CAST(:before AS timestamptz)
        RETURNING delivery_id, event, failed_at, asked_count
    )
    INSERT INTO webhook_deliveries (delivery_id, event, subject_id, state, received_at,
        next_attempt_at, finished_at, last_error, body_bytes)
    SELECT delivery_id, event, 0, 'lost', failed_at, failed_at, CAST(:now AS timestamptz),
        'LOST: GitHub could not deliver it; asked for again ' || asked_count || ' times', 0
    FROM gone ORDER BY delivery_id
    ON CONFLICT ON CONSTRAINT uq_webhook_deliveries_delivery DO NOTHING
    """
)


class RedeliveryTable:
    """Implements Redeliveries."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def read_until(self) -> datetime | None:
        """See Redeliveries."""
        async with transaction(self._engine) as connection:
            found: datetime | None = await connection.scalar(_READ_UNTIL)
            return found

    async def note(self, failed: Sequence[FailedAttempt]) -> None:
        """See Redeliveries."""
        values = {
            "delivery_ids": [each.delivery_id for each in failed],
            "attempt_ids": [each.attempt_id for each in failed],
            "events": [each.event for each in failed],
            "times": [each.attempted_at for each in failed],
        }
        if failed:
            await self._run(_NOTE, **values)

    async def note_read(self, until: datetime) -> None:
        """See Redeliveries."""
        await self._run(_NOTE_READ, until=until)

    async def due(
        self, *, failed_since: datetime, asked_before: datetime, limit: int
    ) -> list[FailedAttempt]:
        """See Redeliveries."""
        values = {"failed_since": failed_since, "asked_before": asked_before, "limit": limit}
        async with transaction(self._engine) as connection:
            return [FailedAttempt(*row) for row in await connection.execute(_DUE, values)]

    async def asked(self, delivery_id: str, now: datetime) -> None:
        """See Redeliveries."""
        await self._run(_ASKED, delivery_id=delivery_id, now=now)

    async def lost(self, delivery_id: str, now: datetime) -> None:
        """See Redeliveries."""
        await self._run(_LOST, delivery_id=delivery_id, before=None, now=now)

    async def settle(self, failed_before: datetime, now: datetime) -> tuple[int, int]:
        """See Redeliveries."""
        came = await self._run(_CAME)
        return came, await self._run(_LOST, delivery_id=None, before=failed_before, now=now)

    async def _run(self, statement: Any, **values: Any) -> int:
        async with transaction(self._engine) as connection:
            return (await connection.execute(statement, values)).rowcount
