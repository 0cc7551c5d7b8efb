"""What NannyML says of a stream, at its default settings."""

from typing import Any

import numpy as np

from benchmarks.detection.said import Said
from benchmarks.detection.streams import Stream
from benchmarks.engine.theirs import import_nannyml
from driftline.engine.results import EVENT_TIME, LABEL, PREDICTION, SCORE
from driftline.engine.spec import ColumnKind

METRICS = ["roc_auc", "f1", "accuracy"]


def performance(stream: Stream) -> list[Said]:
    """Take an alert of realized performance for an alarm."""
    nannyml = import_nannyml()
    calculator = nannyml.PerformanceCalculator(
        metrics=METRICS,
        y_true=LABEL,
        y_pred=PREDICTION,
        y_pred_proba=SCORE,
        problem_type="classification_binary",
        timestamp_column_name=EVENT_TIME,
        chunk_period="D",
    )
    return [Said(bool(alerts.any())) for alerts in _alerts(calculator, stream, METRICS).T]


def anything(stream: Stream) -> list[Said]:
    """Take any alert for an alarm: of realized performance, or of drift in a feature, the score or the prediction."""
    return [
        Said(one.alarm or bool(other.columns), other.columns)
        for one, other in zip(performance(stream), drift(stream), strict=True)
    ]


def drift(stream: Stream) -> list[Said]:
    """Take an alert of any column's drift for an alarm."""
    nannyml = import_nannyml()
    features = list(stream.spec.features)
    categorical = [column.name for column in stream.spec.columns if column.kind is ColumnKind.CATEGORICAL]
    calculator = nannyml.UnivariateDriftCalculator(
        column_names=[*features, SCORE, PREDICTION],
        treat_as_categorical=[*categorical, PREDICTION],
        timestamp_column_name=EVENT_TIME,
        chunk_period="D",
    )
    names = [*features, SCORE, PREDICTION]
    found = _alerts(calculator, stream, names)
    return [Said(bool(day.any()), frozenset(np.array(names)[day])) for day in found.T]


def _alerts(calculator: Any, stream: Stream, names: list[str]) -> "np.ndarray[Any, np.dtype[np.bool_]]":
    """Give by name (rows) and day (columns) whether there is an alert."""
    reference, analysis = (
        rows.assign(**{EVENT_TIME: rows[EVENT_TIME].dt.tz_localize(None), PREDICTION: rows[PREDICTION].astype(object)})
        for rows in (stream.reference, stream.analysis)
    )
    calculator.fit(reference)
    frame = calculator.calculate(analysis).filter(period="analysis").to_df()
    columns = {name: [c for c in frame.columns if name in c and "alert" in c] for name in names}
    return np.array([frame[columns[name]].any(axis=1).to_numpy(dtype=bool) for name in names])
