"""Writes the Grafana dashboards of `deploy/grafana/dashboards/` from a table: `python -m devtools.dashboards`."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stack import paths

FOLDER = paths.ROOT / "deploy" / "grafana" / "dashboards"
DATASOURCE = {"type": "prometheus", "uid": "driftline-prometheus"}
WIDTH, HEIGHT, ROW = 24, 8, 3
MODEL = 'model=~"$model"'


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
    """A dashboard: the file's name, the title, and rows of panels."""

    name: str
    title: str
    panels: Sequence[Panel]
    by_model: bool = False


MODELS = Dashboard(
    "driftline-models",
    "Driftline: models",
    (
        Panel("Models by state", {"{{state}}": "max by (state) (driftline_models)"}, "stat", 12),
        Panel(
            "Incidents that nobody has acknowledged",
            {"incidents": "driftline:unacknowledged_incidents:count"},
            "stat",
            6,
        ),
        Panel(
            "Dead letters", {"{{channel}}": 'max by (channel) (driftline_alert_deliveries{state="dead"})'}, "stat", 6
        ),
        Panel(
            "State",
            {"{{model}}: {{state}}": f"max by (model, state) (driftline_model_state{{{MODEL}}})"},
            "state-timeline",
            24,
            description="The state of the newest closed chunk.",
        ),
        Panel(
            "Performance",
            {"{{model}} {{metric}}, {{kind}}": f"max by (model, kind, metric) (driftline_result{{{MODEL}}})"},
            description="Realized performance where labels are in, and its estimate.",
        ),
        Panel(
            "Labels that are in",
            {"{{model}}": f"max by (model) (driftline_label_coverage_ratio{{{MODEL}}})"},
            unit="percentunit",
        ),
        Panel("Columns whose drift lasts", {"{{model}}": f"max by (model) (driftline_drifted_columns{{{MODEL}}})"}),
        Panel(
            "Predictions in the newest closed chunk", {"{{model}}": f"max by (model) (driftline_chunk_rows{{{MODEL}}})"}
        ),
        Panel(
            "Rows stored in the last hour",
            {"{{model}}, {{kind}}": f"max by (model, kind) (driftline_ingested_rows_last_hour{{{MODEL}}})"},
        ),
        Panel(
            "Time since the newest event",
            {"{{model}}": f"max by (model) (driftline_newest_event_age_seconds{{{MODEL}}})"},
            unit="s",
        ),
    ),
    by_model=True,
)
SERVICES = Dashboard(
    "driftline-services",
    "Driftline: services",
    (
        Panel("Services that answer", {"{{job}}": 'max by (job) (up{job=~"driftline-.*"})'}, "stat", 8),
        Panel(
            "MySQL", {"{{job}}": "min by (job) (driftline_database_up)"}, "stat", 8, description="1: it can be read."
        ),
        Panel(
            "Time since the last poll", {"poll": "time() - max(driftline_last_poll_timestamp_seconds)"}, "stat", 8, "s"
        ),
        Panel(
            "Requests",
            {"{{job}} {{status}}": "sum by (job, status) (rate(driftline_http_requests_total[5m]))"},
            unit="reqps",
        ),
        Panel(
            "95 % of the requests are answered within", {"{{job}}": "driftline:http_request_seconds:p95_5m"}, unit="s"
        ),
        Panel(
            "Polls",
            {"{{outcome}}": "sum by (outcome) (increase(driftline_polls_total[1h]))"},
            description="Polls in the last hour.",
        ),
        Panel(
            "Time of a poll",
            {"mean": "sum(rate(driftline_poll_seconds_sum[1h])) / sum(rate(driftline_poll_seconds_count[1h]))"},
            unit="s",
        ),
        Panel(
            "Oldest rows that wait for a poll",
            {"{{model}}": "topk(10, max by (model) (driftline_poll_lag_seconds))"},
            unit="s",
        ),
        Panel(
            "Chunks that wait or fail",
            {"wait": "sum(driftline_pending_chunks)", "fail": "sum(driftline_failed_chunks)"},
        ),
        Panel("Streams", {"{{state}}": "max by (state) (driftline_streams)"}, "stat"),
        Panel(
            "Relay to Kafka",
            {"batches": "max(driftline_relay_pending_batches)", "seconds": "max(driftline_relay_lag_seconds)"},
        ),
        Panel("Alerts by channel", {"{{channel}}, {{state}}": "max by (channel, state) (driftline_alert_deliveries)"}),
        Panel("Connections to MySQL", {"{{job}}, {{state}}": "sum by (job, state) (driftline_database_connections)"}),
        Panel("Memory", {"{{job}}": "max by (job) (process_resident_memory_bytes)"}, unit="bytes"),
        Panel("Reading MySQL for a scrape", {"{{job}}": "max by (job) (driftline_scrape_read_seconds)"}, unit="s"),
    ),
)
DASHBOARDS = (MODELS, SERVICES)


def path(dashboard: Dashboard) -> Path:
    """Return the file of a dashboard."""
    return FOLDER / f"{dashboard.name}.json"


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


def outdated() -> list[Dashboard]:
    """Return the dashboards whose file is not what the table says."""
    return [board for board in DASHBOARDS if not path(board).exists() or path(board).read_text() != as_json(board)]


def main() -> None:
    """Write the files."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for dashboard in DASHBOARDS:
        path(dashboard).write_text(as_json(dashboard))


if __name__ == "__main__":
    main()
