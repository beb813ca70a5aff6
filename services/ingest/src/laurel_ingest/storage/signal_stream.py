"""An installation's signals in columns, straight from the database's binary rows to Arrow."""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final

import adbc_driver_postgresql.dbapi as adbc
import pyarrow as pa

from laurel_common.db.engine import psycopg_url
from laurel_common.deadline import remaining
from laurel_common.errors import DatabaseUnavailable, DeadlineExceeded
from laurel_ingest.application.ports import InstallationState, StreamQuery
from laurel_ingest.domain.signals import REVIEW_STATES, SignalType
from laurel_ingest.storage.change_log import SELECT_CHANGES, Delta, delta_of
from laurel_ingest.storage.signal_moves import SELECT_ADOPTED
from laurel_ingest.storage.statement_thread import StatementThread

# Bytes of a record batch, as the driver estimates them: well below what a message may hold.
_BATCH_BYTES: Final = str(2 * 1024 * 1024)
_BATCH_OPTION: Final = "adbc.postgresql.batch_size_hint_bytes"
_QUERY_CANCELED: Final = "57014"
# What a signal takes in its partition, metadata included; more than most do.
_SIGNAL_BYTES: Final = 300
# Of the months that are read: asking how large a table is waits for whoever locks it.
_PARTITIONS_BYTES: Final = """
    SELECT coalesce(sum(pg_relation_size(part.oid)), 0)::bigint
    FROM pg_inherits JOIN pg_class AS part ON part.oid = inhrelid
    WHERE inhparent = 'public.signals'::regclass
        AND (part.relname::text BETWEEN $1 AND $2 OR part.relname = 'signals_default')
"""
_READ_WHOLE: Final = ("enable_indexscan", "enable_bitmapscan")
_MARK: Final = re.compile(r"(?P<lineage>[0-9a-f-]+|none)\.(?P<revision>[0-9]{1,18})\.")

_TYPE: Final = " ".join(f"WHEN '{each.label}' THEN {each.value}" for each in SignalType)
_STATE: Final = " ".join(
    f"WHEN '{state}' THEN {number}" for number, state in enumerate(REVIEW_STATES, start=1)
)
# A value is 1 nearly always, and comparing costs a fifth of multiplying.
_COLUMNS: Final = f"""
    user_id, repository_id, (CASE type {_TYPE} END)::smallint AS type,
    CASE WHEN value = 1 THEN 10000 ELSE (value * 10000)::bigint END AS value_e4,
    event_timestamp AS event_time, decode(content_hash, 'hex') AS content_hash,
    signal_flags(metadata) AS flags,
    (CASE metadata ->> 'review_state' {_STATE} ELSE 0 END)::smallint AS review_state,
    coalesce((metadata ->> 'additions')::integer, 0) AS additions,
    coalesce((metadata ->> 'deletions')::integer, 0) AS deletions
"""
# Texts cost as much as all else together, and boards need none of them.
_REFERENCES: Final = """,
    coalesce((metadata ->> 'number')::bigint, 0) AS number,
    coalesce(metadata ->> 'object_id', '') AS object_id,
    coalesce(metadata ->> 'title', '') AS title
"""


class AdbcSignalStream:
    """Reads in a thread of its own, one batch ahead of whoever consumes."""

    def __init__(self, url: str) -> None:
        self._url = psycopg_url(url)

    @asynccontextmanager
    async def open(self, query: StreamQuery) -> AsyncIterator["AdbcSnapshot"]:
        """One snapshot. Raises DatabaseUnavailable, DeadlineExceeded."""
        connection = await self._connected()
        try:
            snapshot = AdbcSnapshot(connection.cursor(), query)
            await snapshot.begin()
            yield snapshot
        except adbc.Error as error:
            if getattr(error, "sqlstate", None) == _QUERY_CANCELED:
                raise DeadlineExceeded from error
            raise DatabaseUnavailable from error
        finally:
            await asyncio.shield(asyncio.to_thread(connection.close))

    async def _connected(self) -> Any:
        connecting = asyncio.ensure_future(asyncio.to_thread(self._connect))
        try:
            return await asyncio.shield(connecting)
        except asyncio.CancelledError:
            connecting.add_done_callback(_let_go)
            raise

    def _connect(self) -> Any:
        try:
            return adbc.connect(self._url)
        except adbc.Error as error:
            raise DatabaseUnavailable from error


