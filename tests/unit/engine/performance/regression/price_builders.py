"""Builds frames of rows scored by a regression model; the prices of older cars are harder to predict."""

import numpy as np
import pandas as pd

from driftline.engine.catalogue import METRICS, ColumnKind, Problem
from driftline.engine.spec import ColumnSpec, Spec
from tests.unit.engine.frame_builders import ORIGIN

SPEC = Spec(
    problem=Problem.REGRESSION,
    columns=(
        ColumnSpec(name="age"),
        ColumnSpec(name="fuel", kind=ColumnKind.CATEGORICAL),
        ColumnSpec(name="doors", watched=False),
    ),
    metrics=METRICS[Problem.REGRESSION],
)
LOOSE = SPEC.model_copy(update={"minimum_rows": 2})


def price_rows(rows: int, days: int = 1, seed: int = 0) -> pd.DataFrame:
    """Return rows spread evenly over `days`; 5 % of `age` is missing."""
    rng = np.random.default_rng(seed)
    age = rng.uniform(0, 20, rows)
    fuel = rng.choice(["gas", "diesel", "electric"], rows, p=[0.6, 0.3, 0.1])
    price = 20_000 - 800 * age + 3_000 * (fuel == "electric")
    return pd.DataFrame(
        {
            "event_time": pd.Timestamp(ORIGIN) + pd.to_timedelta(np.arange(rows) * (days / max(rows, 1)), unit="D"),
            "id": np.arange(rows),
            "age": np.where(rng.random(rows) < 0.05, np.nan, age),
            "fuel": fuel,
            "doors": rng.integers(2, 6, rows).astype(float),
            "prediction": price,
            "label": np.maximum(1_000.0, price + (100 + 60 * age) * rng.standard_normal(rows)),
        }
    )
