"""Labels and predictions of a regression model. No I/O here."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from driftline.engine.columns import BoolArray, FloatArray, as_floats
from driftline.engine.results import LABEL, PREDICTION


@dataclass(frozen=True, slots=True, eq=False)
class Outputs:
    """Labels and predictions by row; NaN if missing or infinite."""

    labels: FloatArray
    predictions: FloatArray

    @classmethod
    def of(cls, frame: pd.DataFrame) -> "Outputs":
        """Read the rows of a frame; raises InvalidInput for text that is not a number."""
        labels, predictions = (as_floats(frame[name]) for name in (LABEL, PREDICTION))
        return cls(*(np.where(np.isfinite(raw), raw, np.nan) for raw in (labels, predictions)))

    @property
    def predicted(self) -> BoolArray:
        """Which rows have a prediction."""
        return ~np.isnan(self.predictions)

    @property
    def labelled(self) -> BoolArray:
        """Which rows have a label."""
        return ~np.isnan(self.labels)

    @property
    def complete(self) -> "Outputs":
        """The rows that have both."""
        rows = self.predicted & self.labelled
        return Outputs(self.labels[rows], self.predictions[rows])
