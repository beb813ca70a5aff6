"""Signals that a caller offers in an Arrow IPC stream, which holds what it says or is refused.

A few bytes can stand for more than a machine has: rows of nothing but nulls, compressed buffers, a
dictionary whose one long word every row names. So a stream is measured before it is unfolded.
"""

import struct
from collections.abc import Iterator
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from laurel_ingest.domain.offers import OFFER, REQUIRED

MAX_UNFOLDED_BYTES: Final = 64 * 1024 * 1024
"""What compressed buffers, or the words of a dictionary, may come to; twice a message's bound."""

# Others let many rows share one text, or one row stand for many.
_PLAIN: Final = (
    *(pa.types.is_primitive, pa.types.is_null, pa.types.is_string, pa.types.is_large_string),
    *(pa.types.is_binary, pa.types.is_large_binary),
)
_BODIES: Final = {"record batch", "dictionary"}


class UnreadableError(ValueError):
    """A stream that is not what it should be; says what is wrong with it."""


def read(content: bytes, most_rows: int) -> pa.Table:
    """The columns of OFFER. Raises UnreadableError."""
    try:
        if sum(_unfolded_sizes(content)) > MAX_UNFOLDED_BYTES:
            raise UnreadableError("unfolds to more than a batch may hold")
        given = _rows(content, most_rows)
        # What strangers send is checked whole, or a wrong offset would be followed.
        given.validate(full=True)
    except (pa.ArrowException, OSError, ValueError, struct.error) as error:
        if isinstance(error, UnreadableError):
            raise
        raise UnreadableError("is no Arrow IPC stream") from error
    known = set(OFFER.names)
    if unknown := [name for name in given.column_names if name not in known]:
        raise UnreadableError(f"has columns that mean nothing: {len(unknown)}")
    if len(set(given.column_names)) < len(given.column_names):
        raise UnreadableError("names a column twice")
    columns = [_column(given, field) for field in OFFER]
    return pa.Table.from_arrays(columns, schema=OFFER)


def _rows(content: bytes, most: int) -> pa.Table:
    batches, count = [], 0
    with pa.ipc.open_stream(content) as reader:
        for batch in reader:
            count += batch.num_rows
            if count > most:
                raise UnreadableError(f"holds more than {most} signals")
            batches.append(batch)
        return pa.Table.from_batches(batches, reader.schema)


def _column(given: pa.Table, field: pa.Field) -> pa.ChunkedArray:
    if field.name not in given.column_names:
        if field.name in REQUIRED:
            raise UnreadableError(f"lacks the column {field.name}")
        return pa.chunked_array([pa.nulls(given.num_rows, field.type)])
    column = given[field.name]
    of = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if not any(holds(of) for holds in _PLAIN):
        raise UnreadableError(f"{field.name} is not {field.type}")
    if of != column.type and _spelt_out(column) > MAX_UNFOLDED_BYTES:
        raise UnreadableError(f"{field.name} unfolds to more than a batch may hold")
    try:
        return column.cast(field.type)
    except pa.ArrowException as error:
        raise UnreadableError(f"{field.name} is not {field.type}") from error


def _spelt_out(column: pa.ChunkedArray) -> int:
    """How many bytes the words of a dictionary take when each row has its own."""
    if pa.types.is_primitive(column.type.value_type):
        return 0
    count = 0
    for chunk in column.chunks:
        lengths = pc.cast(pc.binary_length(chunk.dictionary), pa.int64())
        count += pc.sum(pc.take(lengths, chunk.indices)).as_py() or 0
    return count


def _unfolded_sizes(content: bytes) -> Iterator[int]:
    """Of each compressed buffer, how many bytes it says that it comes to."""
    for message in pa.ipc.MessageReader.open_stream(content):
        if message.type in _BODIES and message.body is not None:
            yield from _buffer_sizes(message)


def _buffer_sizes(message: pa.ipc.Message) -> Iterator[int]:
    """See https://arrow.apache.org/docs/format/Columnar.html: `Message.fbs`, which Arrow has
    verified by now. A buffer begins with its size, -1 where it was left as it is.
    """
    table, body = bytes(message.metadata), memoryview(message.body)
    header = _behind(table, _field(table, _behind(table, 0), 2))
    batch = header if message.type == "record batch" else _behind(table, _field(table, header, 1))
    buffers = _field(table, batch, 2)
    if not (buffers and _field(table, batch, 3)):
        return
    vector = _behind(table, buffers)
    (count,) = struct.unpack_from("<I", table, vector)
    for place in range(count):
        offset, length = struct.unpack_from("<qq", table, vector + 4 + 16 * place)
        if length >= 8:
            yield max(struct.unpack_from("<q", body, offset)[0], 0)


def _field(table: bytes, start: int, number: int) -> int:
    """Where a table of a flatbuffer has a field; 0 where it has none."""
    vtable = start - struct.unpack_from("<i", table, start)[0]
    (size,) = struct.unpack_from("<H", table, vtable)
    if 4 + 2 * number >= size:
        return 0
    (offset,) = struct.unpack_from("<H", table, vtable + 4 + 2 * number)
    return start + offset if offset else 0


def _behind(table: bytes, place: int) -> int:
    """Where what a place points at begins."""
    target: int = place + struct.unpack_from("<I", table, place)[0]
    return target