class AdbcSnapshot:
    """A transaction that sees one moment. Its cursor is used by one thread at a time."""

    def __init__(self, cursor: Any, query: StreamQuery) -> None:
        self._cursor = cursor
        self._thread = StatementThread(cursor)
        self._query = query
        self._span: tuple[datetime, datetime] | None = None
        self._delta: Delta | None = None
        self._along = [query.installation_id]
        self.state = InstallationState("", (), 0)

    async def begin(self) -> None:
        """Fixes the moment and reads what is known beside the signals."""
        await self._thread.run(self._begin)

    def _begin(self) -> None:
        installation_id = self._query.installation_id
        self._cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        left = remaining()
        if left is not None:
            self._cursor.execute(f"SET LOCAL statement_timeout = {max(int(left * 1000), 1)}")
        state = self._rows(
            "SELECT revision, signal_count, first_event_timestamp, last_event_timestamp,"
            " lineage::text FROM installation_signal_states WHERE installation_id = $1",
            installation_id,
        )
        # Signals that move here are this installation's, wherever their rows are yet.
        self._along += [row[0] for row in self._rows(SELECT_ADOPTED, installation_id)]
        bots = self._rows(
            "SELECT user_id FROM installation_bots WHERE installation_id = $1 ORDER BY user_id",
            installation_id,
        )
        bot_ids = tuple(row[0] for row in bots)
        revision, count, first, last, lineage = state[0] if state else (0, 0, None, None, "none")
        if first is not None and last is not None:
            self._span = first, last
        self._delta = self._changes(lineage, revision, count)
        mark = _mark(lineage, revision, bot_ids)
        self.state = InstallationState(mark, bot_ids, count, self._delta is not None)
        if self._is_most_of_all(count):
            for setting in _READ_WHOLE:
                self._cursor.execute(f"SET LOCAL {setting} = off")

    def _is_most_of_all(self, count: int) -> bool:
        """Whether so much is read that partitions are best read from end to end.

        Of rows that came in bulk and were never analyzed the planner takes an installation's for
        few, and would fetch each by an index.
        """
        query = self._query
        if self._delta is not None or query.repository_ids or query.user_ids or query.start:
            return False
        if self._span is None:
            return False
        months = (f"signals_{each.astimezone(UTC):%Y_%m}" for each in self._span)
        ((size,),) = self._rows(_PARTITIONS_BYTES, *months)
        return 2 * count * _SIGNAL_BYTES > int(size)

    def _changes(self, lineage: str, revision: int, count: int) -> Delta | None:
        """What has changed since the mark that the query names, where that is known."""
        known = _MARK.match(self._query.since_mark)
        if known is None or known["lineage"] != lineage or int(known["revision"]) > revision:
            return None
        since = int(known["revision"])
        rows = self._rows(SELECT_CHANGES, self._query.installation_id, since)
        return delta_of(rows, since, revision, count)

    def removed(self) -> bytes | None:
        """The keys that are gone, as an Arrow IPC stream."""
        if self._delta is None or not self._delta.removed:
            return None
        hashes, users = zip(*self._delta.removed, strict=True)
        return _stream_of(
            pa.record_batch(
                {
                    "content_hash": pa.array(hashes, pa.binary()),
                    "user_id": pa.array(users, pa.int64()),
                }
            )
        )

    async def batches(self) -> AsyncIterator[bytes]:
        """Arrow IPC streams, one record batch each; none where there is nothing."""
        statement = self._statement()
        if statement is None:
            return
        reader = await self._thread.run(self._execute, statement)
        coming = self._thread.start(_next, reader)
        try:
            while (batch := await self._thread.outcome(coming)) is not None:
                coming = self._thread.start(_next, reader)
                yield batch
        finally:
            await self._thread.end(coming)

    def _statement(self) -> str | None:
        """The statement, its values written out: with parameters the driver forgoes COPY.

        Bounded on both sides: without bounds every partition there is would be locked. What has
        changed is found by its ids and nothing else, as no index has what is added to: of rows
        that just came in bulk the planner knows nothing, takes any condition for as rare as
        another, and would read all that the installation has.
        """
        if self._span is None:
            return None
        query, (first, last) = self._query, self._span
        if self._delta is not None:
            if self._delta.span is None:
                return None
            first, last = self._delta.span
        first = max(first, query.start) if query.start else first
        last = min(last, query.end) if query.end else last
        if first > last:
            return None
        by_ids_alone = "" if self._delta is None else " + 0"
        conditions = [
            *_among(f"installation_id{by_ids_alone}", self._along),
            f"event_timestamp BETWEEN '{_literal(first)}' AND '{_literal(last)}'",
            *_among(f"repository_id{by_ids_alone}", query.repository_ids),
            *_among(f"user_id{by_ids_alone}", query.user_ids),
            *(_changed(self._delta) if self._delta is not None else ()),
        ]
        where = " AND ".join(conditions)
        columns = _COLUMNS + _REFERENCES if query.references else _COLUMNS
        return f"SELECT {columns} FROM signals WHERE {where}"  # noqa: S608 - numbers and times only

    def _execute(self, statement: str) -> Any:
        self._cursor.adbc_statement.set_options(**{_BATCH_OPTION: _BATCH_BYTES})
        self._cursor.execute(statement)
        return self._cursor.fetch_record_batch()

    def _rows(self, statement: str, *values: int | str) -> Sequence[Any]:
        self._cursor.execute(statement, values)
        rows: Sequence[Any] = self._cursor.fetchall()
        return rows


def _let_go(connecting: "asyncio.Future[Any]") -> None:
    """Closes the connection that came after whoever wanted it had gone."""
    if not connecting.cancelled() and connecting.exception() is None:
        connecting.result().close()


def _next(reader: Any) -> bytes | None:
    """The next record batch as an Arrow IPC stream; None at the end."""
    while True:
        try:
            batch = reader.read_next_batch()
        except StopIteration:
            return None
        if batch.num_rows:
            return _stream_of(batch)


def _stream_of(batch: Any) -> bytes:
    """One record batch as an Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _mark(lineage: str, revision: int, bot_ids: Sequence[int]) -> str:
    bots = hashlib.sha256(",".join(map(str, bot_ids)).encode()).hexdigest()[:16]
    return f"{lineage}.{revision}.{bots}"


def _literal(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _changed(delta: Delta) -> list[str]:
    """New signals by the ranges that their ids lie in, rewritten ones by their ids."""
    conditions = [
        f"id BETWEEN {int(first)} AND {int(last)}" for first, last in delta.id_ranges
    ] + _among("id", delta.ids)
    return [f"({' OR '.join(conditions)})"]


def _among(column: str, ids: Sequence[int]) -> list[str]:
    if not ids:
        return []
    values = ",".join(str(int(each)) for each in ids)
    return [f"{column} = ANY ('{{{values}}}'::bigint[])"]
