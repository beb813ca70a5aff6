"""Signals in columns: what is written, wherever it came from."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from laurel_ingest.domain.signals import VALUE_E4, Signal, SignalType

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

_LABELS: Final = {each: each.label for each in SignalType}


def table_of(signals: Sequence[Signal], installations: Mapping[int, int]) -> pa.Table:
    """Signals as a table of SCHEMA; `installations` is keyed by repository id."""
    if not signals:
        return SCHEMA.empty_table()
    columns: dict[str, Sequence[Any]] = dict(
        zip(Signal._fields, zip(*signals, strict=True), strict=True)
    )
    columns["installation_id"] = [installations[each] for each in columns["repository_id"]]
    columns["type"] = [_LABELS[each] for each in columns["type"]]
    columns["event_timestamp"] = columns.pop("event_time")
    columns["value_e4"] = [VALUE_E4] * len(signals)
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
