"""The view of the churn model's predictions."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from sqlalchemy import Engine

from churn.columns import CHURN_MODEL, FEATURES
from churn.views import create_model_predictions
from driftline.engine.spec import ColumnSpec, Spec
from driftline.objects import open_store
from driftline.store import registry
from driftline.store.database import in_transaction
from driftline.store.model_numbers import ensure_model, model_number

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
SPEC = Spec(columns=tuple(ColumnSpec(name=name) for name in FEATURES), minimum_rows=20, minimum_class_rows=2)


def reference() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    score = rng.uniform(0.05, 0.95, 800)
    frame = pd.DataFrame(
        {
            "event_time": pd.date_range("2026-01-01", periods=8, freq="D", tz="UTC").repeat(100),
            "id": [str(n) for n in range(800)],
            "probability_1": score,
            "probability_0": 1 - score,
            "prediction": (score > 0.5).astype(int),
            "label": (rng.uniform(size=800) < score).astype(int),
        }
    )
    return frame.assign(**{name: rng.normal(size=800) for name in FEATURES})


def test_the_churn_model_has_its_view(engine: Engine, tmp_path: Path) -> None:
    candidate = registry.Candidate(CHURN_MODEL, SPEC, "a" * 64, reference(), None, {})
    registry.register(engine, candidate, open_store(tmp_path), NOW, create_model_predictions)
    with engine.connect() as connection:
        names = list(connection.exec_driver_sql("SELECT * FROM model_predictions").keys())
    assert names[:2] == ["Date", "User"]
    assert {"M_Tenure_Churn", "label", "probability_0", "scored_at", *FEATURES} <= {*names}


def test_the_view_follows_the_models_number(engine: Engine, tmp_path: Path) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM models")
    in_transaction(engine, lambda connection: ensure_model(connection, "another", NOW))
    test_the_churn_model_has_its_view(engine, tmp_path)
    with engine.connect() as connection:
        number = model_number(connection, CHURN_MODEL)
        (definition,) = connection.exec_driver_sql("SHOW CREATE VIEW model_predictions").all()
    assert number > 1
    assert f"predictions_{number}" in definition[1]
