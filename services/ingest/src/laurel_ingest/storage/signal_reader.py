"""Pages of signals by keyset."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, any_, cast, literal, not_, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, BIGINT
from sqlalchemy.ext.asyncio import AsyncEngine

from laurel_common.db import transaction
from laurel_ingest.application.ports import Position, SignalQuery, StoredSignal
from laurel_ingest.storage.signal_moves import read_along
from laurel_ingest.storage.tables import installation_signal_states, signals


class PostgresSignalReader:
    """Reads what is committed, a transaction a page."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def page(
        self, query: SignalQuery, after: Position | None, limit: int
    ) -> Sequence[StoredSignal]:
        """Newest first; within the installation's first and last event, so that partitions
        beyond them are not locked.
        """
        state = installation_signal_states.c
        span = select(state.first_event_timestamp, state.last_event_timestamp).where(
            state.installation_id == query.installation_id
        )
        async with transaction(self._engine) as connection:
            bounds = (await connection.execute(span)).one_or_none()
            if bounds is None or bounds[0] is None:
                return []
            along = await read_along(connection, query.installation_id)
            page = _page(query, along, after, (bounds[0], bounds[1]), limit)
            rows = await connection.execute(page)
            return [StoredSignal(*row) for row in rows]


def _page(
    query: SignalQuery,
    along: Sequence[int],
    after: Position | None,
    span: tuple[datetime, datetime],
    limit: int,
) -> Any:
    s = signals.c
    first, last = span
    latest = last if after is None else min(last, after.event_timestamp)
    conditions: list[ColumnElement[bool]] = [
        s.installation_id.in_(along),
        s.event_timestamp.between(first, latest),
    ]
    if query.start is not None:
        conditions.append(s.event_timestamp >= query.start)
    if query.end is not None:
        conditions.append(s.event_timestamp < query.end)
    if query.user_id is not None:
        conditions.append(s.user_id == query.user_id)
    if query.repository_id is not None:
        conditions.append(s.repository_id == query.repository_id)
    if query.hidden:
        hidden = literal(sorted(query.hidden), ARRAY(BIGINT))
        conditions.append(not_(s.repository_id == any_(hidden)))
    if query.types:
        conditions.append(s.type.in_(query.types))
    if after is not None:
        earlier = s.event_timestamp < after.event_timestamp
        beside = and_(s.event_timestamp == after.event_timestamp, s.id < after.signal_id)
        conditions.append(or_(earlier, beside))
    return (
        select(
            s.id,
            literal(query.installation_id, BIGINT),
            s.user_id,
            s.repository_id,
            s.type,
            cast(s.value * 10_000, BIGINT),
            s.event_timestamp,
            s.content_hash,
            s.metadata,
        )
        .where(*conditions)
        .order_by(s.event_timestamp.desc(), s.id.desc())
        .limit(limit)
    )
