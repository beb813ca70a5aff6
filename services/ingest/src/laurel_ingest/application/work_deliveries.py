"""Works off what waits of one subject in the webhook inbox, batch by batch."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import Final

import structlog

from laurel_common.clock import Clock
from laurel_common.errors import (
    ConcurrentChange,
    DeadlineExceeded,
    LaurelError,
    RemoteError,
    RetryableError,
)
from laurel_ingest.application.batch_store import BatchStore
from laurel_ingest.application.enrolment import Enrolment
from laurel_ingest.application.inbox import Inbox, InstallationEvents
from laurel_ingest.application.ports import Directory, Storage
from laurel_ingest.application.webhook_batch import WebhookBatch, read_batch
from laurel_ingest.domain.deliveries import (
    MAX_ATTEMPTS,
    Delivery,
    gives_something_to_read,
    is_identitys,
    pause_after,
    pause_while_away,
)
from laurel_ingest.domain.refusals import Truncation
from laurel_ingest.domain.webhook_events import HANDLERS

log = structlog.get_logger(__name__)

_BATCH_DELIVERIES: Final = 200
_BATCH_BYTES: Final = 16 * 1024 * 1024
_AWAY: Final = {"UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "ABORTED", "CANCELLED"}


class WorkDeliveries:
    """A delivery that was worked on is marked so after its signals are committed: a kill in
    between has it worked on again, which changes nothing.
    """

    def __init__(
        self,
        inbox: Inbox,
        storage: Storage,
        directory: Directory,
        *,
        identity: InstallationEvents,
        begin_history: Callable[[int, str], Awaitable[None]],
        clock: Clock,
        changed: Callable[[Collection[int]], None],
        rewritten: Callable[[], None],
    ) -> None:
        """`changed` is called after each batch with the installations whose boards may have to
        follow, `rewritten` after one that tells of a forced push to a default branch.
        `begin_history` has an installation read, once for a delivery's id.
        """
        self._inbox = inbox
        self._storage = storage
        self._directory = directory
        self._identity = identity
        self._begin_history = begin_history
        self._clock = clock
        self._changed = changed
        self._rewritten = rewritten
        self._store = BatchStore(storage)

    async def __call__(self, subject_id: int) -> None:
        """Works until nothing of the subject is due."""
        enrolment = Enrolment(self._directory, self._storage)
        while deliveries := await self._inbox.due(
            subject_id, self._clock.now(), limit=_BATCH_DELIVERIES, max_bytes=_BATCH_BYTES
        ):
            sound = await self._hand_on(deliveries)
            await self._take(sound, enrolment)

    async def _hand_on(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Tells identity of what is its own, and answers what is left to be read here.

        Before anything is read: an installation must be known before its repositories.
        """
        left: list[Delivery] = []
        for delivery in deliveries:
            try:
                if is_identitys(delivery.event):
                    await self._identity.hand_on(delivery.event, delivery.body or b"")
                    if gives_something_to_read(delivery):
                        await self._begin_history(
                            delivery.installation_id or 0, delivery.delivery_id
                        )
            except Exception as error:  # whatever it is, it is this delivery's alone
                if _is_away(error):
                    await self._wait([delivery], error)
                else:
                    await self._fail(delivery, error)
                continue
            if delivery.event in HANDLERS:
                left.append(delivery)
            else:
                await self._inbox.finish({delivery.id: {}}, self._clock.now())
        return left

    async def _take(self, deliveries: Sequence[Delivery], enrolment: Enrolment) -> None:
        """Finishes, parks or postpones every one of them."""
        if not deliveries:
            return
        try:
            batch = await asyncio.to_thread(read_batch, deliveries)
            await self._write(batch, enrolment)
        except Exception as error:  # whatever it is, no delivery may hold up the others for ever
            if _is_away(error):
                await self._wait(deliveries, error)
            elif len(deliveries) == 1:
                await self._fail(deliveries[0], error)
            else:
                # Which of them it is shows when each is taken by itself.
                for each in deliveries:
                    await self._take([each], enrolment)
        else:
            now = self._clock.now()
            await self._inbox.park(batch.errors, now)
            await self._inbox.finish(batch.left_out, now)

    async def _write(self, batch: WebhookBatch, enrolment: Enrolment) -> None:
        told, now = batch.told, _seconds(self._clock.now())
        if not told.facts and not told.repositories:
            return
        told.last_at = min(max(told.last_at, 0), now)
        installations = await enrolment.enter(told)
        await self._store.store(told, installations, now)
        self._changed(set(installations.values()))
        if any(reason == Truncation.HISTORY_REWRITTEN for _, reason, _ in told.lacks):
            self._rewritten()

    async def _wait(self, deliveries: Sequence[Delivery], error: Exception) -> None:
        """Something that they need is away: they wait for it, however long."""
        now = self._clock.now()
        pause = pause_while_away(now - min(each.received_at for each in deliveries))
        log.warning("deliveries_wait", count=len(deliveries), error=repr(error))
        await self._postpone(deliveries, error, now + pause, counted=False)

    async def _fail(self, delivery: Delivery, error: Exception) -> None:
        """Something about the delivery is beyond us: tried again a few times, then parked."""
        attempts, now = delivery.attempts + 1, self._clock.now()
        log.error(
            "delivery_failed",
            delivery_id=delivery.delivery_id,
            webhook=delivery.event,
            attempts=attempts,
            exc_info=error,
        )
        if attempts >= MAX_ATTEMPTS or getattr(error, "code", "") == "INVALID_ARGUMENT":
            await self._inbox.park({delivery.id: _word(error)}, now)
        else:
            await self._postpone([delivery], error, now + pause_after(attempts), counted=True)

    async def _postpone(
        self, deliveries: Sequence[Delivery], error: Exception, at: datetime, *, counted: bool
    ) -> None:
        errors = {each.id: _word(error) for each in deliveries}
        await self._inbox.postpone(errors, at, counted=counted)


def _is_away(error: Exception) -> bool:
    if isinstance(error, RemoteError):
        return error.code in _AWAY
    return isinstance(error, RetryableError | ConcurrentChange | DeadlineExceeded)


def _word(error: Exception) -> str:
    """What operators are told; the text of what was not foreseen stays in the log."""
    if isinstance(error, LaurelError):
        return f"{error.reason}: {error.message}"[:500]
    return f"unforeseen: {type(error).__name__}"


def _seconds(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp())
