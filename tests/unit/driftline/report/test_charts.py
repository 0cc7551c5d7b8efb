"""Charts as geometry: nothing is drawn where there is no value, and everything stays on the page."""

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.engine.results import Bounds, Result, State
from driftline.report.charts import Axis, Chart, Series, ValueAxis, draw_chart
from tests.unit.monitoring.reports_builder import drift, estimated, realized

values = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20)


def chart_of(realized: Sequence[Result | None], estimated: Sequence[Result | None] = ()) -> Chart:
    series = [Series("realized", realized), *([Series("estimated", estimated)] if estimated else [])]
    return draw_chart("F1", series, Axis("abcdefgh"[: len(realized)], 500, 46, 52), 120)


@given(values, st.floats(-1e9, 1e9))
def test_every_value_is_within_the_chart_and_larger_ones_higher(drawn: list[float], any_value: float) -> None:
    scale = ValueAxis.spanning(drawn, 100)
    assert 0 <= scale.y(any_value) <= 100
    assert scale.y(max(drawn)) <= scale.y(min(drawn))


@given(values)
def test_a_scale_has_a_few_distinct_ticks_within(drawn: list[float]) -> None:
    ticks = ValueAxis.spanning(drawn, 100).ticks
    assert 1 <= len(ticks) <= 6
    assert len({tick.text for tick in ticks}) == len(ticks)


def test_a_scale_of_one_value_has_room_and_round_ticks() -> None:
    scale = ValueAxis.spanning([0.25], 120)
    assert scale.low < 0.25 < scale.high
    assert all(float(tick.text) == pytest.approx(round(float(tick.text), 3)) for tick in scale.ticks)


@given(st.integers(0, 400), st.integers(3, 12))
def test_places_fill_the_width_and_labels_stay_readable(chunks: int, most: int) -> None:
    axis = Axis([str(place) for place in range(chunks)], 1140, 226, 84, most_ticks=most)
    assert len(axis.ticks) <= most
    if chunks:
        assert axis.x(0) == axis.left
        assert abs(axis.x(chunks - 1) + axis.step - axis.end) < 0.1
        assert axis.ticks[-1].text == str(chunks - 1)


def test_a_line_has_gaps_at_places_without_a_value() -> None:
    chart = chart_of([realized(0.7), realized(0.6), None, realized(None), realized(0.4)])
    assert chart.lines[0][1].count("M") == 2
    assert [dot.outside for dot in chart.dots] == [False, False, True]
    assert chart.note == "outside its bounds 1 time"


def test_each_bound_is_drawn_where_there_is_a_value() -> None:
    chart = chart_of([realized(0.7), realized(0.7), None, realized(0.7), realized(0.7)])
    (path,) = [path for name, path in chart.lines if name == "realized"]
    assert (path.count("M"), path.count("L"), len(chart.dots)) == (2, 2, 4)
    (bound,) = [level for level in chart.levels if level.name == "warn"]
    assert re.sub(r"[\d. ]+", "", bound.path) == "MHMH", "over two places, a gap, two places"


def test_a_bound_follows_the_bounds_of_each_chunk() -> None:
    bounds = [Bounds(lower=0.5), Bounds(lower=0.5), Bounds(lower=0.4), None, Bounds(lower=0.5)]
    chart = chart_of([replace(realized(0.7), bounds=chunk_bounds) if chunk_bounds else None for chunk_bounds in bounds])
    (level,) = chart.levels
    assert re.sub(r"[\d. ]+", "", level.path) == "MHVHMH"
    assert level.label.text == "0.5"
    assert chart.dots[2].outside is False


def test_bounds_on_either_side_are_drawn_chunk_by_chunk() -> None:
    near, far = Bounds(lower=0.5), Bounds(lower=0.4, upper=0.9, alert_upper=0.95, expected=0.7)
    chart = chart_of([replace(realized(0.7), bounds=bounds) for bounds in (near, far)])
    assert {level.name for level in chart.levels} == {"warn", "alert", "expected"}
    strokes = [len(re.findall("H", level.path)) for level in chart.levels if level.name == "warn"]
    assert sorted(strokes) == [1, 2]


def test_a_loss_has_its_bound_above() -> None:
    chart = chart_of([replace(realized(0.7), bounds=Bounds(upper=0.9))])
    assert [(level.name, level.label.text) for level in chart.levels] == [("warn", "0.9")]
    assert chart.levels[0].label.at < chart.dots[0].y


def test_only_the_requested_levels_are_drawn() -> None:
    result = replace(realized(0.7), bounds=Bounds(lower=0.5, alert_lower=0.4, expected=0.7))
    chart = draw_chart("F1", [Series("value", [result])], Axis("a", 500, 46, 52), 120, levels=("expected", "warn"))
    assert {level.name for level in chart.levels} == {"expected", "warn"}


def test_an_estimate_without_an_error_has_no_band() -> None:
    assert chart_of([None], [estimated(0.6)]).band
    assert not chart_of([None], [estimated(0.6, None)]).band


def test_dots_say_what_they_are_in_words() -> None:
    series = [Series("realized", [realized(0.7), realized(0.45)])]
    axis = Axis(["1 Feb", "2 Feb"], 500, 46, 52)
    chart = draw_chart("F1", series, axis, 120, provisional=[False, True])
    assert [dot.words for dot in chart.dots] == [
        "1 Feb: F1 0.7 from 1,000 rows",
        "2 Feb: F1 0.45 from 1,000 rows, outside its bound, provisional",
    ]
    assert (chart.newest, chart.newest_of) == ("0.45", "2 Feb")


def test_without_any_value_a_chart_says_so() -> None:
    chart = chart_of([None, realized(None)])
    assert (chart.newest, chart.newest_of, chart.dots, chart.empty) == ("–", "no value yet", [], True)


def test_labels_of_bounds_do_not_overlap() -> None:
    chart = chart_of([realized(0.99, lower=0.401)])
    heights = sorted(level.label.at for level in chart.levels if level.name != "expected")
    assert heights[1] - heights[0] >= 12


def test_an_insufficient_result_is_not_drawn() -> None:
    assert chart_of([replace(drift(None), state=State.INSUFFICIENT)]).empty
