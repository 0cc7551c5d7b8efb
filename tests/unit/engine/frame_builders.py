"""Builds frames of scored rows for the engine's tests: two numeric features, a categorical one, and a fair model."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd

from driftline.engine.catalogue import ColumnKind
from driftline.engine.spec import ColumnSpec, Spec

SPEC = Spec(
    columns=(
        ColumnSpec(name="usage"),
        ColumnSpec(name="calls"),
        ColumnSpec(name="plan", kind=ColumnKind.CATEGORICAL),
    )
)
ORIGIN = datetime(2026, 1, 1, tzinfo=UTC)


def scored_rows(rows: int, days: int = 1, seed: int = 0) -> pd.DataFrame:
    """Rows spread evenly over `days` from ORIGIN on; a twentieth of `usage` is missing, scores are calibrated."""
    rng = np.random.default_rng(seed)
    score = np.round(rng.beta(2, 5, rows), 3)
    return pd.DataFrame(
        {
            "event_time": pd.Timestamp(ORIGIN) + pd.to_timedelta(np.arange(rows) * (days / max(rows, 1)), unit="D"),
            "id": np.arange(rows),
            "usage": np.where(rng.random(rows) < 0.05, np.nan, rng.gamma(2, 50, rows)),
            "calls": rng.poisson(4, rows).astype(float),
            "plan": rng.choice(["basic", "plus", "pro"], rows, p=[0.6, 0.3, 0.1]),
            "probability_1": score,
            "prediction": (score > 0.4).astype(int),
            "label": (rng.random(rows) < score).astype(float),
        }
    )
