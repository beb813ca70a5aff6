"""What reading only what has changed needs of ingest."""

from dataclasses import dataclass
from typing import Protocol

from laurel_scoring.application.ports import OnRead, SignalSource
from laurel_scoring.domain.columns import Signals
from laurel_scoring.domain.merging import SignalChanges


@dataclass(frozen=True)
class ChangesRead:
    """What is different in a snapshot; or, where nobody can tell, all of its `signals`."""

    changes: SignalChanges | None
    signals: Signals
    mark: str
    bots: frozenset[int]


class ChangeSource(SignalSource, Protocol):
    """Ingest, which also knows what has changed."""

    async def read_changes(
        self, installation_id: int, *, since: str, on_read: OnRead | None = None
    ) -> ChangesRead:
        """What has changed since the snapshot marked `since`, or everything; signals to come are
        among it. Raises RemoteError.
        """
        ...
