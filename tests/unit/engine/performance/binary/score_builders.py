"""Builds small frames of scored rows for tests of binary metrics, and computes one metric of them."""

import numpy as np
import pandas as pd

from driftline.engine.catalogue import METRICS, Problem
from driftline.engine.outcome import Outcome
from driftline.engine.performance.binary import cbpe, realized
from driftline.engine.performance.binary.cbpe import BinaryCbpe
from driftline.engine.performance.binary.rows import BinaryRows
from driftline.engine.performance.binary.sampling import SamplingErrors
from driftline.engine.performance.calibration import IDENTITY, Calibration
from driftline.engine.results import Metric
from driftline.engine.spec import BusinessValue
from tests.unit.engine.frame_builders import SPEC

WORTH = BusinessValue(true_positive=9.0, false_positive=-4.0, true_negative=0.5, false_negative=-20.0)
ALL = METRICS[Problem.BINARY]
LOOSE = SPEC.model_copy(
    update={"minimum_rows": 2, "minimum_class_rows": 1, "metrics": ALL, "business_value": WORTH},
)
PER_PREDICTION = LOOSE.model_copy(update={"business_value": WORTH.model_copy(update={"per_prediction": True})})
NO_ERRORS = SamplingErrors({})
Row = tuple[float, int, int]
"""Score in sixths, prediction and label."""


def sixths(rows: list[Row]) -> pd.DataFrame:
    scores, predictions, labels = zip(*rows, strict=True)
    return pd.DataFrame({"probability_1": np.array(scores) / 6, "prediction": predictions, "label": labels})


def realized_of(frame: pd.DataFrame, metric: Metric) -> Outcome:
    return dict(realized.outcomes(NO_ERRORS, BinaryRows.of(frame), LOOSE))[metric]


def estimated_of(frame: pd.DataFrame, metric: Metric, curve: Calibration = IDENTITY) -> Outcome:
    return dict(cbpe.outcomes(BinaryCbpe(curve), NO_ERRORS, BinaryRows.of(frame), LOOSE))[metric]
