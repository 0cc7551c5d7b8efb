"""NannyML's alarms on a stream, with its default settings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from benchmarks.detection.alarms import AlarmsByLevel, ChunkAlarm
from benchmarks.detection.stream import Stream
from benchmarks.engine.nannyml_process import METRICS, import_nannyml
from driftline.engine.catalogue import ColumnKind
from driftline.engine.results import EVENT_TIME, LABEL, PREDICTION, SCORE
from driftline.engine.spec import Period, Spec

PERIODS = {Period.DAY: "D", Period.WEEK: "W"}


def nannyml(streams: Sequence[Stream]) -> list[AlarmsByLevel]:
    """Return alarms that are alerts on realized performance, and alarms that are any alert, also on drift."""
    fitted = _fit(streams[0])
    return [_by_level(fitted, stream) for stream in streams]


@dataclass(frozen=True)
class _Fitted:
    """Calculators of realized performance and of drift, and the columns monitored for drift."""

    performance: Any
    drift: Any
    columns: list[str]


def _fit(stream: Stream) -> _Fitted:
    """Fit NannyML's performance and drift calculators on the reference."""
    library, spec = import_nannyml(), stream.spec
    chunks = {"timestamp_column_name": EVENT_TIME, "chunk_period": PERIODS[spec.period]}
    columns = [*spec.features, SCORE, PREDICTION]
    performance = library.PerformanceCalculator(
        metrics=METRICS,
        y_true=LABEL,
        y_pred=PREDICTION,
        y_pred_proba=SCORE,
        problem_type="classification_binary",
        **chunks,
    )
    categorical = [*_categorical(spec), PREDICTION]
    drift = library.UnivariateDriftCalculator(column_names=columns, treat_as_categorical=categorical, **chunks)
    reference = _plain(stream.reference)
    return _Fitted(performance.fit(reference), drift.fit(reference), columns)


def _by_level(fitted: _Fitted, stream: Stream) -> AlarmsByLevel:
    rows = _plain(stream.analysis)
    worse = _alerts(fitted.performance, rows, METRICS)
    drifted = _alerts(fitted.drift, rows, fitted.columns)
    return {
        "NannyML: performance": [ChunkAlarm(bool(metrics)) for metrics in worse],
        "NannyML: any alert": [ChunkAlarm(bool(m or c), c) for m, c in zip(worse, drifted, strict=True)],
    }


def _categorical(spec: Spec) -> list[str]:
    return [column.name for column in spec.columns if column.kind is ColumnKind.CATEGORICAL]


def _plain(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows as NannyML requires them: times without a zone, classes as objects."""
    return rows.assign(
        **{EVENT_TIME: rows[EVENT_TIME].dt.tz_localize(None), PREDICTION: rows[PREDICTION].astype(object)}
    )


def _alerts(calculator: Any, rows: pd.DataFrame, names: Sequence[str]) -> list[frozenset[str]]:
    """Return for each chunk the names that alert."""
    frame = calculator.calculate(rows).filter(period="analysis").to_df()
    alert_columns = {name: [c for c in frame.columns if c[0] == name and "alert" in c] for name in names}
    alerts = pd.DataFrame({name: frame[columns].any(axis=1) for name, columns in alert_columns.items()})
    return [frozenset(name for name in names if chunk[name]) for chunk in alerts.to_dict("records")]
