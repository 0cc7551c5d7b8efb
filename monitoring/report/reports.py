"""Reports as files or objects: performance and drift as CSV, and as plots; each whole, so a reader never sees half."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pandas as pd

from driftline.engine.results import MODEL, Result, ResultKind
from driftline.objects import ObjectStore
from driftline.report.plots import drift_figure, performance_figure, png
from driftline.report.view import ChunkView
from driftline.store.registry import Version

PERFORMANCE_REPORT = "performance_report.csv"
DRIFT_REPORT = "drift_report.csv"

Reported = tuple[Version, Sequence[ChunkView]]
_BOUNDS = ("lower_bound", "upper_bound", "alert_lower_bound", "alert_upper_bound")
PERFORMANCE_COLUMNS = (
    *("model", "version", "chunk_start", "chunk_end", "revision", "rows", "labelled", "closed", "metric"),
    *("realized", "realized_sampling_error", "realized_state", "realized_reason"),
    *("estimated", "estimated_sampling_error", "estimated_state", "estimated_reason"),
    *("expected", *_BOUNDS, "verdict", "provisional", "reasons"),
)
DRIFT_COLUMNS = (
    *("model", "version", "chunk_start", "chunk_end", "revision", "rows", "closed", "column", "kind", "method"),
    *("value", "sampling_error", "p_value", "effect", "expected", *_BOUNDS, "state", "reason", "lasting"),
)


def are_there(output: ObjectStore) -> bool:
    """Say whether the reports were written before."""
    return output.exists(PERFORMANCE_REPORT) and output.exists(DRIFT_REPORT)


def write(output: ObjectStore, reported: Sequence[Reported]) -> None:
    """Write both CSV files and each model's plots; instants are ISO 8601 in UTC, what is undefined is empty.

    Raises:
        Unavailable: the place refuses or is away.
    """
    performance = [row for version, chunks in reported for row in _performance_rows(version, chunks)]
    drift = [row for version, chunks in reported for row in _drift_rows(version, chunks)]
    output.put(PERFORMANCE_REPORT, _csv(performance, PERFORMANCE_COLUMNS))
    output.put(DRIFT_REPORT, _csv(drift, DRIFT_COLUMNS))
    for version, chunks in reported:
        name = f"{version.name}, version {version.number}"
        performance_plot = performance_figure(f"{name}: performance", version.spec.metrics, chunks)
        drift_plot = drift_figure(f"{name}: drift as a ratio to its bound", version.spec, chunks)
        output.put(f"performance_{version.name}.png", png(performance_plot))
        output.put(f"drift_{version.name}.png", png(drift_plot))


def _performance_rows(version: Version, chunks: Iterable[ChunkView]) -> Iterator[dict[str, Any]]:
    for report in chunks:
        for metric in version.spec.metrics:
            realized, estimated = (
                report.result(ResultKind.REALIZED, metric),
                report.result(ResultKind.ESTIMATED, metric),
            )
            yield {
                **_chunk(version, report),
                "labelled": report.labelled,
                "metric": str(metric),
                **_found("realized", realized),
                **_found("estimated", estimated),
                **_limits(realized or estimated),
                "verdict": str(report.verdict.state),
                "provisional": report.verdict.provisional,
                "reasons": " ".join(report.verdict.reasons),
            }


def _drift_rows(version: Version, chunks: Iterable[ChunkView]) -> Iterator[dict[str, Any]]:
    for report in chunks:
        for result in report.results:
            if result.subject == MODEL:
                continue
            yield {
                **_chunk(version, report),
                "column": result.subject,
                "kind": str(result.kind),
                "method": result.method,
                "value": result.value,
                "sampling_error": result.sampling_error,
                "p_value": result.p_value,
                "effect": result.effect,
                **_limits(result),
                "state": str(result.state),
                "reason": result.reason,
                "lasting": result.subject in report.verdict.drifted,
            }


def _chunk(version: Version, report: ChunkView) -> dict[str, Any]:
    return {
        "model": version.name,
        "version": version.number,
        "chunk_start": report.start.isoformat(),
        "chunk_end": report.end.isoformat(),
        "revision": report.revision,
        "rows": report.rows,
        "closed": report.closed,
    }


def _found(name: str, result: Result | None) -> dict[str, Any]:
    if result is None:
        return {}
    return {
        name: result.value,
        f"{name}_sampling_error": result.sampling_error,
        f"{name}_state": str(result.state),
        f"{name}_reason": result.reason,
    }


def _limits(result: Result | None) -> dict[str, Any]:
    if result is None:
        return {}
    bounds = result.bounds
    sides = (bounds.lower, bounds.upper, bounds.alert_lower, bounds.alert_upper)
    return {"expected": bounds.expected, **dict(zip(_BOUNDS, sides, strict=True))}


def _csv(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> bytes:
    frame = pd.DataFrame(rows, columns=list(columns)).astype({"revision": "Int64"})
    return frame.to_csv(index=False).encode()
