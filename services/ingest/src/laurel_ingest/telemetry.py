"""Ingest's own metrics: deliveries that somebody may have to look after, and requests spared."""

from collections import Counter
from collections.abc import Iterator, Mapping

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from laurel_ingest.application.inbox import DeliveryLog
from laurel_ingest.domain.deliveries import DeliveryState
from laurel_ingest.domain.history.newest import Told

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


class NewestPageMetrics(Collector):
    """How often repositories' newest pages were asked for: those that were as before cost nothing
    of GitHub's rate limit.
    """

    def __init__(self) -> None:
        self._counts: Counter[Told] = Counter()

    def count(self, told: Told) -> None:
        """Counts a request."""
        self._counts[told] += 1

    def collect(self) -> Iterator[Metric]:
        """The family that a scrape shows."""
        family = CounterMetricFamily(
            "laurel_ingest_newest_pages",
            "Newest pages asked of GitHub over REST, by what became of it.",
            labels=["answer"],
        )
        for told in Told:
            family.add_metric([told.value], self._counts[told])
        yield family
