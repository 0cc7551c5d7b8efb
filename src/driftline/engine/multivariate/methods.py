"""The multivariate drift methods. No I/O here."""

from typing import Any, Protocol, Self

import pandas as pd

from driftline.engine.multivariate.domain_classifier import DomainClassifier
from driftline.engine.multivariate.pca import PcaReconstruction
from driftline.engine.outcome import Outcome
from driftline.engine.results import Method
from driftline.engine.spec import Spec


class MultivariateState(Protocol):
    """The fitted state of a method: computed once from the reference, stored, and compared with every chunk."""

    @classmethod
    def fit(cls, frame: pd.DataFrame, spec: Spec) -> Self:
        """Fit on the reference's rows, in time order, with the spec's features."""

    def summarize(self, frame: pd.DataFrame) -> Any:
        """Summarize some or all rows of a chunk into a mergeable summary."""

    def outcome(self, summary: Any, spec: Spec) -> Outcome:
        """Compute the value of the method for a chunk."""

    def to_dict(self) -> dict[str, Any]:
        """Return the state as JSON-compatible values."""

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Return the state that `to_dict` serialized."""


MULTIVARIATE: dict[Method, type[MultivariateState]] = {
    Method.PCA_RECONSTRUCTION: PcaReconstruction,
    Method.DOMAIN_CLASSIFIER: DomainClassifier,
}
"""The class of the fitted state of each method."""
