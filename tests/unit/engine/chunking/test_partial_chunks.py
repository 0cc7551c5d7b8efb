"""A period that the reference holds only a part of, at one of its ends, does not set bounds."""

import numpy as np
import pandas as pd
import pytest

from driftline.engine.chunking.chunks import split_by_chunk
from driftline.engine.chunking.partial_chunks import complete_chunks
from driftline.engine.evaluation.reference import fit_reference
from driftline.engine.results import MODEL, ResultKind
from driftline.engine.spec import ColumnSpec, Period, Spec, ThresholdPolicy

SPEC = Spec(columns=(ColumnSpec(name="x"),), minimum_rows=10, minimum_class_rows=1)


def reference(first: str, last: str, step: str = "4min") -> pd.DataFrame:
    """Return calibrated rows between two instants."""
    rng = np.random.default_rng(6)
    times = pd.date_range(first, last, freq=step, tz="UTC")
    score = rng.random(len(times))
    return pd.DataFrame(
        {
            "event_time": times,
            "id": np.arange(len(times)),
            "x": rng.normal(size=len(times)),
            "probability_1": score,
            "prediction": (score >= 0.5).astype(int),
            "label": (rng.random(len(times)) < score).astype(int),
        }
    )


def days(frame: pd.DataFrame) -> list[int]:
    return [c.start.day for c, _ in complete_chunks(list(split_by_chunk(frame, Period.DAY, SPEC.zone)))]


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("2026-01-01", "2026-01-08 23:59", list(range(1, 9))),
        ("2026-01-01 18:00", "2026-01-08 23:59", list(range(2, 9))),
        ("2026-01-01", "2026-01-08 03:00", list(range(1, 8))),
        ("2026-01-01 18:00", "2026-01-08 03:00", list(range(2, 8))),
        ("2026-01-01 03:00", "2026-01-08 23:59", list(range(1, 9))),  # seven eighths of a day are enough
        ("2026-01-01 18:00", "2026-01-05 03:00", list(range(1, 6))),  # too few others
    ],
)
def test_parts_at_the_ends_are_left_out(first: str, last: str, expected: list[int]) -> None:
    assert days(reference(first, last)) == expected


def test_a_first_day_with_few_rows_over_all_of_it_is_whole() -> None:
    frame = reference("2026-01-01", "2026-01-08 23:59")
    thin = frame[(frame.event_time >= "2026-01-02") | (np.arange(len(frame)) % 3 == 0)]
    assert days(thin) == list(range(1, 9))


def test_office_hours_are_no_part() -> None:
    frame = reference("2026-01-01", "2026-01-08 23:59")
    assert days(frame[frame.event_time.dt.hour.between(8, 17)]) == list(range(1, 9))


def test_bounds_are_those_of_the_whole_days() -> None:
    key = (MODEL, ResultKind.REALIZED, "roc_auc")
    frame = reference("2026-01-01 22:00", "2026-01-10 23:59")
    from_whole_days = fit_reference(frame, SPEC)
    values = []
    for _, rows in list(split_by_chunk(frame, Period.DAY, SPEC.zone))[1:]:
        above = rows.probability_1[rows.label == 1].to_numpy()[:, None] > rows.probability_1[rows.label == 0].to_numpy()
        values.append(float(above.mean()))
    assert from_whole_days.bounds[key].bounds.expected == pytest.approx(float(np.mean(values)), abs=1e-12)
    nannyml = fit_reference(frame, SPEC.model_copy(update={"thresholds": ThresholdPolicy.NANNYML}))
    assert nannyml.bounds[key].bounds.expected != pytest.approx(float(np.mean(values)), abs=1e-6)
    assert from_whole_days.chunks == nannyml.chunks == 10
