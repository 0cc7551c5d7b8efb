"""What a reader sees when pointing at a chunk of a chart: every number with its rows and bounds. No I/O here."""

from collections.abc import Iterator, Sequence
from typing import Any

from driftline.engine.catalogue import title
from driftline.engine.number_format import p_value_text, percent, readable
from driftline.engine.results import Bounds, Result, ResultKind
from driftline.report.charts import ERRORS, Axis
from driftline.report.view import ChunkView
from driftline.report.wording import STATE_WORDS

DIGITS = 4
ROUNDING = 1e-8


def metric_lines(metric: str, chunk: ChunkView) -> list[str]:
    """Return the lines about a metric in a chunk: realized, estimated, bounds, labels and verdict."""
    realized = chunk.result(ResultKind.REALIZED, metric)
    estimated = chunk.result(ResultKind.ESTIMATED, metric)
    labels = "no rows" if chunk.coverage is None else f"{percent(chunk.coverage)} of {chunk.rows:,} labels"
    return [
        *value_lines("Realized", realized),
        *value_lines("Estimated", estimated),
        *bounds_lines(next((r.bounds for r in (realized, estimated) if r and r.value is not None), None)),
        labels,
        _verdict(chunk),
    ]


def drift_lines(method: str, result: Result | None, chunk: ChunkView) -> list[str]:
    """Return the lines about a drift or data quality method of a column in a chunk."""
    of_method = value_lines(title(method), result)
    p_value = [] if result is None or result.p_value is None else [p_value_text(result.p_value)]
    return [*of_method, *p_value, *bounds_lines(result.bounds if result else None), _verdict(chunk)]


def value_lines(name: str, result: Result | None) -> Iterator[str]:
    """Yield a value with its rows and the half-width of its interval, or why there is none."""
    if result is None:
        return
    if result.value is None:
        yield f"{name}: {result.reason or 'no value'}"
        return
    error = "" if result.sampling_error is None else f" ± {readable(ERRORS * result.sampling_error, 2)}"
    yield f"{name} {readable(result.value, DIGITS)}{error} from {result.rows:,} rows"


def bounds_lines(bounds: Bounds | None) -> Iterator[str]:
    """Yield the bounds that there are, and the mean of the reference."""
    if bounds is None:
        return
    pairs = (("Warning", bounds.lower, bounds.upper), ("Alert", bounds.alert_lower, bounds.alert_upper))
    for name, lower, upper in pairs:
        if sides := outside_words(lower, upper):
            yield f"{name} {sides}"
    if bounds.expected is not None:
        yield f"Reference {readable(bounds.expected, DIGITS)}"


def outside_words(lower: float | None, upper: float | None) -> str:
    """Return when a value is outside its bounds: `below 0.5 or above 0.9`; empty without bounds."""
    sides = [f"below {_bound(lower)}"] if lower is not None else []
    sides += [f"above {_bound(upper)}"] if upper is not None else []
    return " or ".join(sides)


def _bound(value: float) -> str:
    """Return a bound; one that is 0 but for rounding is 0."""
    return "0" if abs(value) < ROUNDING else readable(value, DIGITS)


def hover_data(axis: Axis, starts: Sequence[str], charts: Sequence[Sequence[list[str]]]) -> dict[str, Any]:
    """Return the data that the page's script reads: the axis, the starts of the chunks, and the lines of each chart."""
    return {
        "left": axis.left,
        "step": axis.step,
        "labels": list(axis.labels),
        "starts": list(starts),
        "charts": [list(chart) for chart in charts],
    }


def _verdict(chunk: ChunkView) -> str:
    provisional = ", provisional" if chunk.verdict.provisional else ""
    return f"Verdict: {STATE_WORDS[chunk.verdict.state].word}{provisional}"
