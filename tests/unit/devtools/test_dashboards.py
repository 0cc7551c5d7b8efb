"""The dashboards' files are what the table says, and use metrics that exist."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from devtools.dashboards import DASHBOARDS, DATASOURCE, Dashboard, outdated, path
from tests.unit.docs.pages import ROOT
from tests.unit.docs.test_metrics_table import documented

GRAFANA = ROOT / "deploy" / "grafana"


def test_the_files_are_those_of_the_table() -> None:
    assert outdated() == [], "run `python -m devtools.dashboards`"


@pytest.mark.parametrize("board", DASHBOARDS, ids=lambda board: board.name)
def test_panels_are_apart_and_complete(board: Dashboard) -> None:
    panels = json.loads(path(board).read_text())["panels"]
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


def test_rules_and_panels_name_metrics_that_exist() -> None:
    rules = (ROOT / "deploy" / "prometheus" / "driftline.rules.yml").read_text()
    queries = [query for board in DASHBOARDS for panel in board.panels for query in panel.queries.values()]
    named = {*re.findall(r"\bdriftline_\w+", "\n".join([rules, *queries]))}
    exported = {re.sub(r"_(bucket|sum|count)$", "", name) for name in named}
    assert exported - documented().keys() == set()
