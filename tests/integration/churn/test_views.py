"""The view of the churn model's predictions."""

from datetime import UTC, datetime

import pandas as pd
from sqlalchemy import Engine

from churn.columns import CHURN_MODEL, FEATURES, prediction_id
from churn.tables import churn_predictions
from driftline.store.database import in_transaction
from driftline.store.model_numbers import model_number
from driftline.store.rows import labels

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
DAY = datetime(2026, 1, 1, tzinfo=UTC)


def predicted(user: str) -> dict[str, object]:
    """Return a row of the table of predictions."""
    return {
        "Date": DAY.date(),
        "User": user,
        "prediction": 1,
        "probability_0": 0.25,
        "probability_1": 0.75,
        "id": prediction_id("2026-01-01", user),
        "model_version": 1,
        "scored_at": NOW.replace(tzinfo=None),
        "batch_number": 1,
        **dict.fromkeys(FEATURES, 1),
    }


def test_the_view_has_the_documented_columns(churn_engine: Engine) -> None:
    with churn_engine.connect() as connection:
        names = list(connection.exec_driver_sql("SELECT * FROM model_predictions").keys())
    assert names[:2] == ["Date", "User"]
    assert {"M_Tenure_Churn", "label", "probability_0", "scored_at", *FEATURES} <= {*names}


def test_a_label_appears_beside_its_prediction(churn_engine: Engine) -> None:
    with churn_engine.begin() as connection:
        connection.execute(churn_predictions.insert(), [predicted("111"), predicted("222")])
        number = model_number(connection, CHURN_MODEL)
    arrived = pd.DataFrame({"id": ["2026-01-01/222"], "value": [1], "known_at": [pd.Timestamp(NOW)]})
    in_transaction(churn_engine, lambda connection: labels.write_batch(connection, "l/1", number, arrived, NOW))
    of_another_model = arrived.assign(id="2026-01-01/111")
    in_transaction(churn_engine, lambda c: labels.write_batch(c, "l/2", number + 1, of_another_model, NOW))
    with churn_engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT User, label, M_Tenure_Churn FROM model_predictions ORDER BY User")
        assert [*map(tuple, rows)] == [("111", None, None), ("222", 1, 1)]
