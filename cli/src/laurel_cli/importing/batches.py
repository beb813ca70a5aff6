"""Cuts lines into batches that ingest takes in one message."""

from collections.abc import Callable, Iterable, Iterator

from laurel.ingest.v1 import signal_imports_pb2

# Ingest takes 10,000 lines and 32 MiB; a bar that moves and a window of a few batches want less.
MAX_LINES = 2_000
MAX_BYTES = 4 * 1024 * 1024


def batches_of(
    lines: Iterable[bytes], *, file_name: str, on_cut: Callable[[], None] = lambda: None
) -> Iterator[signal_imports_pb2.EventBatch]:
    """The lines in order, numbered from 1.

    `on_cut` is called before each batch is handed out.
    """
    kept: list[bytes] = []
    size, first = 0, 1
    for number, line in enumerate(lines, start=1):
        if kept and (len(kept) == MAX_LINES or size + len(line) > MAX_BYTES):
            on_cut()
            yield _batch(kept, first, file_name)
            kept, size, first = [], 0, number
        kept.append(line)
        size += len(line)
    if kept:
        on_cut()
        yield _batch(kept, first, file_name)


def _batch(lines: list[bytes], first: int, file_name: str) -> signal_imports_pb2.EventBatch:
    return signal_imports_pb2.EventBatch(lines=lines, first_line_number=first, file_name=file_name)
