from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from driftline.engine.catalogue import ColumnKind
from driftline.engine.evaluation.reference import FittedReference, content_hash, fit_reference
from driftline.engine.results import MODEL, Metric, ResultKind
from driftline.engine.spec import ColumnSpec, Period
from driftline.errors import InvalidInput, SchemaMismatch
from tests.unit.engine.frame_builders import ORIGIN, SPEC, scored_rows


@pytest.fixture
def rows() -> pd.DataFrame:
    return scored_rows(1_000, days=8)


def test_it_says_which_rows_it_was_fitted_on(rows: pd.DataFrame) -> None:
    fitted = fit_reference(rows, SPEC)
    assert (fitted.rows, fitted.chunks) == (1_000, 8)
    assert fitted.since == ORIGIN
    assert fitted.until == datetime(2026, 1, 8, 23, 48, 28, 800_000, tzinfo=UTC)


def test_chunks_follow_the_zone_of_the_spec(rows: pd.DataFrame) -> None:
    assert fit_reference(rows, SPEC.model_copy(update={"time_zone": "Asia/Tokyo"})).chunks == 9


def test_the_hash_is_of_what_values_mean(rows: pd.DataFrame) -> None:
    stored_otherwise = rows.assign(
        event_time=rows["event_time"].dt.tz_convert("Asia/Tokyo").dt.as_unit("us"),
        id=rows["id"].astype(str),
        usage=rows["usage"].map(lambda value: None if pd.isna(value) else str(value)),
        calls=rows["calls"].map(lambda value: Decimal(int(value))),
        prediction=rows["prediction"].astype(float),
        label=rows["label"].astype("Int64"),
        plan=rows["plan"].astype("category"),
    )[rows.columns[::-1]]
    assert fit_reference(stored_otherwise, SPEC).to_json() == fit_reference(rows, SPEC).to_json()


@pytest.mark.parametrize(
    ("column", "value"),
    [("usage", 1.5), ("usage", None), ("plan", "gold"), ("label", None), ("prediction", 1), ("id", -1)],
)
def test_the_hash_tells_any_change(rows: pd.DataFrame, column: str, value: str | float | None) -> None:
    changed = rows.copy()
    changed[column] = rows[column].astype(object).mask(rows["id"] == rows["id"][rows["prediction"] == 0].min(), value)
    assert content_hash(changed, SPEC) != content_hash(rows, SPEC)


def test_the_hash_does_not_move_between_versions(rows: pd.DataFrame) -> None:
    plain = rows[:3].assign(calls=1.0, probability_1=0.5, prediction=1, label=1.0)
    fitted = fit_reference(plain.assign(usage=[1.0, np.nan, -0.0], plan=pd.Series(["a", None, "ä"])), SPEC)
    assert fitted.content_hash == "49b3d451a5823ddd2a6cefba1fd428e72920becadba931e4216e09f1885cd541"


def test_a_chunk_and_a_reference_of_equal_rows_have_one_hash(rows: pd.DataFrame) -> None:
    assert content_hash(rows.sample(frac=1, random_state=1), SPEC) == fit_reference(rows, SPEC).content_hash
    assert content_hash(rows[:0], SPEC) == content_hash(rows[:0].astype(object), SPEC)
    assert content_hash(rows[:0], SPEC) != content_hash(rows[:1], SPEC)


def test_a_column_of_numbers_may_be_categorical(rows: pd.DataFrame) -> None:
    spec = SPEC.model_copy(update={"columns": (ColumnSpec(name="calls", kind=ColumnKind.CATEGORICAL),)})
    as_text = rows.assign(calls=rows["calls"].astype(int).astype(str))
    assert fit_reference(as_text, spec).to_json() == fit_reference(rows, spec).to_json()


def test_it_comes_back_from_json_as_it_was(rows: pd.DataFrame) -> None:
    fitted = fit_reference(rows, SPEC)
    back = FittedReference.from_json(fitted.to_json())
    assert back.bounds == fitted.bounds
    assert (back.since, back.until, back.content_hash) == (fitted.since, fitted.until, fitted.content_hash)
    assert back.to_json() == fitted.to_json()


@pytest.mark.slow
def test_hours_of_too_few_days_give_no_evidence(rows: pd.DataFrame) -> None:
    """Chunks of rows that are shorter than a day need days too; the reason is stored with the reference."""
    two_days, by_hour = scored_rows(1_000, days=2), SPEC.model_copy(update={"period": Period.HOUR})
    for fitted in (fit_reference(two_days, by_hour), fit_reference(two_days, SPEC, sizes=[100] * 10)):
        assert fitted.evidence is None
        assert fitted.no_evidence is not None
        assert fitted.no_evidence.reason.startswith(
            "The reference covers 2 whole days, too few to show how days differ;"
        )
        assert FittedReference.from_json(fitted.to_json()).no_evidence == fitted.no_evidence
    for fitted in (fit_reference(rows, by_hour), fit_reference(rows, SPEC, sizes=[50] * 20)):
        assert fitted.evidence is not None
        assert fitted.no_evidence is None


def test_json_of_another_format_is_refused(rows: pd.DataFrame) -> None:
    with pytest.raises(InvalidInput, match="has format 99, this version reads 6; fit it again"):
        FittedReference.from_json(fit_reference(rows, SPEC).to_json().replace('"format":6', '"format":99'))


def test_bounds_come_from_the_reference_s_own_chunks(rows: pd.DataFrame) -> None:
    limit = fit_reference(rows, SPEC).bounds[MODEL, ResultKind.REALIZED, Metric.ACCURACY]
    by_day = rows.assign(right=rows["prediction"] == rows["label"]).groupby(rows["event_time"].dt.date)["right"].mean()
    assert limit.bounds.expected == pytest.approx(by_day.mean())
    assert limit.bounds.lower == pytest.approx(by_day.mean() - 3 * by_day.std())


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (lambda rows: rows[:0], "the reference has no rows"),
        (lambda rows: pd.concat([rows, rows[:2]]), "2 rows of the reference have the event time and id of another"),
        (lambda rows: rows.assign(event_time=rows["event_time"].dt.tz_localize(None)), "event_time must be aware"),
        (lambda rows: rows.assign(event_time=rows["event_time"].mask(rows["id"] == 3)), "none missing"),
    ],
)
def test_rows_that_make_no_reference(rows: pd.DataFrame, fault: object, message: str) -> None:
    assert callable(fault)
    with pytest.raises(InvalidInput, match=message):
        fit_reference(fault(rows), SPEC)


@pytest.mark.parametrize("column", ["label", "prediction"])
@pytest.mark.parametrize("value", [-1.0, 2.0, 0.5, 1e308, float("inf")])
def test_labels_and_predictions_of_a_binary_model_are_0_or_1(rows: pd.DataFrame, column: str, value: float) -> None:
    wrong = rows[column].astype(float).mask(rows["id"] < 8, value)
    with pytest.raises(InvalidInput, match=f"'{column}' must hold 0, 1 or nothing; 8 rows hold others"):
        fit_reference(rows.assign(**{column: wrong}), SPEC)


def test_missing_columns_are_named(rows: pd.DataFrame) -> None:
    with pytest.raises(SchemaMismatch, match="missing: id, usage"):
        fit_reference(rows.drop(columns=["id", "usage"]), SPEC)
