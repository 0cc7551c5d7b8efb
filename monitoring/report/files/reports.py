"""Reports as files or objects, each replaced as a whole: CSV files, and plots and a page for each model."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from io import BytesIO
from typing import Any

import pandas as pd

from driftline.engine.results import Result, ResultKind, SubjectKind
from driftline.objects import ObjectStore
from driftline.report.csv_cells import without_formulas
from driftline.report.document.page import render
from driftline.report.view import ChunkView
from driftline.store.versions.registry import Version
from monitoring.report.model_report import REPORT_CHUNKS, report_content

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


def exist(output: ObjectStore) -> bool:
    """Return whether both CSV files exist."""
    return output.exists(PERFORMANCE_REPORT) and output.exists(DRIFT_REPORT)


def write(output: ObjectStore, reported: Iterable[Reported], unchanged: Collection[str] = ()) -> None:
    """Write both CSV files, and each model's plots and page; instants are ISO 8601 in UTC, undefined values are empty.

    A text that begins like a formula gets an apostrophe in front; numbers are written as they are. The stored reports
    of the models in `unchanged` stay as they are. Models are read one after the other.

    Raises:
        Unavailable: the object store refuses, or cannot be reached.
    """
    performance = [_stored(output, PERFORMANCE_REPORT, PERFORMANCE_COLUMNS, unchanged)] if unchanged else []
    drift = [_stored(output, DRIFT_REPORT, DRIFT_COLUMNS, unchanged)] if unchanged else []
    for version, chunks in reported:
        performance.append(_csv(list(_performance_rows(version, chunks)), PERFORMANCE_COLUMNS))
        drift.append(_csv(list(_drift_rows(version, chunks)), DRIFT_COLUMNS))
        _write_plots(output, version, chunks)
        output.put(f"report_{version.name}.html", _page(version, chunks))
    output.put(PERFORMANCE_REPORT, _joined(performance, PERFORMANCE_COLUMNS))
    output.put(DRIFT_REPORT, _joined(drift, DRIFT_COLUMNS))


def _write_plots(output: ObjectStore, version: Version, chunks: Sequence[ChunkView]) -> None:
    """Write the plots of a model's performance and drift."""
    from driftline.report.plots import drift_figure, performance_figure, png  # noqa: PLC0415  (matplotlib is slow to import)

    name = f"{version.name}, version {version.number}"
    performance = performance_figure(f"{name}: performance", version.spec.metrics, chunks)
    drift = drift_figure(f"{name}: drift as a ratio to its bound", version.spec, chunks)
    output.put(f"performance_{version.name}.png", png(performance))
    output.put(f"drift_{version.name}.png", png(drift))


def delete_files(output: ObjectStore, name: str) -> None:
    """Delete the plots and the page of a model that is gone."""
    for file in (f"performance_{name}.png", f"drift_{name}.png", f"report_{name}.html"):
        output.delete(file)


def _page(version: Version, chunks: Sequence[ChunkView]) -> bytes:
    """Return the report on the newest chunks, compared with equally many before them."""
    newest, earlier = chunks[-REPORT_CHUNKS:], chunks[-2 * REPORT_CHUNKS : -REPORT_CHUNKS]
    return render(report_content(version, newest, earlier)).encode()


def _stored(output: ObjectStore, report: str, columns: tuple[str, ...], names: Collection[str]) -> bytes:
    """Return the rows of some models in a stored report, as a CSV file."""
    stored = pd.read_csv(BytesIO(output.get(report)), dtype=str, keep_default_na=False)
    written = without_formulas(pd.DataFrame({"model": list(names)}, dtype=object))["model"]
    return stored.loc[stored["model"].isin(written), list(columns)].to_csv(index=False).encode()


def _joined(parts: Sequence[bytes], columns: tuple[str, ...]) -> bytes:
    """Return CSV files with the same columns as one file."""
    head = _csv([], columns)
    return head + b"".join(part[len(head) :] for part in parts)


def _performance_rows(version: Version, chunks: Iterable[ChunkView]) -> Iterator[dict[str, Any]]:
    """Yield a row for each chunk and metric."""
    for chunk in chunks:
        for metric in version.spec.metrics:
            realized = chunk.result(ResultKind.REALIZED, metric)
            estimated = chunk.result(ResultKind.ESTIMATED, metric)
            yield {
                **_chunk(version, chunk),
                "labelled": chunk.labelled,
                "metric": str(metric),
                **_result("realized", realized),
                **_result("estimated", estimated),
                **_bounds(realized or estimated),
                "verdict": str(chunk.verdict.state),
                "provisional": chunk.verdict.provisional,
                "reasons": " ".join(chunk.verdict.reasons),
            }


def _drift_rows(version: Version, chunks: Iterable[ChunkView]) -> Iterator[dict[str, Any]]:
    """Yield a row for each chunk, column and method of drift or data quality."""
    for chunk in chunks:
        for result in chunk.results:
            if result.subject_kind is SubjectKind.MODEL:
                continue
            yield {
                **_chunk(version, chunk),
                "column": result.subject,
                "kind": str(result.kind),
                "method": result.method,
                "value": result.value,
                "sampling_error": result.sampling_error,
                "p_value": result.p_value,
                "effect": result.effect,
                **_bounds(result),
                "state": str(result.state),
                "reason": result.reason,
                "lasting": result.subject in chunk.verdict.drifted,
            }


def _chunk(version: Version, chunk: ChunkView) -> dict[str, Any]:
    return {
        "model": version.name,
        "version": version.number,
        "chunk_start": chunk.start.isoformat(),
        "chunk_end": chunk.end.isoformat(),
        "revision": chunk.revision,
        "rows": chunk.rows,
        "closed": chunk.closed,
    }


def _result(name: str, result: Result | None) -> dict[str, Any]:
    if result is None:
        return {}
    return {
        name: result.value,
        f"{name}_sampling_error": result.sampling_error,
        f"{name}_state": str(result.state),
        f"{name}_reason": result.reason,
    }


def _bounds(result: Result | None) -> dict[str, Any]:
    if result is None:
        return {}
    bounds = result.bounds
    sides = (bounds.lower, bounds.upper, bounds.alert_lower, bounds.alert_upper)
    return {"expected": bounds.expected, **dict(zip(_BOUNDS, sides, strict=True))}


def _csv(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> bytes:
    frame = pd.DataFrame(rows, columns=list(columns)).astype({"revision": "Int64"})
    return without_formulas(frame).to_csv(index=False).encode()
