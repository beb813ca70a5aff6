"""Things by their signals."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from laurel_common.db import transaction
from laurel_ingest.application.corrections import Creation, Thing, ThingKind
from laurel_ingest.domain.content_hash import content_hash
from laurel_ingest.storage.signal_moves import read_along

_SPAN: Final = text(
    """
    SELECT first_event_timestamp, last_event_timestamp FROM installation_signal_states
    WHERE installation_id = :installation_id
    """
)

# Within the installation's first and last event, so that partitions beyond them are not locked;
# as values, because what a join brings is known too late for that.
_BY_ID: Final = text(
    """
    SELECT repository_id, type::text, metadata FROM signals
    WHERE id = :signal_id AND installation_id = ANY (CAST(:along AS bigint[]))
        AND event_timestamp BETWEEN :first AND :last
    """
)

_KEY: Final = text(
    """
    SELECT signal_id, event_timestamp FROM signal_keys
    WHERE content_hash = decode(:content_hash, 'hex') AND user_id = 0
    """
)

_CREATION: Final = text(
    """
    SELECT installation_id, user_id, event_timestamp, metadata
    FROM signals WHERE id = :signal_id AND event_timestamp = :event_timestamp
    """
)

_KIND_OF: Final = {
    "pr_open": ThingKind.PULL_REQUEST,
    "pr_merge": ThingKind.PULL_REQUEST,
    "pr_close_no_merge": ThingKind.PULL_REQUEST,
    "issue_open": ThingKind.ISSUE,
    "issue_close": ThingKind.ISSUE,
    "comment": ThingKind.COMMENT,
    "review_comment": ThingKind.REVIEW_COMMENT,
    "review": ThingKind.REVIEW,
}
_MADE_BY: Final = {
    ThingKind.PULL_REQUEST: "pr_open",
    ThingKind.ISSUE: "issue_open",
    ThingKind.COMMENT: "comment",
    ThingKind.REVIEW_COMMENT: "review_comment",
    ThingKind.REVIEW: "review",
}
_NUMBERED: Final = (ThingKind.PULL_REQUEST, ThingKind.ISSUE)


class ThingTable:
    """Implements ThingLookup."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def thing_of(self, installation_id: int, signal_id: int) -> Thing | None:
        """See ThingLookup. A backend's signal may not tell what it is of."""
        async with transaction(self._engine) as connection:
            known = await connection.execute(_SPAN, {"installation_id": installation_id})
            span = known.one_or_none()
            if span is None or span[0] is None:
                return None
            values = {
                "signal_id": signal_id,
                "along": await read_along(connection, installation_id),
                "first": span[0],
                "last": span[1],
            }
            row = (await connection.execute(_BY_ID, values)).one_or_none()
        if row is None:
            return None
        repository_id, signal_type, metadata = row
        kind = _KIND_OF.get(signal_type)
        number = None if kind is None else _number(kind, metadata)
        if kind is None or number is None:
            return None
        return Thing(repository_id, kind, number)

    async def creation_of(self, thing: Thing) -> Creation | None:
        """See ThingLookup."""
        made = content_hash(_MADE_BY[thing.kind], thing.repository_id, str(thing.number))
        async with transaction(self._engine) as connection:
            key = (await connection.execute(_KEY, {"content_hash": made})).one_or_none()
            if key is None:
                return None
            values = {"signal_id": key[0], "event_timestamp": key[1]}
            row = (await connection.execute(_CREATION, values)).one_or_none()
        if row is None:
            return None
        return Creation(thing, row[0], row[1], row[2], row[3].get("is_bot") is True)


def _number(kind: ThingKind, metadata: Mapping[str, Any]) -> int | None:
    told = str(metadata.get("number" if kind in _NUMBERED else "object_id"))
    return int(told) if told.isdecimal() else None
