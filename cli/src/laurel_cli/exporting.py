"""Writes the pieces of an export to a file that is there whole or not at all."""

import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from laurel.leaderboard.v1 import export_pb2

FORMATS = {
    "csv": export_pb2.EXPORT_FORMAT_CSV,
    "jsonl": export_pb2.EXPORT_FORMAT_JSON_LINES,
    "arrow": export_pb2.EXPORT_FORMAT_ARROW,
}


async def write_export(
    parts: AsyncIterator[export_pb2.ExportLeaderboardResponse], output: Path | None
) -> int:
    """Writes the file, or to stdout; how many entries it has.

    A file appears when it is whole: what breaks off leaves the former one as it was.
    """
    rows = 0
    with _sink(output) as sink:
        async for part in parts:
            if part.WhichOneof("message") == "header":
                rows = part.header.entry_count
            else:
                sink.write(part.data)
    return rows


@contextmanager
def _sink(output: Path | None) -> Iterator[IO[bytes]]:
    if output is None or output == Path("-"):
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    partial = output.with_name(f".{output.name}.{os.getpid()}.part")
    try:
        with partial.open("wb") as sink:
            yield sink
        partial.replace(output)
    finally:
        partial.unlink(missing_ok=True)
