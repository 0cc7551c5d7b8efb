"""`/metrics` of a service for Prometheus: HTTP requests, the database pool, the process, and what readers add."""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from threading import Lock

from apiflask import APIFlask
from flask import Response, g, request
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from sqlalchemy import Engine, QueuePool

from driftline.errors import DriftlineError
from driftline.http.access import needs
from driftline.http.authorization.scopes import Scope
from driftline.http.request_spans import METHODS
from driftline.lineage import runs

log = logging.getLogger(__name__)

PATH = "/metrics"
CACHE_SECONDS = 5.0
"""How long values that were read from the database are kept: several Prometheus servers cost no more than one."""

Sample = tuple[tuple[str, ...], float]
"""The values of a gauge's labels, and its value."""


class ServiceMetrics:
    """The metrics of one process, in a registry of their own."""

    def __init__(self) -> None:
        """Create the metrics that every service has; nothing is read before the first scrape."""
        disable_created_metrics()  # type: ignore[no-untyped-call]  # they double the counters, and nobody reads them
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "driftline_http_requests",
            "Requests by method, route and status.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "driftline_http_request_seconds",
            "Time to answer a request, by route.",
            ("route",),
            buckets=(0.005, 0.02, 0.1, 0.5, 2, 10, 60),
            registry=self.registry,
        )
        ProcessCollector(registry=self.registry)

    def install(self, app: APIFlask) -> None:
        """Count the requests of an app made by `make_app`, and add the route."""

        @needs(Scope.SCRAPE)
        def metrics() -> Response:
            """Return all metrics in Prometheus' text format."""
            return Response(generate_latest(self.registry), content_type=CONTENT_TYPE_LATEST)

        app.get(PATH)(app.doc(hide=True)(metrics))
        app.after_request(self._count)

    def watch_pool(self, engine: Engine) -> None:
        """Add the database connections of an engine: in use and idle."""
        pool = engine.pool

        def read() -> list[Metric]:
            counts = {"in use": pool.checkedout(), "idle": pool.checkedin()} if isinstance(pool, QueuePool) else {}
            samples = [((state,), float(count)) for state, count in counts.items()]
            return [gauge("driftline_database_connections", "Connections to MySQL by state.", ("state",), samples)]

        self.registry.register(_Reader(read))

    def watch_lineage(self) -> None:
        """Add the events of lineage of this process: delivered, and lost."""

        def read() -> list[Metric]:
            family = CounterMetricFamily(
                "driftline_lineage_events", "Events of lineage by receiver and outcome.", labels=("receiver", "outcome")
            )
            for receiver, counts in runs.counts().items():
                family.add_metric((receiver, "delivered"), counts.delivered)
                family.add_metric((receiver, "lost"), counts.lost)
            return [family]

        self.registry.register(_Reader(read))

    def add_reader(self, read: Callable[[], Iterable[Metric]], monotonic: Callable[[], float] = time.monotonic) -> None:
        """Add gauges that are read at a scrape, and kept for a few seconds.

        Where they cannot be read, they are absent and `driftline_database_up` is 0.
        """
        self.registry.register(_Reader(_Cache(read, monotonic)))

    def _count(self, response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else "none"
        method = request.method if request.method in METHODS else "other"
        self.count(method, route, response.status_code, time.perf_counter() - g.started if "started" in g else None)
        return response

    def count(self, method: str, route: str, status: int, seconds: float | None) -> None:
        """Count a request, and the time that it took where that is known."""
        self._requests.labels(method, route, str(status)).inc()
        if seconds is not None:
            self._seconds.labels(route).observe(seconds)


def gauge(name: str, description: str, labels: Sequence[str] = (), samples: Iterable[Sample] = ()) -> Metric:
    """Return a gauge with its samples."""
    family = GaugeMetricFamily(name, description, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family


class _Reader:
    """A collector of prometheus-client that calls a function at each scrape, and not when it is registered."""

    def __init__(self, read: Callable[[], Iterable[Metric]]) -> None:
        self._read = read

    def describe(self) -> list[Metric]:
        """Return nothing: names are known at a scrape only."""
        return []

    def collect(self) -> Iterable[Metric]:
        """Return the metrics now."""
        return self._read()


class _Cache:
    """Keeps what a function read for `CACHE_SECONDS`; one scrape at a time reads."""

    def __init__(self, read: Callable[[], Iterable[Metric]], monotonic: Callable[[], float]) -> None:
        self._read, self._monotonic, self._lock = read, monotonic, Lock()
        self._until, self._metrics = float("-inf"), list[Metric]()

    def __call__(self) -> list[Metric]:
        with self._lock:
            if self._monotonic() >= self._until:
                self._metrics = self._read_now()
                self._until = self._monotonic() + CACHE_SECONDS
            return self._metrics

    def _read_now(self) -> list[Metric]:
        """Return the values read from the database, with whether and how fast it answered."""
        begun = self._monotonic()
        try:
            metrics, up = list(self._read()), 1.0
        except DriftlineError as error:
            log.warning("Metrics cannot be read: %s", error.message)
            metrics, up = [], 0.0
        seconds = self._monotonic() - begun
        return [
            gauge("driftline_database_up", "Whether the values of the database could be read.", samples=[((), up)]),
            gauge("driftline_scrape_read_seconds", "Time to read them.", samples=[((), seconds)]),
            *metrics,
        ]
