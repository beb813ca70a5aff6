"""Ingest's own metrics: deliveries that somebody may have to look after."""

from collections.abc import Iterator, Mapping

from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from laurel_ingest.application.inbox import DeliveryLog
from laurel_ingest.domain.deliveries import DeliveryState

LOOKED_AFTER = (DeliveryState.WAITING, DeliveryState.PARKED, DeliveryState.LOST)


class DeliveryMetrics(Collector):
    """How many deliveries of the inbox wait, are parked and are lost, as last counted."""

    def __init__(self, log: DeliveryLog) -> None:
        self._log = log
        self._counts: Mapping[DeliveryState, int] = {}

    async def count(self) -> None:
        """Counts anew. Raises the typed errors of the database."""
        self._counts = await self._log.counts(LOOKED_AFTER)

    def collect(self) -> Iterator[Metric]:
        """The family that a scrape shows."""
        family = GaugeMetricFamily(
            "laurel_ingest_deliveries", "Webhook deliveries by state.", labels=["state"]
        )
        counts = self._counts
        for state in LOOKED_AFTER if counts else ():
            family.add_metric([state.value], counts.get(state, 0))
        yield family
