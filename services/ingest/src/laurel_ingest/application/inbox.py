"""What the use cases of webhooks need from the outside, and what whoever gives it owes them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from laurel_ingest.domain.deliveries import Arrival, Delivery, DeliveryState


@dataclass(frozen=True, slots=True)
class DeliveryQuery:
    """Which deliveries are wanted; None and empty mean all. `start` is included, `end` is not."""

    states: tuple[DeliveryState, ...] = ()
    event: str | None = None
    installation_id: int | None = None
    delivery_id: str | None = None
    start: datetime | None = None
    end: datetime | None = None


class Inbox(Protocol):
    """The durable inbox. A delivery of a known id changes nothing, but one that stood as lost."""

    async def keep(self, arrival: Arrival, *, worked_on: bool) -> bool:
        """Stores a delivery, and the job to work on it; False where its id was known.

        Committed when it returns.
        """
        ...

    async def due(
        self, subject_id: int, now: datetime, *, limit: int, max_bytes: int
    ) -> Sequence[Delivery]:
        """The oldest deliveries of a subject whose time has come, with bodies; at least one where
        there is any, and no more bytes than `max_bytes` beyond it.
        """
        ...

    async def finish(self, left_out: Mapping[int, Mapping[str, int]], now: datetime) -> None:
        """Marks deliveries (by our ids) as done, with what was left out of each."""
        ...

    async def park(self, errors: Mapping[int, str], now: datetime) -> None:
        """Marks deliveries (by our ids) as parked, with their errors."""
        ...

    async def postpone(self, errors: Mapping[int, str], at: datetime, *, counted: bool) -> None:
        """Lets deliveries (by our ids) wait until `at`; somebody looks after them soon after.

        `counted`: whether the attempt counts towards parking.
        """
        ...

    async def forget(self, *, bodies_before: datetime, rows_before: datetime, limit: int) -> int:
        """Drops bodies of deliveries done before a time, and rows of done, ignored and lost ones
        that came in before another; at most `limit` of each. Answers how many were touched.
        """
        ...


class DeliveryLog(Protocol):
    """What operators see of the inbox, and what they can do about it."""

    async def page(
        self, query: DeliveryQuery, before: int | None, limit: int
    ) -> Sequence[Delivery]:
        """At most `limit` deliveries with ids below `before`, newest first, without bodies."""
        ...

    async def counts(self, states: Collection[DeliveryState]) -> Mapping[DeliveryState, int]:
        """How many deliveries there are in each of some states."""
        ...

    async def replay(self, delivery_id: str, now: datetime) -> Delivery:
        """Makes a delivery wait again, with no attempts made, and puts its job.

        One that waits already is left as it is. Raises DeliveryNotFound, DeliveryBodyGone.
        """
        ...


class Scoring(Protocol):
    """Scoring's runs. Raises RemoteError where it can't be reached or knows no such thing."""

    async def start(self, installation_id: int) -> None:
        """Has all boards of an installation computed anew."""
        ...


class InstallationEvents(Protocol):
    """Identity's part of what webhooks tell. Raises RemoteError."""

    async def hand_on(self, event: str, body: bytes) -> None:
        """Has identity take in what a delivery is about; again and in any order is the same."""
        ...
