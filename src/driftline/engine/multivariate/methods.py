"""Which multivariate methods there are. No I/O here."""

from typing import Any, Protocol, Self

import pandas as pd

from driftline.engine.multivariate.domain_classifier import DomainClassifier
from driftline.engine.multivariate.pca import PcaReconstruction
from driftline.engine.outcome import Outcome
from driftline.engine.results import Method
from driftline.engine.spec import Spec


class Multivariate(Protocol):
    """What a method keeps of the reference: fitted once, stored, and held against every chunk."""

    @classmethod
    def fit(cls, frame: pd.DataFrame, spec: Spec) -> Self:
        """Fit on the reference's rows, in the order of time, with the spec's features."""

    def summarize(self, frame: pd.DataFrame) -> Any:
        """Summarize some or all rows of a chunk into something that merges."""

    def outcome(self, summary: Any, spec: Spec) -> Outcome:
        """Compute the method's number."""

    def to_dict(self) -> dict[str, Any]:
        """Return the state as values that JSON has."""

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Return what `to_dict` was made from."""


MULTIVARIATE: dict[Method, type[Multivariate]] = {
    Method.PCA_RECONSTRUCTION: PcaReconstruction,
    Method.DOMAIN_CLASSIFIER: DomainClassifier,
}
"""The class of what each method keeps of the reference."""
