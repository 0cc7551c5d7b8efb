"""The page of metrics lists what the services measure."""

import re

from monitoring.metrics.stored_values import GAUGES
from tests.unit.docs.pages import DOCS, ROOT, spans, table

PAGE = DOCS / "how-to" / "metrics.md"
OF_ONE_PROCESS = ("src/driftline/http/metrics.py", "monitoring/metrics/polls.py", "flaskapp/stream_metrics.py")


def documented() -> dict[str, tuple[str, ...]]:
    rows = table(PAGE, "Watch the services with Prometheus")
    return {name: tuple(spans(labels)) for _, names, labels, _ in rows for name in spans(names)}


def test_every_gauge_of_the_database_is_described_with_its_labels() -> None:
    page = documented()
    assert {row.name: page.get(row.name) for row in GAUGES} == {row.name: row.labels for row in GAUGES}


def test_every_other_metric_is_described() -> None:
    named = {name for file in OF_ONE_PROCESS for name in re.findall(r'"(driftline_\w+)"', (ROOT / file).read_text())}
    described = {name.removesuffix("_total") for name in documented() if name.startswith("driftline_")}
    assert described == named | {row.name for row in GAUGES}
