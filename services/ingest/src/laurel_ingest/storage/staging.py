"""Signals on their way into the database: columns, by COPY, into a table of the session."""

from io import BytesIO
from typing import Final

import pyarrow as pa
import pyarrow.csv as pa_csv
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from laurel_ingest.storage.raw import cursor_of

COLUMNS: Final = (
    *("installation_id", "user_id", "repository_id", "type", "identity", "event_timestamp"),
    *("value_e4", "standing", "flags", "review_state", "additions", "deletions"),
    *("number", "title", "object_id"),
)

# Content hash and key are worked out where the rows are, not one by one in Python. Identities are
# plain ASCII without a backslash, so that the cast to bytea takes them as they are.
_CREATE: Final = text(
    """
    CREATE TEMPORARY TABLE IF NOT EXISTS staged_signals (
        signal_id bigint NOT NULL DEFAULT nextval('public.signals_id_seq'),
        installation_id bigint NOT NULL,
        user_id bigint NOT NULL,
        repository_id bigint NOT NULL,
        type text NOT NULL,
        identity text NOT NULL,
        event_timestamp timestamptz NOT NULL,
        value_e4 bigint NOT NULL,
        standing smallint NOT NULL,
        flags integer NOT NULL,
        review_state smallint,
        additions integer,
        deletions integer,
        number bigint,
        title text,
        object_id text,
        credited_id bigint NOT NULL
            GENERATED ALWAYS AS (CASE type WHEN 'commit' THEN user_id ELSE 0 END) STORED,
        content_hash bytea NOT NULL GENERATED ALWAYS AS (
            sha256((type || '|' || repository_id::text || '|' || identity)::bytea)
        ) STORED
    ) ON COMMIT DELETE ROWS
    """
)
_COPY: Final = f"COPY staged_signals ({', '.join(COLUMNS)}) FROM STDIN (FORMAT csv)"
_CHUNK: Final = 1 << 20
_ANALYZE_FROM: Final = 1_000


async def prepare(connection: AsyncConnection) -> None:
    """Makes sure that the session has its `staged_signals`."""
    await connection.execute(_CREATE)


async def stage(connection: AsyncConnection, signals: pa.Table) -> None:
    """Copies a table of `COLUMNS` into `staged_signals`, which the commit empties.

    Types as text, times as timestamps in UTC; null is null.
    """
    await prepare(connection)
    buffer = BytesIO()
    options = pa_csv.WriteOptions(include_header=False)
    pa_csv.write_csv(signals.select(COLUMNS), buffer, options)
    content = buffer.getbuffer()
    cursor = await cursor_of(connection)
    async with cursor.copy(_COPY) as copy:
        for start in range(0, len(content), _CHUNK):
            await copy.write(content[start : start + _CHUNK])
    if signals.num_rows >= _ANALYZE_FROM:
        # Nobody else ever does it for a temporary table, and joins are planned by it.
        await connection.execute(text("ANALYZE staged_signals"))
