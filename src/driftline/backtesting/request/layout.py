"""The spec of a backtest, and the mapping from the engine's columns to those of the data. No I/O here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from driftline.backtesting.inference import Inference
from driftline.backtesting.input.rows import Rows
from driftline.backtesting.input.values.number_text import Notation, NumberText, is_text
from driftline.backtesting.options import OptionStyle, python_option
from driftline.backtesting.request.outputs.classes import Classes
from driftline.backtesting.request.outputs.scales import PROBABILITY_SCALE, ScoreScale
from driftline.backtesting.request.outputs.threshold import DEFAULT_THRESHOLD
from driftline.engine.catalogue import SCORE_METRICS, Problem
from driftline.engine.frames.columns import FloatArray, coded, floats_and_strays
from driftline.engine.frames.stray_values import StrayValues
from driftline.engine.results import EVENT_TIME, ID, LABEL, PREDICTION, SCORE
from driftline.engine.spec import ColumnSpec, Spec
from driftline.errors import InvalidInput

ALIAS_PREFIX = "feature:"
"""The prefix in the engine for a feature whose name the engine reserves."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The spec, and in `sources` the column of the data for each column of the engine that the data has.

    `threshold` turns a binary score into a prediction where the data has none; `scale` is that of a binary score.
    `notations` are those of the data's columns that hold numbers as text.
    """

    spec: Spec
    sources: Mapping[str, str]
    classes: Classes
    threshold: float | None
    inferred: tuple[Inference, ...]
    option: OptionStyle = python_option
    scale: ScoreScale = PROBABILITY_SCALE
    notations: Mapping[str, Notation] = field(default_factory=dict)

    @property
    def absent(self) -> frozenset[str]:
        """The output columns that the data lacks and that cannot be computed."""
        computed = {PREDICTION} if self.predicts else set()
        return frozenset(set(self.spec.outputs) - set(self.sources) - computed)

    @property
    def predicts(self) -> bool:
        """Whether the prediction is computed from the scores."""
        scored = bool(self.spec.scores) and set(self.spec.scores) <= set(self.sources)
        return PREDICTION not in self.sources and scored

    @property
    def verdict_spec(self) -> Spec:
        """The spec for verdicts: without the metrics that need an absent score, if there are other metrics."""
        if set(self.spec.scores) <= set(self.sources):
            return self.spec
        metrics = tuple(metric for metric in self.spec.metrics if metric not in SCORE_METRICS)
        return self.spec.model_copy(update={"metrics": metrics}) if metrics and not self.lacks_prediction else self.spec

    @property
    def lacks_prediction(self) -> bool:
        """Whether the data has no prediction, and none can be computed."""
        return PREDICTION in self.absent

    def subject(self, name: str) -> str:
        """Return the data's name for a subject; a prediction computed from scores never has the name of a column."""
        if name == PREDICTION and name not in self.sources and name in self.sources.values():
            return f"{name} from {self.sources[SCORE]}" if SCORE in self.sources else f"{name} from the scores"
        return self.sources.get(name, name)

    def rename_in_text(self, text: str) -> str:
        """Return a text of the engine with the data's names for columns."""
        for name, source in self.sources.items():
            if name.startswith(ALIAS_PREFIX) and name != source:
                text = text.replace(name, source)
        for name in (ID, *self.spec.outputs):
            text = text.replace(f"column {name!r}", f"column {self.subject(name)!r}")
        return text

    @property
    def data_spec(self) -> Spec:
        """The spec with the data's names for features."""
        names = {column.name: self.subject(column.name) for column in self.spec.columns}
        columns = tuple(
            ColumnSpec.model_construct(name=names[column.name], kind=column.kind, watched=column.watched)
            for column in self.spec.columns
        )
        segments = tuple(names.get(name, name) for name in self.spec.segments)
        return self.spec.model_copy(update={"columns": columns, "segments": segments})

    def shape(self, rows: Rows) -> pd.DataFrame:
        """Return rows as a frame with the engine's columns."""
        columns: dict[str, Any] = {EVENT_TIME: pd.DatetimeIndex(rows.times.view("datetime64[us]"), tz="UTC")}
        columns[ID] = rows.frame[self.sources[ID]].array if ID in self.sources else rows.numbers
        for column in self.spec.columns:
            columns[column.name] = self._feature(rows, self.sources[column.name])
        return pd.DataFrame(columns | self._outputs(rows), copy=False)

    def outputs(self, rows: Rows) -> pd.DataFrame:
        """Return the scores, predictions and labels of rows as a frame with the engine's columns."""
        return pd.DataFrame(self._outputs(rows), copy=False)

    def _outputs(self, rows: Rows) -> dict[str, Any]:
        prediction = None if self.predicts else self._output(rows, PREDICTION)
        scores = {name: self._score(rows, name, prediction) for name in self.spec.scores}
        predictions = self.predict(scores) if prediction is None else prediction
        return {**scores, PREDICTION: predictions, LABEL: self._output(rows, LABEL)}

    def strays(self, rows: Rows) -> dict[str, StrayValues]:
        """Return the values of numeric features that are not numbers and count as missing, by column."""
        texts = {name: self._text(rows, name) for name in self.notations if name in self.sources.values()}
        return {
            name: StrayValues.of(rows.frame[name], text.stray, rows.numbers)
            for name, text in texts.items()
            if text is not None and text.stray.any()
        }

    def _text(self, rows: Rows, column: str) -> NumberText | None:
        """Return the numbers of a column that holds them as text; None for any other column."""
        series = rows.frame[column]
        notation = self.notations.get(column)
        return None if notation is None or not is_text(series) else NumberText.of(series, notation)

    def _feature(self, rows: Rows, column: str) -> Any:
        text = self._text(rows, column)
        return rows.frame[column].array if text is None else text.values

    def _numbers(self, rows: Rows, column: str) -> FloatArray:
        """Return the numbers of a score, label or prediction; raise InvalidInput, with the row, for other values."""
        series = rows.frame[column]
        text = self._text(rows, column)
        values, stray = floats_and_strays(series) if text is None else (text.values, text.stray)
        if stray.any():
            strays = StrayValues.of(series, stray, rows.numbers)
            cure = self.option("na_values", [str(strays.first)])
            msg = f"column {column!r} has {strays}; clean it, or pass {cure} if that stands for a missing value"
            raise InvalidInput(msg)
        return values

    def _score(self, rows: Rows, name: str, prediction: Any) -> FloatArray:
        """Return the scores of a class, those of a binary model as probabilities."""
        if name not in self.sources:
            return np.full(len(rows), np.nan)
        scores = self._numbers(rows, self.sources[name])
        return scores if self.scale == PROBABILITY_SCALE else self.scale.probabilities(scores, prediction)

    def _output(self, rows: Rows, name: str) -> Any:
        if name not in self.sources:
            return np.full(len(rows), np.nan)
        column = self.sources[name]
        if self.spec.problem is Problem.BINARY:
            return self.classes.numbers(rows.frame[column])
        return self._numbers(rows, column) if self.spec.problem is Problem.REGRESSION else as_texts(rows.frame[column])

    def predict(self, scores: Mapping[str, FloatArray]) -> Any:
        """Return the predictions for scores: by the threshold, or the class with the highest score."""
        if self.spec.problem is Problem.BINARY:
            score = scores[SCORE]
            threshold = DEFAULT_THRESHOLD if self.threshold is None else self.threshold
            return np.where(np.isfinite(score), score >= threshold, np.nan)
        table = np.column_stack([scores[name] for name in self.spec.scores])
        complete = np.asarray(np.isfinite(table).all(axis=1))
        codes = np.where(complete, np.nan_to_num(table).argmax(axis=1), -1)
        return _categorical(codes, list(self.spec.classes))


def as_texts(series: "pd.Series[Any]") -> pd.Categorical:
    """Return values as texts, independent of the dtype: 1, 1.0 and "1" are equal."""
    codes, texts = coded(series)
    places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    distinct_codes = np.array([*(places[text] for text in texts), -1])
    return _categorical(distinct_codes[codes], list(places))


def _categorical(codes: Any, texts: list[str]) -> pd.Categorical:
    return pd.Categorical.from_codes(codes, categories=pd.Index(texts, dtype=object))
