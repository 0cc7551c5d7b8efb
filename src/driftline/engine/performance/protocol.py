"""The interface between the performance of a problem and the rest of the engine. No I/O here."""

from collections.abc import Iterator
from typing import Any, Protocol, Self

import pandas as pd

from driftline.engine.outcome import Outcome
from driftline.engine.results import ResultKind
from driftline.engine.spec import Spec

PerformanceOutcomes = Iterator[tuple[ResultKind, str, Outcome]]
"""Result kind (realized or estimated), metric, and outcome."""


class PerformanceSummary(Protocol):
    """A mergeable summary of some or all rows of a chunk, sufficient for every performance metric."""

    def merge(self, other: Any, /) -> Any:
        """Merge the summaries of two parts of a chunk."""


class Performance(Protocol):
    """The fitted state of performance: computed once from the reference, stored, and applied to every chunk."""

    @classmethod
    def fit(cls, frame: pd.DataFrame, spec: Spec) -> Self:
        """Fit on the reference's rows, in time order, with the spec's features and outputs."""

    def summarize(self, frame: pd.DataFrame, spec: Spec) -> Any:
        """Summarize some or all rows of a chunk into a `PerformanceSummary`."""

    def summarize_labels(self, frame: pd.DataFrame, spec: Spec) -> Any:
        """Summarize what depends on outputs and labels; `frame` needs no features."""

    def summarize_features(self, frame: pd.DataFrame, spec: Spec) -> Any:
        """Summarize what depends on features and outputs; `frame` needs no labels. None where nothing does."""

    def outcomes(self, summary: Any, spec: Spec) -> PerformanceOutcomes:
        """Compute each metric of the spec that `summary` has what is needed for, realized first, then estimated."""

    def to_dict(self) -> dict[str, Any]:
        """Return the state as JSON-compatible values."""

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Return the state that `to_dict` serialized."""
