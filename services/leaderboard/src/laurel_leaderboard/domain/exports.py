"""A version as a file: its columns, and its rows written as CSV, JSON lines or Arrow."""

import csv
import io
import json
from collections.abc import Mapping
from enum import IntEnum
from typing import Any, Protocol

import pyarrow as pa

from laurel_leaderboard.domain.entries import Profile, format_points
from laurel_leaderboard.domain.history import Standing
from laurel_leaderboard.domain.rows import COUNTS, POINTS

# What is read of a version, in its order.
STORED = pa.schema(
    [
        pa.field("rank", pa.int32()),
        pa.field("entity_id", pa.int64()),
        pa.field("score_e4", pa.int64()),
        *(pa.field(name, pa.int64()) for name in POINTS),
        *(pa.field(name, pa.int32()) for name in COUNTS),
        pa.field("additions", pa.int32()),
        pa.field("deletions", pa.int32()),
        pa.field("member_count", pa.int32()),
    ]
)
COLUMNS = pa.schema(
    [
        *(STORED.field(name) for name in ("rank", "entity_id")),
        *(pa.field(name, pa.string()) for name in ("login", "name", "score")),
        *(STORED.field(name) for name in STORED.names[2:]),
        pa.field("previous_rank", pa.int32()),
        pa.field("previous_score_e4", pa.int64()),
    ]
)
# What a spreadsheet would take for the beginning of a formula, wide forms too.
_FORMULAS = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001 - the wide forms are meant
_TEXTS = ("login", "name")


class Format(IntEnum):
    """What the file is written in."""

    CSV = 1
    JSON_LINES = 2
    ARROW = 3


MEDIA_TYPES = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.JSON_LINES: "application/jsonl",
    Format.ARROW: "application/vnd.apache.arrow.stream",
}


def exported(
    stored: pa.RecordBatch,
    profiles: Mapping[int, Profile],
    previous: Mapping[int, Standing],
    hidden: frozenset[int],
) -> pa.RecordBatch:
    """The rows of STORED as COLUMNS: with names, and without what is hidden from the reader."""
    ids = stored.column("entity_id").to_pylist()
    shown = [profiles.get(id_) if id_ not in hidden else None for id_ in ids]
    before = [previous.get(id_) for id_ in ids]
    made: dict[str, list[Any]] = {
        "entity_id": [None if id_ in hidden else id_ for id_ in ids],
        "login": [profile and profile.login for profile in shown],
        "name": [profile and profile.name for profile in shown],
        "score": [format_points(points) for points in stored.column("score_e4").to_pylist()],
        "previous_rank": [standing and standing.rank for standing in before],
        "previous_score_e4": [standing and standing.score_e4 for standing in before],
    }
    columns = [
        pa.array(made[field.name], field.type) if field.name in made else stored.column(field.name)
        for field in COLUMNS
    ]
    return pa.RecordBatch.from_arrays(columns, schema=COLUMNS)


class Writer(Protocol):
    """Writes a file piece by piece; all pieces together are the file."""

    def begin(self) -> bytes:
        """What stands before the first row."""
        ...

    def rows(self, batch: pa.RecordBatch) -> bytes:
        """Some rows of COLUMNS."""
        ...

    def end(self) -> bytes:
        """What stands behind the last row."""
        ...


def writer_of(form: Format) -> Writer:
    """A new writer."""
    match form:
        case Format.CSV:
            return CsvWriter()
        case Format.JSON_LINES:
            return JsonLinesWriter()
        case Format.ARROW:
            return ArrowWriter()


class CsvWriter:
    """RFC 4180, guarded against formulas: logins and names come from strangers."""

    def begin(self) -> bytes:
        """The names of the columns."""
        return self._lines([COLUMNS.names])

    def rows(self, batch: pa.RecordBatch) -> bytes:
        """Lines; what is not known is empty."""
        columns = [
            list(map(guarded, column.to_pylist())) if name in _TEXTS else column.to_pylist()
            for name, column in zip(COLUMNS.names, batch.columns, strict=True)
        ]
        return self._lines(zip(*columns, strict=True))

    def end(self) -> bytes:
        """Nothing."""
        return b""

    @staticmethod
    def _lines(rows: Any) -> bytes:
        sink = io.StringIO()
        csv.writer(sink, lineterminator="\r\n").writerows(rows)
        return sink.getvalue().encode("utf-8", "replace")


def guarded(text: str | None) -> str | None:
    """The text so that no spreadsheet computes it."""
    return f"'{text}" if text and text.startswith(_FORMULAS) else text


class JsonLinesWriter:
    """An object a line; what is not known is null."""

    def begin(self) -> bytes:
        """Nothing."""
        return b""

    def rows(self, batch: pa.RecordBatch) -> bytes:
        """Objects with the columns' names."""
        lines = (
            json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in batch.to_pylist()
        )
        return "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")

    def end(self) -> bytes:
        """Nothing."""
        return b""


class ArrowWriter:
    """One IPC stream."""

    def __init__(self) -> None:
        self._sink = _Pieces()
        self._writer = pa.ipc.new_stream(pa.PythonFile(self._sink, mode="w"), COLUMNS)

    def begin(self) -> bytes:
        """The schema."""
        return self._sink.take()

    def rows(self, batch: pa.RecordBatch) -> bytes:
        """A record batch."""
        self._writer.write_batch(batch)
        return self._sink.take()

    def end(self) -> bytes:
        """The mark of the end."""
        self._writer.close()
        return self._sink.take()


class _Pieces(io.RawIOBase):
    """A file that is taken away as it is written."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []
        self._position = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._pieces.append(piece)
        self._position += len(piece)
        return len(piece)

    def take(self) -> bytes:
        """What was written since."""
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken
