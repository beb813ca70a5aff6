"""What signals are about, out of the Arrow batches that ingest streams with references."""

from collections.abc import Iterator, Set

import pyarrow as pa

from laurel_scoring.domain.github_links import Reference

_COLUMNS = ("content_hash", "number", "object_id", "title")


def references_in(stream: bytes, wanted: Set[bytes]) -> Iterator[tuple[bytes, Reference]]:
    """The references of an Arrow IPC stream whose content hashes are wanted, by hash."""
    with pa.ipc.open_stream(pa.BufferReader(stream)) as reader:
        for batch in reader:
            hashes, *rest = (batch.column(name) for name in _COLUMNS)
            rows = [row for row, each in enumerate(hashes.to_pylist()) if each in wanted]
            known = pa.array(rows, pa.int64())
            for content_hash, number, object_id, title in zip(
                *(column.take(known).to_pylist() for column in (hashes, *rest)), strict=True
            ):
                yield content_hash, Reference(number, object_id, title)
