"""Dashboards as Grafana imports them, each from its table of panels. No I/O here."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stack import paths

DATASOURCE = {"type": "prometheus", "uid": "driftline-prometheus"}
WIDTH, HEIGHT, ROW = 24, 8, 3


@dataclass(frozen=True)
class Panel:
    """A panel: its title, kind, width, and its queries by legend; the unit is one of Grafana's."""

    title: str
    queries: dict[str, str]
    kind: str = "timeseries"
    width: int = 12
    unit: str = "short"
    description: str = ""


@dataclass(frozen=True)
class Dashboard:
    """A dashboard: the file's name, the title, rows of panels, and the folder of the file."""

    name: str
    title: str
    panels: Sequence[Panel]
    by_model: bool = False
    folder: Path = paths.ROOT / "deploy" / "grafana" / "dashboards"

    @property
    def path(self) -> Path:
        """The dashboard's file."""
        return self.folder / f"{self.name}.json"

    @property
    def queries(self) -> list[str]:
        """The queries of all panels."""
        return [query for panel in self.panels for query in panel.queries.values()]


def as_json(dashboard: Dashboard) -> str:
    """Return a dashboard as Grafana imports it."""
    content = {
        "uid": dashboard.name,
        "title": dashboard.title,
        "tags": ["driftline"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-7d" if dashboard.by_model else "now-6h", "to": "now"},
        "templating": {"list": [_model_variable()] if dashboard.by_model else []},
        "panels": _placed(dashboard.panels),
    }
    return json.dumps(content, indent=2) + "\n"


def _model_variable() -> dict[str, Any]:
    """Return Grafana's variable that selects models."""
    return {
        "name": "model",
        "label": "Model",
        "type": "query",
        "datasource": DATASOURCE,
        "query": {"query": "label_values(driftline_model_state, model)", "refId": "models"},
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"]},
        "sort": 1,
    }


def _placed(panels: Sequence[Panel]) -> list[dict[str, Any]]:
    """Return the panels from left to right and from top to bottom, none over another."""
    placed: list[dict[str, Any]] = []
    x = y = height = 0
    for number, panel in enumerate(panels, 1):
        if x + panel.width > WIDTH:
            x, y, height = 0, y + height, 0
        panel_height = ROW + 1 if panel.kind == "stat" else HEIGHT
        height = max(height, panel_height)
        place = {"x": x, "y": y, "w": panel.width, "h": panel_height}
        placed.append(_panel(number, panel) | {"gridPos": place})
        x += panel.width
    return placed


def _panel(number: int, panel: Panel) -> dict[str, Any]:
    """Return a panel as Grafana's JSON describes it, without its place in the grid."""
    targets = [
        {"refId": chr(ord("A") + place), "datasource": DATASOURCE, "expr": query, "legendFormat": legend}
        for place, (legend, query) in enumerate(panel.queries.items())
    ]
    options: dict[str, Any] = {}
    if panel.kind == "stat":
        options = {
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "textMode": "value_and_name",
        }
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": DATASOURCE,
        "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": []},
        "options": options,
        "targets": targets,
    }
