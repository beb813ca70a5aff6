"""The partitions that signals are kept in: how they are, and dropping old ones."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from laurel_common.clock import Clock


@dataclass(frozen=True, slots=True)
class Partition:
    """A month's partition. `signal_count`: as PostgreSQL last estimated it, -1 for never."""

    month: date
    signal_count: int
    byte_count: int


@dataclass(frozen=True, slots=True)
class DefaultUse:
    """Signals of a month without a partition, which the default one has caught."""

    month: date
    signal_count: int
    first_event: datetime
    last_event: datetime
    first_recorded: datetime


class Partitions(Protocol):
    """The partitions of signals."""

    async def all(self) -> Sequence[Partition]:
        """Every month's, by month."""
        ...

    async def default_uses(self) -> Sequence[DefaultUse]:
        """What the default partition holds, by month."""
        ...

    async def drop(self, keep_months: int, months: Sequence[date]) -> None:
        """Drops what is older than so many whole months; whose signals these `months` held,
        scoring is to be told. Waits for locks briefly; raises ConcurrentChange where it can't
        have them.
        """
        ...


@dataclass(frozen=True, slots=True)
class Health:
    """How the partitions are."""

    partitions: Sequence[Partition]
    default_uses: Sequence[DefaultUse]


class GetPartitionHealth:
    """Reads how the partitions are."""

    def __init__(self, partitions: Partitions) -> None:
        self._partitions = partitions

    async def __call__(self) -> Health:
        """Both sides of it."""
        return Health(await self._partitions.all(), await self._partitions.default_uses())


class DropOldPartitions:
    """Drops old months, or says which would go."""

    def __init__(self, partitions: Partitions, clock: Clock, changed: Callable[[], None]) -> None:
        self._partitions = partitions
        self._clock = clock
        self._changed = changed

    async def __call__(self, keep_months: int, *, confirmed: bool) -> Sequence[Partition]:
        """What went, or would go. Raises ConcurrentChange."""
        first_kept = months_before(self._clock.now(), keep_months)
        old = [each for each in await self._partitions.all() if each.month < first_kept]
        if confirmed and old:
            await self._partitions.drop(keep_months, [each.month for each in old])
            self._changed()
        return old


def months_before(now: datetime, count: int) -> date:
    """The first day of the month that is so many months before the present one, at most the
    calendar's first.
    """
    months = max(now.year * 12 + now.month - 1 - count, 12)
    return date(months // 12, months % 12 + 1, 1)
