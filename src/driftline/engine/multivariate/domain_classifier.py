"""How well a classifier tells a chunk's rows from those of the reference. No I/O here."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from driftline.engine.columns import FloatArray, IntArray, category
from driftline.engine.multivariate import boosting
from driftline.engine.multivariate.features import numbers_in_rows, texts_in_rows, together
from driftline.engine.outcome import Outcome, too_few, undefined
from driftline.engine.results import EVENT_TIME, ID
from driftline.engine.spec import ColumnKind, Spec

REFERENCE_ROWS = 20_000
"""Of a longer reference this many rows are kept, evenly spaced in time: some 0.4 MB of JSON for each number."""
FOLDS = 5
CHANCE = 0.5
"""The ROC AUC where nothing tells the rows apart."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """A chunk's rows themselves, with event time and id: nothing smaller will do. As large as the chunk."""

    frame: pd.DataFrame

    def merge(self, other: "Rows") -> "Rows":
        """Put the rows of two parts of a chunk together; exact, since they are sorted before use."""
        return Rows(pd.concat([self.frame, other.frame], ignore_index=True))

    def features(self) -> pd.DataFrame:
        """Return the features in the order of event time and id."""
        ordered = self.frame.sort_values([EVENT_TIME, ID], ignore_index=True)
        return ordered.drop(columns=[EVENT_TIME, ID])


@dataclass(frozen=True, slots=True, eq=False)
class DomainClassifier:
    """The reference's rows, at most 20,000 of them, in the order of time.

    `frame` has the categorical features first and then the continuous ones, each sorted by name; text and floats, None
    and NaN where a value is missing (or infinite). As JSON they take some 20 bytes for each number.
    """

    frame: pd.DataFrame
    categorical: int

    @classmethod
    def fit(cls, frame: pd.DataFrame, spec: Spec) -> Self:
        """Keep the reference's rows, which are in the order of time; without LightGBM it is a MissingLibrary."""
        boosting.require()
        names = _by_kind(spec)
        kept = np.unique(np.linspace(0, len(frame) - 1, min(len(frame), REFERENCE_ROWS)).round().astype(np.int64))
        return cls(_features(frame.iloc[kept], *names), categorical=len(names[0]))

    def summarize(self, frame: pd.DataFrame) -> Rows:
        """Keep the rows of a chunk; beside the features they need event_time and id."""
        names = list(self.frame.columns)
        kept = _features(frame, names[: self.categorical], names[self.categorical :])
        times = pd.to_datetime(frame[EVENT_TIME], utc=True).dt.as_unit("us").astype("int64").to_numpy()
        kept[EVENT_TIME], kept[ID] = times, [category(value) for value in frame[ID].tolist()]
        return Rows(kept)

    def outcome(self, summary: Rows, spec: Spec) -> Outcome:
        """Return the cross-validated ROC AUC of telling the chunk from the reference, in [0, 1]; about 0.5 for none.

        The effect is how far it is above 0.5. Five folds, each the next fifth of both sides in the order of time; a
        LightGBM classifier with NannyML 0.13.1's parameters on one thread. The whole is exact, a part says nothing.
        """
        rows = len(summary.frame)
        reason = too_few(rows, max(spec.minimum_rows, FOLDS), "rows") or too_few(
            len(self.frame), FOLDS, "rows in the reference"
        )
        if reason:
            return undefined(rows, reason)
        both = pd.concat([self.frame, summary.features()], ignore_index=True)
        is_chunk = np.repeat([0, 1], [len(self.frame), rows])
        area = _told_apart(_matrix(both, self.categorical), is_chunk, self.categorical)
        return Outcome(area, rows, effect=area - CHANCE)

    def to_dict(self) -> dict[str, Any]:
        """Return the state as values that JSON has; a category is its place in a list of texts."""
        names = list(self.frame.columns)
        texts = {name: texts_in_rows(self.frame[name]) for name in names[: self.categorical]}
        return {
            "categorical": {name: {"codes": codes.tolist(), "texts": own} for name, (codes, own) in texts.items()},
            "continuous": {
                name: [None if np.isnan(value) else value for value in self.frame[name].tolist()]
                for name in names[self.categorical :]
            },
        }

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Return what `to_dict` was made from."""
        columns: dict[str, Any] = {
            name: _texts(np.asarray(own["codes"], dtype=np.int64), own["texts"])
            for name, own in state["categorical"].items()
        }
        columns |= {name: np.array(own, dtype=np.float64) for name, own in state["continuous"].items()}
        return cls(pd.DataFrame(columns), categorical=len(state["categorical"]))


def _by_kind(spec: Spec) -> tuple[list[str], list[str]]:
    """Return the categorical and the continuous features, sorted by name: the order in which trees try them."""
    kinds = {kind: sorted(c.name for c in together(spec) if c.kind is kind) for kind in ColumnKind}
    return kinds[ColumnKind.CATEGORICAL], kinds[ColumnKind.CONTINUOUS]


def _features(frame: pd.DataFrame, categorical: list[str], continuous: list[str]) -> pd.DataFrame:
    columns: dict[str, Any] = {name: _texts(*texts_in_rows(frame[name])) for name in categorical}
    return pd.DataFrame(columns | {name: numbers_in_rows(frame[name]) for name in continuous})


def _texts(codes: IntArray, texts: list[str]) -> Any:
    return np.array([*texts, None], dtype=object)[codes]


def _matrix(frame: pd.DataFrame, categorical: int) -> FloatArray:
    """Return rows by features; a category is its place among all categories in alphabetical order."""
    columns = []
    for place, name in enumerate(frame.columns):
        if place < categorical:
            codes = pd.factorize(frame[name].to_numpy(), sort=True)[0].astype(np.float64)
            columns.append(np.where(codes < 0, np.nan, codes))
        else:
            columns.append(frame[name].to_numpy(dtype=np.float64))
    return np.column_stack(columns)


def _told_apart(rows: FloatArray, is_chunk: IntArray, categorical: int) -> float:
    fold = _folds(is_chunk)
    said = np.empty(len(rows))
    for number in range(FOLDS):
        out = fold == number
        said[out] = boosting.fit_and_predict(rows[~out], is_chunk[~out], rows[out], categorical)
    return _roc_auc(said, is_chunk)


def _folds(is_chunk: IntArray) -> IntArray:
    """Return each row's fold: consecutive rows of each side, as scikit-learn's StratifiedKFold without shuffling."""
    fold = np.empty(len(is_chunk), dtype=np.int64)
    ordered = np.sort(is_chunk)
    for side in (0, 1):
        sizes = [int(np.sum(ordered[start::FOLDS] == side)) for start in range(FOLDS)]
        fold[is_chunk == side] = np.repeat(np.arange(FOLDS), sizes)
    return fold


def _roc_auc(scores: FloatArray, positive: IntArray) -> float:
    """Return the chance that a positive row scores higher than another one; ties count half (Mann and Whitney 1947)."""
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    hits = int(positive.sum())
    return float((ranks[positive == 1].sum() - hits * (hits + 1) / 2) / (hits * (len(scores) - hits)))
