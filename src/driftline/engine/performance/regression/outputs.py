"""Labels and predictions of a regression model. No I/O here."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from driftline.engine.frames.columns import BoolArray, FloatArray, as_floats
from driftline.engine.results import LABEL, PREDICTION


@dataclass(frozen=True, slots=True, eq=False)
class Outputs:
    """Labels and predictions by row; NaN if missing or infinite."""

    labels: FloatArray
    predictions: FloatArray

    @classmethod
    def of(cls, frame: pd.DataFrame) -> "Outputs":
        """Read the rows of a frame; raises InvalidInput for text that is not a number."""
        return cls(_finite(as_floats(frame[LABEL])), predictions_of(frame))

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


def predictions_of(frame: pd.DataFrame) -> FloatArray:
    """Read the predictions of a frame; NaN if missing or infinite."""
    return _finite(as_floats(frame[PREDICTION]))


def _finite(raw: FloatArray) -> FloatArray:
    return np.where(np.isfinite(raw), raw, np.nan)
