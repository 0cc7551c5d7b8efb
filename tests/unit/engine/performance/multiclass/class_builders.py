"""Builds frames of rows scored by a model with three classes: calibrated scores and their best predictions."""

import numpy as np
import pandas as pd

from driftline.engine.catalogue import METRICS, ColumnKind, Problem
from driftline.engine.spec import ColumnSpec, Spec
from tests.unit.engine.frame_builders import ORIGIN

CLASSES = ("gold", "silver", "7")
SCORES = tuple(f"probability_{name}" for name in CLASSES)
SPEC = Spec(
    problem=Problem.MULTICLASS,
    classes=CLASSES,
    columns=(ColumnSpec(name="usage"), ColumnSpec(name="plan", kind=ColumnKind.CATEGORICAL)),
    metrics=METRICS[Problem.MULTICLASS],
)
LOOSE = SPEC.model_copy(update={"minimum_rows": 2, "minimum_class_rows": 1})


def class_rows(rows: int, days: int = 1, seed: int = 0) -> pd.DataFrame:
    """Return rows spread evenly over `days`, with labels drawn from scores in steps of 0.05 that sum to 1."""
    rng = np.random.default_rng(seed)
    scores = np.round(rng.dirichlet([2, 1, 1], rows) * 20)
    scores = scores / scores.sum(axis=1, keepdims=True) if rows else scores
    drawn = (rng.random(rows)[:, np.newaxis] > np.cumsum(scores, axis=1)[:, :2]).sum(axis=1)
    names = np.array(CLASSES, dtype=object)
    return pd.DataFrame(
        {
            "event_time": pd.Timestamp(ORIGIN) + pd.to_timedelta(np.arange(rows) * (days / max(rows, 1)), unit="D"),
            "id": np.arange(rows),
            "usage": rng.gamma(2, 50, rows),
            "plan": rng.choice(["basic", "plus", "pro"], rows, p=[0.6, 0.3, 0.1]),
            **dict(zip(SCORES, scores.T, strict=True)),
            "prediction": names[scores.argmax(axis=1)] if rows else np.array([], dtype=object),
            "label": names[drawn],
        }
    )
