"""What NannyML says of a stream, at its default settings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.detection.said import Said, Voices
from benchmarks.detection.stream import Stream
from benchmarks.engine.theirs import METRICS, import_nannyml
from driftline.engine.results import EVENT_TIME, LABEL, PREDICTION, SCORE
from driftline.engine.spec import ColumnKind, ModelSpec, Period

PERIODS = {Period.DAY: "D", Period.WEEK: "W"}


def nannyml(streams: Sequence[Stream]) -> list[Voices]:
    """Take an alert of realized performance for an alarm, and beside it any alert: drift of a column too."""
    fitted = _fit(streams[0])
    return [_voices(fitted, stream) for stream in streams]


@dataclass(frozen=True)
class _Fitted:
    """Calculators of realized performance and of drift, and the columns whose drift is watched."""

    performance: Any
    drift: Any
    columns: list[str]


def _fit(stream: Stream) -> _Fitted:
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


def _voices(fitted: _Fitted, stream: Stream) -> Voices:
    rows = _plain(stream.analysis)
    worse = _alerts(fitted.performance, rows, METRICS).any(axis=0)
    drifted = _alerts(fitted.drift, rows, fitted.columns)
    names = [frozenset(np.array(fitted.columns)[chunk]) for chunk in drifted.T]
    return {
        "NannyML: performance": [Said(bool(alarm)) for alarm in worse],
        "NannyML: any alert": [
            Said(bool(alarm) or bool(columns), columns) for alarm, columns in zip(worse, names, strict=True)
        ],
    }


def _categorical(spec: ModelSpec) -> list[str]:
    return [column.name for column in spec.columns if column.kind is ColumnKind.CATEGORICAL]


def _plain(rows: pd.DataFrame) -> pd.DataFrame:
    """Give rows as NannyML wants them: times without a zone, classes as objects."""
    return rows.assign(**{EVENT_TIME: rows[EVENT_TIME].dt.tz_localize(None), PREDICTION: rows[PREDICTION].astype(object)})


def _alerts(calculator: Any, rows: pd.DataFrame, names: Sequence[str]) -> "npt.NDArray[np.bool_]":
    """Give by name (rows) and chunk (columns) whether there is an alert."""
    frame = calculator.calculate(rows).filter(period="analysis").to_df()
    return np.array([_alerts_of(frame, name) for name in names])


def _alerts_of(frame: pd.DataFrame, name: str) -> "npt.NDArray[np.bool_]":
    own = [column for column in frame.columns if name in column and "alert" in column]
    return frame[own].any(axis=1).to_numpy(dtype=bool)
