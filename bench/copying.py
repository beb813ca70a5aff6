"""Puts signals straight into the partitions: large installations would take too long to write."""

import io
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql
from pyarrow import csv

from bench.dataset import FLAG_NAMES, REVIEW_STATES, TYPES, Signals, Tenant

_COPY = (
    "COPY signals (installation_id, user_id, repository_id, type, event_timestamp, content_hash,"
    " metadata) FROM STDIN (FORMAT csv)"
)
_ENSURE = "SELECT ensure_signals_monthly_partitions(now() - interval '1 year', now())"
_PARTITIONS = """
SELECT child.relname FROM pg_inherits JOIN pg_class AS child ON child.oid = inhrelid
WHERE inhparent = 'public.signals'::regclass AND child.relname ~ '^signals_[0-9]{4}_[0-9]{2}$'
"""
_INDEXES = """
SELECT name.relname FROM pg_index JOIN pg_class AS name ON name.oid = indexrelid
WHERE indrelid = %s::regclass AND NOT indisprimary
"""
_SPAN = """
INSERT INTO installation_signal_states
    (installation_id, signal_count, first_event_timestamp, last_event_timestamp)
SELECT installation_id, count(*), min(event_timestamp), max(event_timestamp)
FROM signals WHERE installation_id = %s GROUP BY installation_id
"""
_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)


def copy_signals(url: str, tenant: Tenant, chunks: Iterable[Signals], *, seed: int) -> int:
    """The last year's signals of an installation that has none, as WriteSignals would leave them
    but for the keys by which writers find them again; how many. `url` is the schema owner's.

    Foreign keys are not checked, and indexes are made once all rows are there.
    """
    count = 0
    with psycopg.connect(url, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET maintenance_work_mem = '512MB'")
        cursor.execute(_ENSURE)
        partitions = [row[0] for row in cursor.execute(_PARTITIONS).fetchall()]
        for partition in partitions:
            for (index,) in cursor.execute(_INDEXES, (partition,)).fetchall():
                cursor.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(index)))
        for number, signals in enumerate(chunks):
            with cursor.copy(_COPY) as copy:
                copy.write(_rows(tenant, signals, np.random.default_rng((seed, number))))
            count += len(signals)
        for partition in partitions:
            cursor.execute("SELECT create_signals_partition_indexes(%s)", (partition,))
        cursor.execute(_SPAN, (tenant.installation_id,))
    return count


def _rows(tenant: Tenant, signals: Signals, random: np.random.Generator) -> memoryview:
    """The rows as CSV. The hashes are random: nobody who reads looks into them."""
    table = pa.table(
        {
            "installation_id": pa.array(np.full(len(signals), tenant.installation_id)),
            "user_id": pa.array(signals.user_id),
            "repository_id": pa.array(signals.repository_id),
            "type": pa.array(TYPES).take(pa.array(signals.type_index)),
            "event_timestamp": pa.array(signals.event_time, pa.timestamp("us", "UTC")),
            "content_hash": _hexadecimal(random.bytes(len(signals) * 32)),
            "metadata": _metadata(signals),
        }
    )
    sink = io.BytesIO()
    csv.write_csv(table, sink, csv.WriteOptions(include_header=False))
    return sink.getbuffer()


def _hexadecimal(digests: bytes) -> pa.Array:
    """32 bytes each, as texts of 64 digits."""
    halves = np.frombuffer(digests, dtype=np.uint8)
    digits = _HEX[np.stack([halves >> 4, halves & 15], axis=1)].reshape(-1)
    starts = np.arange(0, len(digits) + 1, 64, dtype=np.int32)
    return pa.StringArray.from_buffers(len(starts) - 1, pa.py_buffer(starts), pa.py_buffer(digits))


def _metadata(signals: Signals) -> pa.Array:
    """JSON objects; flags and states come in few combinations, each written once."""
    case = signals.flags * (len(REVIEW_STATES) + 1) + signals.review_state
    said = pa.array([_said(number) for number in range(64 * (len(REVIEW_STATES) + 1))])
    return pc.binary_join_element_wise(
        said.take(pa.array(case)),
        '"additions": ',
        _text(signals.additions),
        ', "deletions": ',
        _text(signals.deletions),
        "}",
        "",
    )


def _said(case: int) -> str:
    flags, state = divmod(case, len(REVIEW_STATES) + 1)
    parts = [f'"{name}": true, ' for bit, name in enumerate(FLAG_NAMES) if flags >> bit & 1]
    if state:
        parts.append(f'"review_state": "{REVIEW_STATES[state - 1]}", ')
    return "{" + "".join(parts)


def _text(numbers: npt.NDArray[Any]) -> pa.Array:
    return pa.array(numbers).cast(pa.string())
