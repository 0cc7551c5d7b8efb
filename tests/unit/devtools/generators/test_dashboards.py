"""The dashboards' files are what the table says, and use metrics that exist."""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import Metric

from devtools.generators.dashboards import ALL, DASHBOARDS, LAKEHOUSE, outdated
from devtools.generators.grafana import DATASOURCE, Dashboard
from examples.lakehouse.capture.pipeline_metrics import HUDI, PipelineMetrics, TopicPositions
from tests.unit.docs.pages import ROOT
from tests.unit.docs.test_metrics_table import documented

GRAFANA = ROOT / "deploy" / "grafana"


def test_the_files_are_those_of_the_table() -> None:
    assert outdated() == [], "run `python -m devtools.generators.dashboards`"


@pytest.mark.parametrize("board", ALL, ids=lambda board: board.name)
def test_panels_are_apart_and_complete(board: Dashboard) -> None:
    panels = json.loads(board.path.read_text())["panels"]
    cells = [cell for panel in panels for cell in _cells(panel["gridPos"])]
    assert len(cells) == len({*cells})
    assert {x for x, _ in cells} == {*range(24)}
    assert len({panel["id"] for panel in panels}) == len({panel["title"] for panel in panels}) == len(panels)


def _cells(place: dict[str, Any]) -> Iterator[tuple[int, int]]:
    for x in range(place["x"], place["x"] + place["w"]):
        yield from ((x, y) for y in range(place["y"], place["y"] + place["h"]))


def test_the_data_source_is_the_provisioned_one() -> None:
    provisioned = yaml.safe_load((GRAFANA / "provisioning" / "datasources" / "driftline.yaml").read_text())
    (source,) = provisioned["datasources"]
    assert {"type": source["type"], "uid": source["uid"]} == DATASOURCE


def names(prefix: str, rules: Path, boards: Iterable[Dashboard]) -> set[str]:
    """Return the metrics with a prefix that the expressions of rules and panels name."""
    expressions = [rules.read_text(), *(query for board in boards for query in board.queries)]
    named = {*re.findall(rf"\b{prefix}_\w+", "\n".join(expressions))}
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in named}


def test_rules_and_panels_name_metrics_that_exist() -> None:
    rules = ROOT / "deploy" / "prometheus" / "driftline.rules.yml"
    assert names("driftline", rules, DASHBOARDS) - documented().keys() == set()


def test_the_example_reports_what_its_rules_and_panels_name() -> None:
    metrics = PipelineMetrics(HUDI, TopicPositions(HUDI, "127.0.0.1:9", "orders"))
    metrics.registry.unregister(metrics.positions)
    counted = {"lakehouse_applied_messages", "lakehouse_messages_behind"}  # those of the topic, which need a broker
    reported = counted | {sample for family in metrics.registry.collect() for sample in _names(family)}
    example = ROOT / "examples" / "lakehouse"
    named = names("lakehouse", example / "prometheus" / "lakehouse.rules.yml", [LAKEHOUSE])
    assert named == reported
    page = (example / "README.md").read_text()
    assert {name for name in reported if f"`{name}`" not in page} == set()


def _names(family: Metric) -> Iterator[str]:
    yield f"{family.name}_total" if family.type == "counter" else family.name
