"""The names that users know."""

from churn.columns import CDR_FILE_COLUMNS, FEATURES, prediction_id
from churn.tables import cdr, processed


def test_the_raw_file_has_the_eleven_known_columns() -> None:
    assert len(CDR_FILE_COLUMNS) == 11
    assert {*CDR_FILE_COLUMNS} < {column.name for column in cdr.columns}


def test_there_are_25_features_and_all_are_stored() -> None:
    assert len(FEATURES) == len({*FEATURES}) == 25
    assert "M_Data_Sum_7d_mean" in FEATURES
    assert {*FEATURES} < {column.name for column in processed.columns}


def test_a_subscriber_day_names_its_prediction() -> None:
    assert prediction_id("2026-01-31", "8801") == "2026-01-31/8801"
