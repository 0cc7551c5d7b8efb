"""Charts as geometry: nothing is drawn where there is no value, and everything stays on the page."""

import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from driftline.engine.results import Bounds, Metric, State
from monitoring.pages.charts import Scale, drift_chart, metric_chart
from monitoring.pages.timeline import LEFT, MOST_TICKS, RIGHT, WIDTH, Timeline
from tests.unit.monitoring.reports_builder import SPEC, drift, estimated, realized, report

values = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20)


@given(values, st.floats(-1e9, 1e9))
def test_every_value_stands_on_the_page_and_larger_ones_higher(shown: list[float], any_value: float) -> None:
    scale = Scale.around(shown, 100)
    assert 0 <= scale(any_value) <= 100
    assert scale(max(shown)) <= scale(min(shown))


@given(values)
def test_a_scale_has_a_few_distinct_ticks_within(shown: list[float]) -> None:
    ticks = Scale.around(shown, 100).ticks
    assert 1 <= len(ticks) <= 6
    assert len({tick.label for tick in ticks}) == len(ticks)


@given(st.integers(0, 400))
def test_columns_fill_the_width_and_labels_stay_readable(chunks: int) -> None:
    line = Timeline.of(SPEC, [report(day % 28) for day in range(chunks)])
    assert len(line.ticks) <= MOST_TICKS
    if chunks:
        assert line.left(0) == LEFT
        assert abs(line.left(chunks - 1) + line.step - (WIDTH - RIGHT)) < 0.1


def test_a_line_is_not_drawn_over_days_without_a_value() -> None:
    chunks = [report(day, *([realized(0.7)] if day != 2 else [])) for day in range(5)]
    chart = metric_chart(Metric.F1, chunks, Timeline.of(SPEC, chunks))
    (path,) = [line.path for line in chart.lines if line.shows == "realized"]
    assert (path.count("M"), path.count("L")) == (2, 2)
    assert len(chart.dots) == 4
    (bound,) = [line for line in chart.lines if line.shows == "warn"]
    assert len(re.findall("M", bound.path)) == 4, "a bound is drawn where something is held against it"


def test_an_estimate_without_an_error_has_no_band() -> None:
    with_error, without = [report(0, estimated(0.6))], [report(0, estimated(0.6, None))]
    assert metric_chart(Metric.F1, with_error, Timeline.of(SPEC, with_error)).band is not None
    assert metric_chart(Metric.F1, without, Timeline.of(SPEC, without)).band is None


def test_dots_say_what_they_are_in_words() -> None:
    chunks = [report(0, realized(0.7)), report(1, realized(0.45), state=State.PENDING_LABELS, labels_due=False)]
    chart = metric_chart(Metric.F1, chunks, Timeline.of(SPEC, chunks))
    assert [dot.words for dot in chart.dots] == [
        "1 Feb: F1 0.7 from 1,000 rows",
        "2 Feb: F1 0.45 from 1,000 rows, outside its bound, provisional",
    ]
    assert (chart.newest, chart.newest_of) == ("0.45", "2 Feb")


def test_without_any_value_a_chart_says_so() -> None:
    chunks = [report(0, realized(None))]
    chart = metric_chart(Metric.F1, chunks, Timeline.of(SPEC, chunks))
    assert (chart.newest, chart.newest_of, chart.dots) == ("–", "no value yet", [])


def test_labels_of_bounds_do_not_stand_on_one_another() -> None:
    chunks = [report(0, realized(0.99, lower=0.401))]
    chart = metric_chart(Metric.F1, chunks, Timeline.of(SPEC, chunks))
    places = sorted(line.label.at for line in chart.lines if line.label)
    assert places[1] - places[0] >= 12


def test_a_drift_chart_shows_the_method_asked_for() -> None:
    chunks = [report(0, drift(0.1)), report(1, drift(0.5))]
    chart = drift_chart("minutes", "jensen_shannon", chunks, Timeline.of(SPEC, chunks))
    assert (chart.title, chart.newest, [dot.outside for dot in chart.dots]) == ("minutes", "0.5", [False, True])


def test_bounds_on_either_side_are_drawn_day_by_day() -> None:
    near, far = Bounds(lower=0.5), Bounds(lower=0.4, upper=0.9, alert_upper=0.95)
    chunks = [report(day, replace(realized(0.7), bounds=bounds)) for day, bounds in enumerate((near, far))]
    chart = metric_chart(Metric.F1, chunks, Timeline.of(SPEC, chunks))
    drawn = {line.shows: line.path.count("M") for line in chart.lines if line.shows in {"warn", "alert"}}
    below, above = (line for line in chart.lines if line.shows == "warn")
    assert drawn.keys() == {"warn", "alert"}
    assert sorted((below.path.count("M"), above.path.count("M"))) == [1, 2]
