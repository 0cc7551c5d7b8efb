"""What a problem's performance offers to the rest of the engine. No I/O here."""

from collections.abc import Iterator
from typing import Any, Protocol, Self

import pandas as pd

from driftline.engine.outcome import Outcome
from driftline.engine.results import ResultKind
from driftline.engine.spec import Spec

Found = Iterator[tuple[ResultKind, str, Outcome]]
"""Kind (realized or estimated), metric, and what was found of it."""


class PerformanceSummary(Protocol):
    """All that performance needs of some or all rows of a chunk."""

    def merge(self, other: Any, /) -> Any:
        """Put two parts of a chunk together."""


class Performance(Protocol):
    """What performance keeps of the reference: fitted once, stored, and held against every chunk."""

    @classmethod
    def fit(cls, frame: pd.DataFrame, spec: Spec) -> Self:
        """Fit on the reference's rows, in the order of time, with the spec's features and outputs."""

    def summarize(self, frame: pd.DataFrame, spec: Spec) -> Any:
        """Summarize some or all rows of a chunk into a `PerformanceSummary`."""

    def outcomes(self, summary: Any, spec: Spec) -> Found:
        """Compute each metric of the spec, realized first, then estimated."""

    def to_dict(self) -> dict[str, Any]:
        """Return the state as values that JSON has."""

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Return what `to_dict` was made from."""
