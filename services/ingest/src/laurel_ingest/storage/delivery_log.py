"""What operators see of the webhook inbox, page by page, and replays."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, func, literal_column, null, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from laurel_common.db import transaction
from laurel_common.jobs import JobQueue
from laurel_ingest.application.errors import DeliveryBodyGone, DeliveryNotFound
from laurel_ingest.application.inbox import DeliveryQuery
from laurel_ingest.domain.deliveries import Delivery, DeliveryState
from laurel_ingest.storage.inbox_table import delivery_of
from laurel_ingest.storage.tables import webhook_deliveries

_d = webhook_deliveries.c

_REPLAY: Final = text(
    """
    UPDATE webhook_deliveries
    SET state = 'waiting', attempts = 0, next_attempt_at = :now, finished_at = NULL,
        last_error = NULL
    WHERE id = :id
    """
)


class DeliveryLogTable:
    """Implements DeliveryLog."""

    def __init__(self, engine: AsyncEngine, queue: JobQueue) -> None:
        self._engine = engine
        self._queue = queue

    async def page(
        self, query: DeliveryQuery, before: int | None, limit: int
    ) -> Sequence[Delivery]:
        """See DeliveryLog."""
        statement = _select(null().label("body")).where(*_conditions(query))
        if before is not None:
            statement = statement.where(_d.id < before)
        async with transaction(self._engine) as connection:
            rows = await connection.execute(statement.order_by(_d.id.desc()).limit(limit))
            return [delivery_of(row) for row in rows]

    async def counts(self, states: Collection[DeliveryState]) -> dict[DeliveryState, int]:
        """See DeliveryLog."""
        # One after the other: each has an index of its own.
        counted = (
            select(func.count()).where(_d.state == literal_column(f"'{state.value}'"))
            for state in states
        )
        async with transaction(self._engine) as connection:
            return {
                state: await connection.scalar(each) or 0
                for state, each in zip(states, counted, strict=True)
            }

    async def replay(self, delivery_id: str, now: datetime) -> Delivery:
        """See DeliveryLog."""
        wanted = (
            _select(null().label("body"), _d.subject_id, _d.body.is_(None).label("is_gone"))
            .where(_d.delivery_id == delivery_id)
            .with_for_update()
        )
        async with transaction(self._engine) as connection:
            row = (await connection.execute(wanted)).one_or_none()
            if row is None:
                raise DeliveryNotFound
            if row.is_gone:
                raise DeliveryBodyGone
            await connection.execute(_REPLAY, {"id": row.id, "now": now})
            await self._queue.put(connection, row.subject_id)
            again = await connection.execute(_select(null().label("body")).where(_d.id == row.id))
            return delivery_of(again.one())


def _select(*more: Any) -> Any:
    return select(
        *(_d.id, _d.delivery_id, _d.event, _d.action, _d.installation_id, _d.state),
        *(_d.received_at, _d.attempts, _d.next_attempt_at, _d.finished_at, _d.last_error),
        *(_d.left_out, _d.body_bytes),
        *more,
    )


def _conditions(query: DeliveryQuery) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if query.states:
        conditions.append(_d.state.in_(query.states))
    if query.event is not None:
        conditions.append(_d.event == query.event)
    if query.installation_id is not None:
        conditions.append(_d.installation_id == query.installation_id)
    if query.delivery_id is not None:
        conditions.append(_d.delivery_id == query.delivery_id)
    if query.start is not None:
        conditions.append(_d.received_at >= query.start)
    if query.end is not None:
        conditions.append(_d.received_at < query.end)
    return conditions
