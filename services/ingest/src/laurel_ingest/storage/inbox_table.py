"""The webhook inbox in PostgreSQL."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from laurel_common.clock import Clock
from laurel_common.db import transaction
from laurel_common.jobs import JobQueue
from laurel_ingest.domain.deliveries import Arrival, Delivery, DeliveryState
from laurel_ingest.storage.group_commit import GroupCommit

_GROUP_ITEMS: Final = 200
_GROUP_BYTES: Final = 32 * 1024 * 1024

_KEEP: Final = text(
    """
    INSERT INTO webhook_deliveries AS d (
        delivery_id, event, action, installation_id, subject_id, state,
        received_at, next_attempt_at, finished_at, body, body_bytes)
    SELECT delivery_id, event, action, installation_id, subject_id, state, received_at, received_at,
        CASE WHEN state <> 'waiting' THEN received_at END,
        CASE WHEN state = 'waiting' THEN body END, octet_length(body)
    FROM unnest(
        CAST(:delivery_ids AS text[]), CAST(:events AS text[]), CAST(:actions AS text[]),
        CAST(:installation_ids AS bigint[]), CAST(:subject_ids AS bigint[]),
        CAST(:states AS text[]), CAST(:times AS timestamptz[]), CAST(:bodies AS bytea[])
    ) AS told (delivery_id, event, action, installation_id, subject_id, state, received_at, body)
    ORDER BY delivery_id
    ON CONFLICT ON CONSTRAINT uq_webhook_deliveries_delivery DO UPDATE SET
        action = excluded.action, installation_id = excluded.installation_id,
        subject_id = excluded.subject_id, state = excluded.state,
        received_at = excluded.received_at, next_attempt_at = excluded.next_attempt_at,
        finished_at = excluded.finished_at, last_error = NULL, body = excluded.body,
        body_bytes = excluded.body_bytes
    WHERE d.state = 'lost'
    RETURNING delivery_id
    """
)

_DUE: Final = text(
    """
    SELECT id, delivery_id, event, action, installation_id, state, received_at, attempts,
        next_attempt_at, finished_at, last_error, left_out, body, body_bytes
    FROM (
        SELECT id, delivery_id, event, action, installation_id, state, received_at, attempts,
            next_attempt_at, finished_at, last_error, left_out, body, body_bytes,
            sum(body_bytes) OVER (ORDER BY id) - body_bytes AS bytes_before
        FROM webhook_deliveries
        WHERE subject_id = :subject_id AND state = 'waiting' AND next_attempt_at <= :now
        ORDER BY id
        LIMIT :limit
    ) AS oldest
    WHERE bytes_before < :max_bytes
    ORDER BY id
    """
)

_FINISH: Final = text(
    """
    UPDATE webhook_deliveries AS d
    SET state = 'done', finished_at = :now, last_error = NULL, left_out = told.left_out::jsonb
    FROM unnest(CAST(:ids AS bigint[]), CAST(:left_out AS text[])) AS told (id, left_out)
    WHERE d.id = told.id AND d.state = 'waiting'
    """
)

_PARK: Final = text(
    """
    UPDATE webhook_deliveries AS d
    SET state = 'parked', finished_at = :now, last_error = told.error, attempts = d.attempts + 1
    FROM unnest(CAST(:ids AS bigint[]), CAST(:errors AS text[])) AS told (id, error)
    WHERE d.id = told.id AND d.state = 'waiting'
    """
)

_POSTPONE: Final = text(
    """
    UPDATE webhook_deliveries AS d
    SET next_attempt_at = :at, last_error = told.error, attempts = d.attempts + :counted
    FROM unnest(CAST(:ids AS bigint[]), CAST(:errors AS text[])) AS told (id, error)
    WHERE d.id = told.id AND d.state = 'waiting'
    """
)

_OPEN: Final = text(
    """
    SELECT DISTINCT subject_id FROM webhook_deliveries
    WHERE state = 'waiting' AND next_attempt_at <= :now
    """
)

_FORGET_BODIES: Final = text(
    """
    UPDATE webhook_deliveries SET body = NULL WHERE id IN (
        SELECT id FROM webhook_deliveries
        WHERE body IS NOT NULL AND state = 'done' AND finished_at < :before
        ORDER BY finished_at LIMIT :limit FOR UPDATE SKIP LOCKED
    )
    """
)

_FORGET_ROWS: Final = text(
    """
    DELETE FROM webhook_deliveries WHERE id IN (
        SELECT id FROM webhook_deliveries
        WHERE state IN ('done', 'ignored', 'lost') AND received_at < :before
        ORDER BY received_at LIMIT :limit FOR UPDATE SKIP LOCKED
    )
    """
)


class InboxTable:
    """Implements Inbox, and the worker's OpenWork with what is due as its subjects.

    What waits for a later time has no job: the worker's sweep finds it when its time has come.
    A job that waited for it would hold up what comes in meanwhile.
    """

    def __init__(self, engine: AsyncEngine, queue: JobQueue, clock: Clock) -> None:
        self._engine = engine
        self._queue = queue
        self._clock = clock
        self._group = GroupCommit(
            self._keep,
            size=lambda each: len(each[0].body),
            most_items=_GROUP_ITEMS,
            most_bytes=_GROUP_BYTES,
        )

    async def keep(self, arrival: Arrival, *, worked_on: bool) -> bool:
        """See Inbox."""
        return await self._group((arrival, worked_on))

    async def _keep(self, group: Sequence[tuple[Arrival, bool]]) -> list[bool]:
        arrivals = [each for each, _ in group]
        values = {
            "delivery_ids": [each.delivery_id for each in arrivals],
            "events": [each.event for each in arrivals],
            "actions": [each.action for each in arrivals],
            "installation_ids": [each.installation_id for each in arrivals],
            "subject_ids": [each.subject_id for each in arrivals],
            "states": [
                DeliveryState.WAITING if worked_on else DeliveryState.IGNORED
                for _, worked_on in group
            ],
            "times": [each.received_at for each in arrivals],
            "bodies": [each.body if worked_on else b"" for each, worked_on in group],
        }
        async with transaction(self._engine) as connection:
            fresh = {row[0] for row in await connection.execute(_KEEP, values)}
            for subject_id in sorted(
                {each.subject_id for each, on in group if on and each.delivery_id in fresh}
            ):
                await self._queue.put(connection, subject_id)
        answers = []
        for each in arrivals:
            answers.append(each.delivery_id in fresh)
            fresh.discard(each.delivery_id)
        return answers

    async def due(
        self, subject_id: int, now: datetime, *, limit: int, max_bytes: int
    ) -> list[Delivery]:
        """See Inbox."""
        values = {"subject_id": subject_id, "now": now, "limit": limit, "max_bytes": max_bytes}
        async with transaction(self._engine) as connection:
            return [delivery_of(row) for row in await connection.execute(_DUE, values)]

    async def finish(self, left_out: Mapping[int, Mapping[str, int]], now: datetime) -> None:
        """See Inbox."""
        counts = [
            orjson.dumps({str(reason): count for reason, count in each.items()}).decode()
            for each in left_out.values()
        ]
        await self._change(_FINISH, ids=list(left_out), left_out=counts, now=now)

    async def park(self, errors: Mapping[int, str], now: datetime) -> None:
        """See Inbox."""
        await self._change(_PARK, ids=list(errors), errors=list(errors.values()), now=now)

    async def postpone(self, errors: Mapping[int, str], at: datetime, *, counted: bool) -> None:
        """See Inbox."""
        ids, words = list(errors), list(errors.values())
        await self._change(_POSTPONE, ids=ids, errors=words, at=at, counted=int(counted))

    async def forget(self, *, bodies_before: datetime, rows_before: datetime, limit: int) -> int:
        """See Inbox."""
        async with transaction(self._engine) as connection:
            bodies = await connection.execute(
                _FORGET_BODIES, {"before": bodies_before, "limit": limit}
            )
            rows = await connection.execute(_FORGET_ROWS, {"before": rows_before, "limit": limit})
            return bodies.rowcount + rows.rowcount

    async def open_subjects(self) -> Sequence[int]:
        """Subjects with deliveries whose time has come."""
        # What has only just come in has its job on the way.
        now = self._clock.now() - timedelta(seconds=1)
        async with transaction(self._engine) as connection:
            return [row[0] for row in await connection.execute(_OPEN, {"now": now})]

    async def ensure_job(self, subject_id: int) -> None:
        """Puts a job for a subject that has none."""
        async with transaction(self._engine) as connection:
            await self._queue.put(connection, subject_id)

    async def _change(self, statement: Any, **values: Any) -> None:
        if values["ids"]:
            async with transaction(self._engine) as connection:
                await connection.execute(statement, values)


def delivery_of(row: Any) -> Delivery:
    """A row of the columns that `_DUE` names."""
    return Delivery(
        id=row.id,
        delivery_id=row.delivery_id,
        event=row.event,
        action=row.action,
        installation_id=row.installation_id,
        state=DeliveryState(row.state),
        received_at=row.received_at,
        attempts=row.attempts,
        next_attempt_at=row.next_attempt_at,
        finished_at=row.finished_at,
        last_error=row.last_error,
        left_out=row.left_out,
        body=None if row.body is None else bytes(row.body),
        body_bytes=row.body_bytes,
    )
