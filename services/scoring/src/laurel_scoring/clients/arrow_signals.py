"""Arrow batches of signals, as ingest streams them, into the engine's columns."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from laurel_scoring.domain.columns import HASH_BYTES, Signals

_NARROW: dict[str, Any] = {
    "type": np.uint8,
    "value_e4": np.int32,
    "flags": np.uint16,
    "review_state": np.uint8,
    "additions": np.int32,
    "deletions": np.int32,
}
_KNOWN_FLAGS = 0b111111


class SignalBuffer:
    """Collects batches as they arrive, each column at once in the width that the engine reads."""

    def __init__(self) -> None:
        self._columns: dict[str, list[npt.NDArray[Any]]] = {name: [] for name in _NARROW}
        self._event_time: list[npt.NDArray[np.int64]] = []
        self._hashes: list[npt.NDArray[np.uint8]] = []
        self._users: list[Any] = []
        self._repositories: list[Any] = []
        self._rows = 0

    def __len__(self) -> int:
        return self._rows

    def add(self, stream: bytes) -> None:
        """Adds the record batches of an Arrow IPC stream with the columns of signal.proto."""
        with pa.ipc.open_stream(pa.BufferReader(stream)) as reader:
            for batch in reader:
                if batch.num_rows:
                    self._add(batch)

    def _add(self, batch: Any) -> None:
        self._rows += batch.num_rows
        for name, kind in _NARROW.items():
            self._columns[name].append(batch.column(name).to_numpy().astype(kind))
        when = batch.column("event_time").cast(pa.timestamp("us", "UTC")).cast(pa.int64())
        # Copied: what Arrow hands out is a view that would keep the whole message alive.
        self._event_time.append(when.to_numpy().copy())
        self._hashes.append(_hashes(batch.column("content_hash")))
        self._users.append(pa.array(batch.column("user_id").to_numpy().copy()))
        self._repositories.append(pa.array(batch.column("repository_id").to_numpy().copy()))

    def signals(self) -> Signals:
        """Everything that was added, in the order of arrival. The buffer is empty afterwards."""
        users, user = _positions(self._users)
        repositories, repository = _positions(self._repositories)
        # The wire numbers types from 1, the engine from 0.
        types = _joined(self._columns["type"], np.uint8)
        types -= np.uint8(1)
        flags = _joined(self._columns["flags"], np.uint16)
        flags &= np.uint16(_KNOWN_FLAGS)
        hashes = _joined(self._hashes, np.uint8).reshape(-1, HASH_BYTES)
        signals = Signals(
            event_timestamp=_joined(self._event_time, np.int64),
            type=types,
            user=user,
            repository=repository,
            value_e4=_joined(self._columns["value_e4"], np.int32),
            flags=flags,
            review_state=_joined(self._columns["review_state"], np.uint8),
            additions=_joined(self._columns["additions"], np.int32),
            deletions=_joined(self._columns["deletions"], np.int32),
            content_hash=hashes,
            users=users,
            repositories=repositories,
        )
        self.__init__()  # type: ignore[misc]  # nothing is held twice
        return signals


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


def _joined(parts: list[npt.NDArray[Any]], kind: Any) -> npt.NDArray[Any]:
    """One array of all parts, which are let go."""
    whole = np.concatenate(parts) if parts else np.empty(0, dtype=kind)
    parts.clear()
    return whole


def _hashes(column: Any) -> npt.NDArray[np.uint8]:
    """The bytes of a column of 32-byte binaries, one after the other."""
    fixed = column.cast(pa.binary(HASH_BYTES))
    data = fixed.buffers()[1]
    first = fixed.offset * HASH_BYTES
    taken = np.frombuffer(data, dtype=np.uint8)[first : first + len(fixed) * HASH_BYTES]
    return taken.copy()


def _positions(parts: list[Any]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """The distinct ids ascending, and each row's position among them."""
    if not parts:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int32)
    encoded = pa.chunked_array(parts).dictionary_encode().combine_chunks()
    parts.clear()
    ids = encoded.dictionary.to_numpy()
    ascending = np.argsort(ids)
    place = np.empty(len(ids), dtype=np.int32)
    place[ascending] = np.arange(len(ids), dtype=np.int32)
    return ids[ascending], place[encoded.indices.to_numpy()]
