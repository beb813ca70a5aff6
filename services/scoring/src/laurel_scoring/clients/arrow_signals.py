"""Arrow batches of signals, as ingest streams them, into the engine's columns."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from laurel_scoring.domain.columns import HASH_BYTES, Signals

# Each column in the width that the engine reads; ids are numbered once all are known.
_KINDS: dict[str, Any] = {
    "event_time": np.int64,
    "type": np.uint8,
    "value_e4": np.int32,
    "flags": np.uint16,
    "review_state": np.uint8,
    "additions": np.int32,
    "deletions": np.int32,
    "user_id": np.int64,
    "repository_id": np.int64,
}
_KNOWN_FLAGS = 0b111111
_FIRST_ROWS = 65_536


class SignalBuffer:
    """Collects batches as they arrive, each column in one piece that grows where it is.

    Pieces put together in the end would all be held twice then, and small ones that are let go
    stay with the allocator: as much memory again as the signals themselves.
    """

    def __init__(self) -> None:
        self._columns: dict[str, npt.NDArray[Any]] = {
            name: np.empty(0, dtype=kind) for name, kind in _KINDS.items()
        }
        self._hashes = np.empty(0, dtype=np.uint8)
        self._rows = 0
        self._room = 0

    def __len__(self) -> int:
        return self._rows

    def add(self, stream: bytes) -> None:
        """Adds the record batches of an Arrow IPC stream with the columns of signal.proto."""
        with pa.ipc.open_stream(pa.BufferReader(stream)) as reader:
            for batch in reader:
                if batch.num_rows:
                    self._add(batch)

    def _add(self, batch: Any) -> None:
        first, end = self._rows, self._rows + batch.num_rows
        if end > self._room:
            self._resize(max(end, self._room * 5 // 4, _FIRST_ROWS))
        for name, column in self._columns.items():
            values = batch.column(name)
            if name == "event_time":
                values = values.cast(pa.timestamp("us", "UTC")).cast(pa.int64())
            column[first:end] = values.to_numpy()
        hashes = _hashes(batch.column("content_hash"))
        self._hashes[first * HASH_BYTES : end * HASH_BYTES] = hashes
        self._rows = end

    def _resize(self, rows: int) -> None:
        # Nobody else has seen these arrays. Large ones are moved by their pages, not copied.
        for column in self._columns.values():
            column.resize(rows, refcheck=False)
        self._hashes.resize(rows * HASH_BYTES, refcheck=False)
        self._room = rows

    def signals(self) -> Signals:
        """Everything that was added, in the order of arrival. The buffer is empty afterwards."""
        self._resize(self._rows)
        columns, hashes = self._columns, self._hashes
        self.__init__()  # type: ignore[misc]  # nothing is held twice
        users, user = _positions(columns.pop("user_id"))
        repositories, repository = _positions(columns.pop("repository_id"))
        # The wire numbers types from 1, the engine from 0.
        columns["type"] -= np.uint8(1)
        columns["flags"] &= np.uint16(_KNOWN_FLAGS)
        return Signals(
            event_timestamp=columns.pop("event_time"),
            user=user,
            repository=repository,
            content_hash=hashes.reshape(-1, HASH_BYTES),
            users=users,
            repositories=repositories,
            **columns,
        )


class RemovedKeys:
    """The keys of signals that are gone: m x 32 bytes, and whom each credits."""

    def __init__(self) -> None:
        self.hashes = np.empty((0, HASH_BYTES), dtype=np.uint8)
        self.users = np.empty(0, dtype=np.int64)

    def add(self, stream: bytes) -> None:
        """Adds an Arrow IPC stream with the columns of signal_reads.proto."""
        table = pa.ipc.open_stream(pa.BufferReader(stream)).read_all().combine_chunks()
        for batch in table.to_batches():
            hashes = _hashes(batch.column("content_hash")).reshape(-1, HASH_BYTES)
            self.hashes = np.concatenate([self.hashes, hashes])
            self.users = np.concatenate([self.users, batch.column("user_id").to_numpy()])


def _hashes(column: Any) -> npt.NDArray[np.uint8]:
    """The bytes of a column of 32-byte binaries, one after the other, where Arrow has them."""
    fixed = column.cast(pa.binary(HASH_BYTES))
    data = fixed.buffers()[1]
    first = fixed.offset * HASH_BYTES
    return np.frombuffer(data, dtype=np.uint8)[first : first + len(fixed) * HASH_BYTES]


def _positions(
    column: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """The distinct ids ascending, and each row's position among them."""
    encoded = pa.array(column).dictionary_encode()
    ids = encoded.dictionary.to_numpy()
    ascending = np.argsort(ids)
    place = np.empty(len(ids), dtype=np.int32)
    place[ascending] = np.arange(len(ids), dtype=np.int32)
    return ids[ascending], place[encoded.indices.to_numpy()]
