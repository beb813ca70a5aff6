"""Ingest's signals, kept in memory between runs, so that the next one reads what has changed."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime

from laurel_scoring.application.change_ports import ChangeSource
from laurel_scoring.application.ports import OnRead, SignalsRead
from laurel_scoring.domain.columns import Signals
from laurel_scoring.domain.merging import in_order, merged, nbytes, no_later, up_to
from laurel_scoring.domain.periods import to_microseconds


@dataclass(frozen=True)
class _Known:
    """Every signal of a snapshot, in order, those to come among them."""

    signals: Signals
    mark: str
    bytes: int


class RememberedSignals:
    """Implements AllSignals. Forgets those that were read longest ago beyond `limit_bytes`, and
    whatever it was busy with when something went wrong.
    """

    def __init__(self, source: ChangeSource, *, limit_bytes: int) -> None:
        self._source = source
        self._limit = limit_bytes
        self._known: OrderedDict[int, _Known] = OrderedDict()
        # Installations that did not fit: they are read without what is only good for keeping.
        self._too_large: set[int] = set()

    async def read(
        self, installation_id: int, *, until: datetime, on_read: OnRead | None = None
    ) -> SignalsRead:
        """See AllSignals."""
        if installation_id in self._too_large:
            return await self._source.read(installation_id, until=until, on_read=on_read)
        # Taken out: what fails on the way is not known for certain any more.
        known = self._known.pop(installation_id, None)
        read = await self._source.read_changes(
            installation_id, since=known.mark if known else "", on_read=on_read
        )
        last = to_microseconds(until)
        if read.changes is None and nbytes(read.signals) > self._limit:
            # Order is for keeping: whoever scores these sorts them anyhow.
            self._too_large.add(installation_id)
            wanted = await asyncio.to_thread(no_later, read.signals, last)
            return SignalsRead(wanted, read.mark, read.bots)
        changed = None
        if known is None or read.changes is None:
            signals = await asyncio.to_thread(in_order, read.signals)
        else:
            signals, changed = await asyncio.to_thread(merged, known.signals, read.changes)
        self._keep(installation_id, signals, read.mark)
        wanted = up_to(signals, last)
        if on_read is not None:
            on_read(len(wanted), len(wanted))
        return SignalsRead(wanted, read.mark, read.bots, changed)

    def forget(self, installation_id: int) -> None:
        """The next read is of everything."""
        self._known.pop(installation_id, None)

    def _keep(self, installation_id: int, signals: Signals, mark: str) -> None:
        size = nbytes(signals)
        if size > self._limit:
            self._too_large.add(installation_id)
            return
        self._known[installation_id] = _Known(signals, mark, size)
        while sum(each.bytes for each in self._known.values()) > self._limit:
            self._known.popitem(last=False)
