"""An installation's signals as columns, in whatever order they came."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Int64s = npt.NDArray[np.int64]
Int32s = npt.NDArray[np.int32]
UInt16s = npt.NDArray[np.uint16]
Bytes = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]

HASH_BYTES = 32


@dataclass(frozen=True)
class Signals:
    """Column arrays of equal length n, one row a signal, and the ids that two of them index.

    event_timestamp: microseconds since 1970 UTC. type: SignalType. user, repository: positions
    in `users` and `repositories`, which are ascending, so a smaller position is a smaller id.
    value_e4: ten-thousandths, above 0 and at most 10,000,000. flags: SignalFlag bits.
    review_state: ReviewState. additions, deletions: at least 0. content_hash: n x 32 bytes.
    """

    event_timestamp: Int64s
    type: Bytes
    user: Int32s
    repository: Int32s
    value_e4: Int32s
    flags: UInt16s
    review_state: Bytes
    additions: Int32s
    deletions: Int32s
    content_hash: Bytes
    users: Int64s
    repositories: Int64s

    def __len__(self) -> int:
        return len(self.event_timestamp)


def positions_in(ids: Int64s, sorted_ids: Int64s) -> Int32s:
    """Where each of `ids` stands in the ascending `sorted_ids`; -1 where it does not."""
    if len(sorted_ids) == 0:
        return np.full(len(ids), -1, dtype=np.int32)
    found = np.searchsorted(sorted_ids, ids).astype(np.int32)
    found[found == len(sorted_ids)] = 0
    found[sorted_ids[found] != ids] = -1
    return found
