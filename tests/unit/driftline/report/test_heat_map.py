"""The heat map agrees with the verdict's rule: warm where drift is seen, and nowhere else."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.engine.results import Bounds, Method, Result
from driftline.engine.spec import Spec
from driftline.engine.threshold_override import ConstantThreshold
from driftline.engine.verdicts.drift_rule import drift_reasons
from driftline.report.heat_map import HeatRow, bound_ratio, heat_map, shade
from driftline.report.palette import SHADES
from driftline.report.view import ChunkView
from tests.unit.monitoring.reports_builder import SPEC, drift, report


def rows_of(spec: Spec, chunks: list[ChunkView]) -> list[HeatRow]:
    return heat_map(spec, [column.name for column in spec.watched], [[chunk] for chunk in chunks])


@given(st.floats(0, 1), st.one_of(st.none(), st.floats(0.01, 1)), st.one_of(st.none(), st.floats(0, 1)))
def test_a_cell_exceeds_1_only_where_drift_is_seen(value: float, upper: float | None, p: float | None) -> None:
    chunk = report(0, drift(value, upper, method=Method.KOLMOGOROV_SMIRNOV, p_value=p))
    cell = rows_of(SPEC, [chunk])[0].cells[0]
    assert cell.ratio is not None
    assert cell.drifted == bool(drift_reasons(SPEC, chunk.facts()))
    assert (cell.ratio >= 1) == cell.drifted or abs(cell.ratio - 1) < 1e-9


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (drift(0.1, 0.2), 0.5),
        (drift(0.06, 0.05), 0.6),
        (drift(0.3, None), 3.0),
        (drift(7.0, None, method=Method.CHI2, effect=0.05), 0.5),
        (drift(None), None),
    ],
)
def test_the_ratio_is_of_the_bound_or_the_effect_floor(result: Result, expected: float | None) -> None:
    assert bound_ratio(SPEC, result) == pytest.approx(expected)


@given(st.floats(0, 1), st.floats(0, 0.5), st.floats(0.5, 1))
def test_a_threshold_override_has_no_effect_floor(value: float, lower: float, upper: float) -> None:
    overrides = {"jensen_shannon": ConstantThreshold(lower=lower - 0.1, upper=upper)}
    spec = SPEC.model_copy(update={"threshold_overrides": overrides})
    chunk = report(0, replace(drift(value), bounds=Bounds(lower - 0.1, upper, lower - 0.1, upper)))
    cell = rows_of(spec, [chunk])[0].cells[0]
    assert cell.ratio is not None
    assert cell.drifted == bool(drift_reasons(spec, chunk.facts()))
    assert (cell.ratio >= 1) == cell.drifted or abs(cell.ratio - 1) < 1e-9


def test_a_column_without_a_value_has_a_reason() -> None:
    cell = rows_of(SPEC, [report(0, drift(None))])[0].cells[0]
    assert (cell.ratio, cell.words, cell.shade) == (None, "too few rows", None)


def test_watched_columns_have_a_cell_for_each_chunk() -> None:
    chunks = [report(0, drift(0.1)), report(1, drift(0.9), drifted=("minutes",))]
    rows = rows_of(SPEC, chunks)
    assert [row.column for row in rows] == ["minutes", "probability_1", "prediction"]
    assert [cell.lasting for cell in rows[0].cells] == [False, True]
    assert (rows[0].lasts, rows[1].lasts) == (True, False)


@given(st.floats(0, 1000))
def test_shades_turn_warm_at_the_bound(ratio: float) -> None:
    index = shade(ratio)
    assert 0 <= index < len(SHADES)
    assert (index >= len(SHADES) // 2) == (ratio >= 1)


def test_a_place_of_several_chunks_shows_the_largest_ratio() -> None:
    chunks = [report(0, drift(0.1)), report(1, drift(0.9), drifted=("minutes",)), report(2, drift(None))]
    (row,) = heat_map(SPEC, ["minutes"], [chunks])
    assert row.cells == (replace(rows_of(SPEC, chunks)[0].cells[1], drifted=True, lasting=True),)
