"""What every service measures, and how values of the database are read."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from apiflask import APIFlask
from prometheus_client.core import Metric

from driftline.clock import utc_now
from driftline.errors import DatabaseUnavailable
from driftline.http import access, web
from driftline.http.authorization import tokens
from driftline.http.authorization.scopes import Scope
from driftline.http.metrics import CACHE_SECONDS, PATH, ServiceMetrics, gauge
from driftline.settings import AccessSettings


@pytest.fixture
def metrics() -> ServiceMetrics:
    return ServiceMetrics()


def service(metrics: ServiceMetrics, settings: AccessSettings | None = None) -> APIFlask:
    app = web.make_app("service", "Service")
    access.guard(app, "127.0.0.1", settings or AccessSettings())
    web.install(app, ready=lambda: None)
    metrics.install(app)
    return app


def test_requests_are_counted_by_route_and_not_by_path(metrics: ServiceMetrics) -> None:
    client = service(metrics).test_client()
    for path in ("/healthz", "/nowhere/1", "/nowhere/2"):
        client.get(path)
    client.open("/healthz", method="BREW")

    def count(method: str, route: str, status: str) -> float | None:
        labels = {"method": method, "route": route, "status": status}
        return metrics.registry.get_sample_value("driftline_http_requests_total", labels)

    assert count("GET", "/healthz", "200") == 1
    assert count("GET", "none", "404") == 2
    assert count("other", "none", "405") == 1
    page = client.get(PATH).get_data(as_text=True)
    assert 'driftline_http_request_seconds_count{route="/healthz"} 1.0' in page
    assert "process_resident_memory_bytes" in page


def test_a_scrape_needs_a_token_of_its_own_scope(metrics: ServiceMetrics, tmp_path: Path) -> None:
    file = tmp_path / "tokens.json"
    created = {scope: tokens.create(file, scope, frozenset({scope}), utc_now()) for scope in (Scope.READ, Scope.SCRAPE)}
    client = service(metrics, AccessSettings(tokens=file)).test_client()
    statuses = [
        client.get(PATH, headers={"Authorization": f"Bearer {token}"}).status_code for token in created.values()
    ]
    assert [*statuses, client.get(PATH).status_code] == [403, 200, 401]


def test_values_are_cached_and_absent_if_they_cannot_be_read(metrics: ServiceMetrics) -> None:
    now, reads, away = [0.0], [0], [False]

    def read() -> Iterator[Metric]:
        reads[0] += 1
        yield gauge("driftline_reads", "Reads.", samples=[((), reads[0])])
        if away[0]:
            raise DatabaseUnavailable

    metrics.add_reader(read, monotonic=lambda: now[0])

    def scraped() -> tuple[float | None, float | None]:
        value = metrics.registry.get_sample_value
        return value("driftline_reads"), value("driftline_database_up")

    assert reads == [0]
    assert (scraped()[0], reads) == (1, [1])
    now[0] = CACHE_SECONDS
    away[0] = True
    assert scraped() == (None, 0)
    now[0] *= 2
    away[0] = False
    assert scraped() == (3, 1)
