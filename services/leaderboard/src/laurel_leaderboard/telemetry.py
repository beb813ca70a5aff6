"""Leaderboard's own metrics: where pages came from, and how the caches do."""

from collections.abc import Iterator

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from laurel_leaderboard.application.page_cache import PageCache
from laurel_leaderboard.application.statistics import ReadStatistics


class LeaderboardMetrics(Collector):
    """Reads numbers that the event loop writes; a scrape may be a call behind."""

    def __init__(self, statistics: ReadStatistics, cache: PageCache) -> None:
        self.statistics = statistics
        self._cache = cache

    def collect(self) -> Iterator[Metric]:
        """The families that a scrape shows."""
        pages = CounterMetricFamily(
            "laurel_leaderboard_pages",
            "Pages given out by where they came from.",
            labels=["source"],
        )
        for source, number in self.statistics.pages.items():
            pages.add_metric([source.name.lower()], number)
        yield pages
        yield CounterMetricFamily(
            "laurel_leaderboard_redis_failures",
            "Cache calls that Redis did not answer.",
            value=self.statistics.redis_failures,
        )
        yield CounterMetricFamily(
            "laurel_leaderboard_redis_skipped",
            "Cache calls that were spared while Redis was away.",
            value=self.statistics.redis_skipped,
        )
        yield GaugeMetricFamily(
            "laurel_leaderboard_watchers",
            "Who watches a board now.",
            value=self.statistics.watchers,
        )
        yield CounterMetricFamily(
            "laurel_leaderboard_changes",
            "Changes of boards that were computed for watchers.",
            value=self.statistics.changes_computed,
        )
        yield GaugeMetricFamily(
            "laurel_leaderboard_page_cache_bytes",
            "Bytes of pages in memory.",
            value=self._cache.size,
        )
