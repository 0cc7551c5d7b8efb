"""Writes the Grafana dashboards from their tables: `python -m devtools.generators.dashboards`."""

from devtools.generators.grafana import Dashboard, Panel, as_json
from stack import paths

MODEL = 'model=~"$model"'

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
"""The dashboards of the services."""

LAKEHOUSE = Dashboard(
    "lakehouse",
    "Lakehouse: changes of the orders",
    (
        Panel("Processes that answer", {"{{job}}": 'max by (job) (up{job=~"lakehouse.*"})'}, "stat", 8),
        Panel("Messages behind", {"{{sink}}": "max by (sink) (lakehouse_messages_behind)"}, "stat", 8),
        Panel("Alerts", {"alerts": "lakehouse:firing_alerts:count"}, "stat", 8),
        Panel(
            "Messages of the topic that are applied, per second",
            {"{{sink}}": "lakehouse:applied_messages:rate5m"},
            description="The copy applies them too, which has no other metrics.",
        ),
        Panel(
            "Messages that are not applied",
            {"{{sink}}": "max by (sink) (lakehouse_messages_behind)"},
            description="Absent while the broker does not answer.",
        ),
        Panel(
            "Changes that are applied, per second",
            {"{{sink}}, {{operation}}": "lakehouse:changes:rate5m"},
            description="c: inserted, u: updated, d: deleted, r: read at the start.",
        ),
        Panel("Micro-batches per second", {"{{sink}}": "sum by (sink) (rate(lakehouse_batches_total[5m]))"}),
        Panel("Time of the last micro-batch", {"{{sink}}": "max by (sink) (lakehouse_batch_seconds)"}, unit="s"),
        Panel("Orders that the last micro-batch changed", {"{{sink}}": "max by (sink) (lakehouse_batch_rows)"}),
        Panel(
            "Age of the newest change when it was applied",
            {"{{sink}}": "max by (sink) (lakehouse_lag_seconds)"},
            unit="s",
            description="It stays where it is while nothing changes.",
        ),
        Panel(
            "Position in the binary log",
            {"{{sink}}": "max by (sink) (lakehouse_source_position)"},
            unit="bytes",
            description="That of the newest applied change in its file.",
        ),
    ),
    folder=paths.ROOT / "examples" / "lakehouse" / "grafana",
)
ALL = (*DASHBOARDS, LAKEHOUSE)
"""Those of the services and of an example."""


def outdated() -> list[Dashboard]:
    """Return the dashboards whose file is not what the table says."""
    return [board for board in ALL if not board.path.exists() or board.path.read_text() != as_json(board)]


def main() -> None:
    """Write the files."""
    for board in ALL:
        board.path.parent.mkdir(parents=True, exist_ok=True)
        board.path.write_text(as_json(board))


if __name__ == "__main__":
    main()
