"""Has a webhook delivery worked on anew."""

from laurel_common.clock import Clock
from laurel_ingest.application.inbox import DeliveryLog
from laurel_ingest.domain.deliveries import Delivery


class ReplayDelivery:
    """Answers at once; the work is a job's."""

    def __init__(self, log: DeliveryLog, clock: Clock) -> None:
        self._log = log
        self._clock = clock

    async def __call__(self, delivery_id: str) -> Delivery:
        """The delivery, waiting again. Raises DeliveryNotFound, DeliveryBodyGone."""
        return await self._log.replay(delivery_id, self._clock.now())
