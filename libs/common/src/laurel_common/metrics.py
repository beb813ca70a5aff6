"""Prometheus metrics of a service: what its calls, its checks and its caches do."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Any

import grpc
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

# Upper bounds in seconds.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)


class _Method:
    """The numbers of one method. Good calls have a number of their own: they are most, and a
    status code is slow to look up.
    """

    __slots__ = ("buckets", "codes", "good", "seconds")

    def __init__(self) -> None:
        self.good = 0
        self.codes: dict[grpc.StatusCode, int] = {}
        self.buckets = [0] * (len(BUCKETS) + 1)
        self.seconds = 0.0

    def by_code(self) -> dict[grpc.StatusCode, int]:
        """How many calls ended in each code."""
        codes = dict(self.codes)
        if self.good:
            codes[grpc.StatusCode.OK] = self.good
        return codes


class RpcMetrics(Collector):
    """Calls by method and code, and how long they took.

    Plain integers that the event loop alone writes: a call costs three additions and no lock. A
    scrape reads them from its own thread and may be a call behind.
    """

    def __init__(self) -> None:
        self._methods: dict[str, _Method] = {}
        self.cut_offs: Counter[str] = Counter()

    def cut_off(self, path: str) -> None:
        """Counts a caller of the method at `path` that took nothing for too long."""
        self.cut_offs[path] += 1

    def record(self, path: str, code: grpc.StatusCode, seconds: float) -> None:
        """Counts a call of the method at `path`."""
        method = self._methods.get(path)
        if method is None:
            method = self._methods[path] = _Method()
        if code is grpc.StatusCode.OK:
            method.good += 1
        else:
            method.codes[code] = method.codes.get(code, 0) + 1
        method.buckets[bisect_left(BUCKETS, seconds)] += 1
        method.seconds += seconds

    def count(self, path: str, code: grpc.StatusCode) -> int:
        """How often the method at `path` has ended in `code`."""
        method = self._methods.get(path)
        return 0 if method is None else method.by_code().get(code, 0)

    def collect(self) -> Iterator[Metric]:
        """The families that a scrape shows."""
        calls = CounterMetricFamily(
            "laurel_rpc_calls", "Calls by method and code.", labels=["service", "method", "code"]
        )
        times = HistogramMetricFamily(
            "laurel_rpc_seconds", "Duration of calls.", labels=["service", "method"]
        )
        for path, numbers in list(self._methods.items()):
            service, _, method = path[1:].partition("/")
            for code, number in numbers.by_code().items():
                calls.add_metric([service, method, code.name], number)
            bounds = [*map(str, BUCKETS), "+Inf"]
            filled = list(zip(bounds, accumulate(numbers.buckets), strict=True))
            times.add_metric([service, method], filled, numbers.seconds)
        slow = CounterMetricFamily(
            "laurel_rpc_readers_cut_off",
            "Callers of streams that took nothing for too long.",
            labels=["service", "method"],
        )
        for path, number in list(self.cut_offs.items()):
            service, _, method = path[1:].partition("/")
            slow.add_metric([service, method], number)
        yield calls
        yield times
        yield slow


class CheckMetrics(Collector):
    """Whether each named health check holds: 1 or 0."""

    def __init__(self, states: Callable[[], dict[str, bool]]) -> None:
        self._states = states

    def collect(self) -> Iterator[Metric]:
        """The family that a scrape shows."""
        family = GaugeMetricFamily(
            "laurel_health_check", "Whether a health check holds.", labels=["check"]
        )
        for name, holds in self._states().items():
            family.add_metric([name], int(holds))
        yield family


class MetricsEndpoint:
    """The HTTP server that Prometheus scrapes, in a thread of its own."""

    def __init__(self, listen: str, registry: CollectorRegistry) -> None:
        host, _, port = listen.rpartition(":")
        self._server: Any
        self._thread: Any
        self._server, self._thread = start_http_server(
            int(port), addr=host.strip("[]"), registry=registry
        )

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_port)

    def close(self) -> None:
        """Stops listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
