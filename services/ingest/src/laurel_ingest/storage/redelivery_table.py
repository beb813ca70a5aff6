"""Webhooks that GitHub could not deliver, in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from laurel_common.db import transaction
from laurel_ingest.domain.redelivery import LOST, FailedAttempt
from laurel_ingest.domain.webhook_events import HANDLERS

_READ_UNTIL: Final = text("SELECT read_until FROM webhook_failure_readings WHERE id = 1")
_NOTE: Final = text(
    """
    INSERT INTO webhook_redeliveries AS r (
        delivery_id, attempt_id, event, failed_at, installation_id, repository_id
    )
    SELECT DISTINCT ON (delivery_id) delivery_id,
        last_value(attempt_id) OVER same, event, first_value(attempted_at) OVER same,
        installation_id, repository_id
    FROM unnest(
        CAST(:delivery_ids AS text[]), CAST(:attempt_ids AS bigint[]), CAST(:events AS text[]),
        CAST(:times AS timestamptz[]), CAST(:installation_ids AS bigint[]),
        CAST(:repository_ids AS bigint[])
    ) AS told (delivery_id, attempt_id, event, attempted_at, installation_id, repository_id)
    WHERE NOT EXISTS (SELECT FROM webhook_deliveries WHERE delivery_id = told.delivery_id)
    WINDOW same AS (
        PARTITION BY delivery_id ORDER BY attempted_at, attempt_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    )
    ORDER BY delivery_id
    ON CONFLICT ON CONSTRAINT pk_webhook_redeliveries DO UPDATE SET
        attempt_id = greatest(r.attempt_id, excluded.attempt_id),
        failed_at = least(r.failed_at, excluded.failed_at),
        installation_id = coalesce(r.installation_id, excluded.installation_id),
        repository_id = coalesce(r.repository_id, excluded.repository_id)
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
    SELECT attempt_id, delivery_id, event, failed_at, installation_id, repository_id
    FROM webhook_redeliveries AS r
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
# A gap of the repository that it was about, or of all that the installation is known to have.
_LOST: Final = text(
    f"""
    WITH gone AS (
        DELETE FROM webhook_redeliveries WHERE delivery_id = CAST(:delivery_id AS text)
            OR failed_at < CAST(:before AS timestamptz)
        RETURNING delivery_id, event, failed_at, asked_count, installation_id, repository_id
    ), lost AS (
        INSERT INTO webhook_deliveries (delivery_id, event, installation_id, subject_id, state,
            received_at, next_attempt_at, finished_at, last_error, body_bytes)
        SELECT delivery_id, event, installation_id, 0, 'lost',
            failed_at, failed_at, CAST(:now AS timestamptz),
            'LOST: GitHub could not deliver it; asked for again ' || asked_count || ' times', 0
        FROM gone ORDER BY delivery_id
        ON CONFLICT ON CONSTRAINT uq_webhook_deliveries_delivery DO NOTHING
        RETURNING delivery_id
    ), own AS (
        SELECT repository_id, installation_id FROM repository_installations
        UNION
        SELECT repository_id, installation_id FROM repository_histories
    ), noted AS (
        INSERT INTO coverage_gaps AS g (repository_id, reason, last_at)
        SELECT own.repository_id, '{LOST}', max(gone.failed_at)
        FROM lost JOIN gone USING (delivery_id) JOIN own ON CASE
            WHEN gone.repository_id IS NULL THEN own.installation_id = gone.installation_id
            ELSE own.repository_id = gone.repository_id END
        WHERE gone.event = ANY (CAST(:counted AS text[]))
        GROUP BY own.repository_id ORDER BY own.repository_id
        ON CONFLICT ON CONSTRAINT pk_coverage_gaps DO UPDATE
        SET last_at = greatest(g.last_at, excluded.last_at)
    )
    SELECT count(*) FROM lost
    """  # noqa: S608 - put together from constants
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
            "installation_ids": [each.installation_id for each in failed],
            "repository_ids": [each.repository_id for each in failed],
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
        await self._lost(delivery_id, None, now)

    async def settle(self, failed_before: datetime, now: datetime) -> tuple[int, int]:
        """See Redeliveries."""
        came = await self._run(_CAME)
        return came, await self._lost(None, failed_before, now)

    async def _lost(self, delivery_id: str | None, before: datetime | None, now: datetime) -> int:
        values = {"delivery_id": delivery_id, "before": before, "now": now}
        async with transaction(self._engine) as connection:
            counted = await connection.scalar(_LOST, values | {"counted": list(HANDLERS)})
        return int(counted or 0)

    async def _run(self, statement: Any, **values: Any) -> int:
        async with transaction(self._engine) as connection:
            return (await connection.execute(statement, values)).rowcount
