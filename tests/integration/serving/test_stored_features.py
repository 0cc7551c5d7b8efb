"""Stored features are found as they were stored, and a table that cannot be used is named."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Engine, insert

from churn.columns import FEATURES, USAGE, Processed
from churn.tables import processed
from driftline.errors import InvalidInput, NotFound
from serving.settings import StoredRowsSettings
from serving.stored_features import NoStoredRows, StoredFeatures

SETTINGS = StoredRowsSettings(field="subscriber", subject=Processed.USER, day=Processed.DATE, days=3)
COUNTED = {*USAGE, Processed.DAYS_SEEN}


def row(user: str, day: int) -> dict[str, object]:
    values = {name: number + day if name in COUNTED else (number + day) / 7 for number, name in enumerate(FEATURES)}
    return {**values, Processed.DATE: date(2026, 2, day), Processed.USER: user, "batch_number": 1}


def test_features_are_those_that_were_stored(churn_engine: Engine) -> None:
    rows = [row("1", 20), row("1", 21), row("2", 24)]
    with churn_engine.begin() as connection:
        connection.execute(insert(processed), rows)
    stored = StoredFeatures(churn_engine, SETTINGS, processed.name)
    assert stored.field == "subscriber"
    earlier = stored.find(FEATURES, "1", datetime(2026, 2, 20, 23, tzinfo=UTC))
    assert earlier.features == {name: rows[0][name] for name in FEATURES}, "every digit of them"
    assert earlier.at == datetime(2026, 2, 20, tzinfo=UTC)
    newest = stored.find(FEATURES[:2], "2", None)
    assert newest.features == {name: rows[2][name] for name in FEATURES[:2]}
    with pytest.raises(
        NotFound, match="Processed_Data has no row of subscriber '1' on the last 3 days; store one, name"
    ):
        stored.find(FEATURES, "1", None)
    with pytest.raises(InvalidInput, match="lack features of the model: minutes; send `features`"):
        stored.find(("minutes",), "1", None)


def test_a_table_that_cannot_be_used_is_named(churn_engine: Engine) -> None:
    with pytest.raises(NoStoredRows, match="There is no table 'elsewhere'; correct SERVING_ROWS_TABLE, or unset it"):
        StoredFeatures(churn_engine, SETTINGS, "elsewhere").find(FEATURES, "1", None)
    other = SETTINGS.model_copy(update={"day": "day"})
    with pytest.raises(NoStoredRows, match=r"'Processed_Data' has no column day; correct .* Available: Date, User, "):
        StoredFeatures(churn_engine, other, processed.name).find(FEATURES, "1", None)
