"""Domain classifier: how well a classifier separates a chunk's rows from the reference's. No I/O here."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from driftline.engine.catalogue import ColumnKind
from driftline.engine.frames.columns import FloatArray, IntArray, category
from driftline.engine.lightgbm_library import import_lightgbm
from driftline.engine.multivariate import boosting
from driftline.engine.multivariate.features import read_categories, read_numbers, watched_columns
from driftline.engine.outcome import Outcome, too_few, undefined
from driftline.engine.results import EVENT_TIME, ID
from driftline.engine.spec import Spec

REFERENCE_ROWS = 20_000
"""Rows that are stored of a longer reference, evenly spaced in time: about 0.4 MB of JSON per continuous feature."""
FOLDS = 5
CHANCE_ROC_AUC = 0.5
"""The ROC AUC of a classifier that cannot separate the rows."""


@dataclass(frozen=True, slots=True, eq=False)
class ChunkRows:
    """The rows of a chunk with event time and id; as large as the chunk, since the method needs all of them."""

    frame: pd.DataFrame

    def merge(self, other: "ChunkRows") -> "ChunkRows":
        """Merge the rows of two parts of a chunk; exact, since rows are sorted before use."""
        return ChunkRows(pd.concat([self.frame, other.frame], ignore_index=True))

    def features(self) -> pd.DataFrame:
        """Return the features, sorted by event time and id."""
        ordered = self.frame.sort_values([EVENT_TIME, ID], ignore_index=True)
        return ordered.drop(columns=[EVENT_TIME, ID])


@dataclass(frozen=True, slots=True, eq=False)
class DomainClassifier:
    """At most 20,000 rows of the reference, in time order.

    `frame` has first the `categorical` categorical features (text, None if missing), then the continuous ones (float,
    NaN if missing or infinite), each sorted by name. As JSON they take about 20 bytes per number.
    """

    frame: pd.DataFrame
    categorical: int

    @classmethod
    def fit(cls, frame: pd.DataFrame, spec: Spec) -> Self:
        """Store the reference's rows, which are in time order; raises MissingLibrary without LightGBM."""
        import_lightgbm(boosting.PURPOSE)
        names = _names_by_kind(spec)
        positions = np.unique(np.linspace(0, len(frame) - 1, min(len(frame), REFERENCE_ROWS)).round().astype(np.int64))
        return cls(_features(frame.iloc[positions], *names), categorical=len(names[0]))

    def summarize(self, frame: pd.DataFrame) -> ChunkRows:
        """Read the rows of a chunk; columns event_time and id are required beside the features."""
        names = list(self.frame.columns)
        rows = _features(frame, names[: self.categorical], names[self.categorical :])
        times = pd.to_datetime(frame[EVENT_TIME], utc=True).dt.as_unit("us").astype("int64").to_numpy()
        rows[EVENT_TIME], rows[ID] = times, [category(value) for value in frame[ID].tolist()]
        return ChunkRows(rows)

    def outcome(self, summary: ChunkRows, spec: Spec) -> Outcome:
        """Return the cross-validated ROC AUC of separating the chunk from the reference; about 0.5 without drift.

        The effect is its excess over 0.5. Each of five folds is the next fifth of both sides in time order; the
        classifier is LightGBM with NannyML 0.13.1's parameters on one thread. Summaries merge exactly.
        """
        rows = len(summary.frame)
        reason = too_few(rows, max(spec.minimum_rows, FOLDS), "rows") or too_few(
            len(self.frame), FOLDS, "rows in the reference"
        )
        if reason:
            return undefined(rows, reason)
        frame = pd.concat([self.frame, summary.features()], ignore_index=True)
        is_chunk = np.repeat([0, 1], [len(self.frame), rows])
        area = _cross_validated_roc_auc(_matrix(frame, self.categorical), is_chunk, self.categorical)
        return Outcome(area, rows, effect=area - CHANCE_ROC_AUC)

    def to_dict(self) -> dict[str, Any]:
        """Return the state as JSON-compatible values; a category is its position in a list of texts."""
        names = list(self.frame.columns)
        coded = {name: read_categories(self.frame[name]) for name in names[: self.categorical]}
        return {
            "categorical": {name: {"codes": codes.tolist(), "texts": texts} for name, (codes, texts) in coded.items()},
            "continuous": {
                name: [None if np.isnan(value) else value for value in self.frame[name].tolist()]
                for name in names[self.categorical :]
            },
        }

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Return the state that `to_dict` serialized."""
        columns: dict[str, Any] = {
            name: _texts(np.asarray(column["codes"], dtype=np.int64), column["texts"])
            for name, column in state["categorical"].items()
        }
        columns |= {name: np.array(values, dtype=np.float64) for name, values in state["continuous"].items()}
        return cls(pd.DataFrame(columns), categorical=len(state["categorical"]))


def _names_by_kind(spec: Spec) -> tuple[list[str], list[str]]:
    """Return the categorical and the continuous features, sorted by name: the order that decides ties between trees."""
    kinds = {kind: sorted(c.name for c in watched_columns(spec) if c.kind is kind) for kind in ColumnKind}
    return kinds[ColumnKind.CATEGORICAL], kinds[ColumnKind.CONTINUOUS]


def _features(frame: pd.DataFrame, categorical: list[str], continuous: list[str]) -> pd.DataFrame:
    columns: dict[str, Any] = {name: _texts(*read_categories(frame[name])) for name in categorical}
    return pd.DataFrame(columns | {name: read_numbers(frame[name]) for name in continuous})


def _texts(codes: IntArray, texts: list[str]) -> Any:
    return np.array([*texts, None], dtype=object)[codes]


def _matrix(frame: pd.DataFrame, categorical: int) -> FloatArray:
    """Return the rows as numbers, (rows, features); a category is its position in alphabetical order."""
    columns = []
    for position, name in enumerate(frame.columns):
        if position < categorical:
            codes = pd.factorize(frame[name].to_numpy(), sort=True)[0].astype(np.float64)
            columns.append(np.where(codes < 0, np.nan, codes))
        else:
            columns.append(frame[name].to_numpy(dtype=np.float64))
    return np.column_stack(columns)


def _cross_validated_roc_auc(rows: FloatArray, is_chunk: IntArray, categorical: int) -> float:
    fold = _folds(is_chunk)
    probabilities = np.empty(len(rows))
    for number in range(FOLDS):
        test = fold == number
        probabilities[test] = boosting.fit_and_predict(rows[~test], is_chunk[~test], rows[test], categorical)
    return _roc_auc(probabilities, is_chunk)


def _folds(is_chunk: IntArray) -> IntArray:
    """Return the fold of each row: consecutive rows of each side, as scikit-learn's unshuffled StratifiedKFold."""
    fold = np.empty(len(is_chunk), dtype=np.int64)
    ordered = np.sort(is_chunk)
    for side in (0, 1):
        sizes = [int(np.sum(ordered[start::FOLDS] == side)) for start in range(FOLDS)]
        fold[is_chunk == side] = np.repeat(np.arange(FOLDS), sizes)
    return fold


def _roc_auc(scores: FloatArray, positive: IntArray) -> float:
    """Return the probability that a positive row scores higher than a negative one (Mann and Whitney 1947)."""
    _, positions, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[positions]
    hits = int(positive.sum())
    return float((ranks[positive == 1].sum() - hits * (hits + 1) / 2) / (hits * (len(scores) - hits)))
