"""Signals in columns: what is written, wherever it came from."""

from collections.abc import Mapping, Sequence
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from laurel_ingest.domain.signals import VALUE_E4, Signal

SCHEMA: Final = pa.schema(
    [
        pa.field("installation_id", pa.int64(), nullable=False),
        pa.field("user_id", pa.int64(), nullable=False),
        pa.field("repository_id", pa.int64(), nullable=False),
        pa.field("type", pa.string(), nullable=False),
        pa.field("identity", pa.string(), nullable=False),
        pa.field("event_timestamp", pa.timestamp("s", "UTC"), nullable=False),
        pa.field("value_e4", pa.int64(), nullable=False),
        pa.field("standing", pa.int16(), nullable=False),
        pa.field("flags", pa.int32(), nullable=False),
        pa.field("review_state", pa.int16()),
        pa.field("additions", pa.int32()),
        pa.field("deletions", pa.int32()),
        pa.field("number", pa.int64()),
        pa.field("title", pa.string()),
        pa.field("object_id", pa.string()),
    ]
)

SCOPE: Final = pa.schema(
    [
        pa.field("repository_id", pa.int64(), nullable=False),
        pa.field("type", pa.string(), nullable=False),
        pa.field("identity", pa.string(), nullable=False),
        pa.field("standing", pa.int16(), nullable=False),
    ]
)


def table_of(signals: Sequence[Signal], installations: Mapping[int, int]) -> pa.Table:
    """Signals as a table of SCHEMA; `installations` is keyed by repository id."""
    columns: dict[str, list[object]] = {
        "installation_id": [installations[signal.repository_id] for signal in signals],
        "user_id": [signal.user_id for signal in signals],
        "repository_id": [signal.repository_id for signal in signals],
        "type": [signal.type.label for signal in signals],
        "identity": [signal.identity for signal in signals],
        "event_timestamp": [signal.event_time for signal in signals],
        "value_e4": [VALUE_E4] * len(signals),
        "standing": [signal.standing for signal in signals],
        "flags": [int(signal.flags) for signal in signals],
        "review_state": [signal.review_state for signal in signals],
        "additions": [signal.additions for signal in signals],
        "deletions": [signal.deletions for signal in signals],
        "number": [signal.number for signal in signals],
        "title": [signal.title for signal in signals],
        "object_id": [signal.object_id for signal in signals],
    }
    arrays = [pa.array(columns[field.name], field.type) for field in SCHEMA]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def scope_of(rows: Sequence[tuple[int, str, str, int]]) -> pa.Table:
    """(repository id, type, identity, standing) of possible signals as a table of SCOPE."""
    return pa.Table.from_pylist(
        [dict(zip(SCOPE.names, row, strict=True)) for row in rows], schema=SCOPE
    )


def recredited(signals: pa.Table, claims: Mapping[int, int]) -> pa.Table:
    """Signals of SCHEMA, those of claimed authors credited to whom they are."""
    if not claims:
        return signals
    authors = pa.array(list(claims), pa.int64())
    people = pa.array(list(claims.values()), pa.int64())
    place = signals.schema.get_field_index("user_id")
    claimed = pc.take(people, pc.index_in(signals["user_id"], authors))
    return signals.set_column(
        place, signals.schema.field(place), pc.coalesce(claimed, signals["user_id"])
    )
