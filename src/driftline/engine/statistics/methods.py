"""The summary statistics of a spec, and the computation of each. No I/O here."""

from collections.abc import Iterator
from dataclasses import dataclass

from driftline.engine.catalogue import ColumnKind
from driftline.engine.frames.columns import Numbers
from driftline.engine.outcome import Outcome, too_few, undefined
from driftline.engine.results import Statistic
from driftline.engine.spec import ColumnSpec, Spec
from driftline.engine.statistics.column_spread import ColumnSpread
from driftline.engine.statistics.ordered import Ordered
from driftline.engine.statistics.sums import Sums

SHARES = (0.05, 0.25, 0.75, 0.95)
"""The quantiles that `quantiles` computes; each has a result of its own, such as quantiles:0.25."""
_OF_SUMS = frozenset({Statistic.MEAN, Statistic.SUM, Statistic.STANDARD_DEVIATION})


@dataclass(frozen=True, slots=True, eq=False)
class StatisticsSummary:
    """The number of a chunk's rows, of those with a value, and the summaries of the values."""

    rows: int
    count: int
    sums: Sums | None
    ordered: Ordered | None

    def merge(self, other: "StatisticsSummary") -> "StatisticsSummary":
        """Merge two parts of a chunk."""
        return StatisticsSummary(
            self.rows + other.rows,
            self.count + other.count,
            self.sums.merge(other.sums) if self.sums and other.sums else None,
            self.ordered.merge(other.ordered) if self.ordered and other.ordered else None,
        )


def fit(values: Numbers, spec: Spec) -> ColumnSpread:
    """Measure a reference's values."""
    return ColumnSpread.of(
        values.ordered, dict.fromkeys(share for share in map(_share, names(spec)) if share is not None)
    )


def summarize(values: Numbers, spec: Spec) -> StatisticsSummary:
    """Summarize a chunk's values for the spec's statistics; infinite ones count as missing."""
    of_sums = _OF_SUMS & set(spec.statistics)
    of_order = set(spec.statistics) - _OF_SUMS
    return StatisticsSummary(
        len(values.values) + values.missing + values.infinite,
        len(values.values),
        Sums.of(values.values) if of_sums else None,
        Ordered.of(values.ordered) if of_order else None,
    )


def has_statistics(column: ColumnSpec, spec: Spec) -> bool:
    """Return whether the spec has statistics of `column`, which are computed for continuous columns only."""
    return bool(spec.statistics) and column.kind is ColumnKind.CONTINUOUS


def names(spec: Spec) -> Iterator[str]:
    """Yield the methods of the spec's statistics."""
    for statistic in spec.statistics:
        if statistic is Statistic.QUANTILES:
            yield from (f"{statistic}:{share:g}" for share in SHARES)
        else:
            yield statistic.value


def finish(state: ColumnSpread, summary: StatisticsSummary, name: str, spec: Spec) -> Outcome:
    """Return one statistic of a chunk's values, in the column's unit, with its standard error.

    Missing values are left out; errors count their rows too. Both equal NannyML 0.13.1's, which has no quantiles.
    """
    reason = too_few(summary.count, spec.minimum_rows, "values that are not missing")
    if reason:
        return undefined(summary.count, reason)
    share = _share(name)
    if share is not None and summary.ordered is not None:
        return _quantile(state, summary, summary.ordered, share)
    if summary.sums is not None:
        return _sums_outcome(state, summary, summary.sums, Statistic(name))
    msg = f"the chunk was summarized under a spec without {name}"
    raise TypeError(msg)


def _sums_outcome(state: ColumnSpread, summary: StatisticsSummary, sums: Sums, statistic: Statistic) -> Outcome:
    value, error = {
        Statistic.MEAN: (sums.mean, state.mean_error(summary.rows)),
        Statistic.SUM: (sums.total.value, state.sum_error(summary.rows)),
        Statistic.STANDARD_DEVIATION: (sums.deviation, state.deviation_error(summary.rows)),
    }[statistic]
    return Outcome(value, summary.count, error)


def _quantile(state: ColumnSpread, summary: StatisticsSummary, ordered: Ordered, share: float) -> Outcome:
    value, off_by = ordered.quantile(share)
    reason = f"more distinct values than are kept: off by at most {off_by:.3g}" if off_by else None
    return Outcome(value, summary.count, state.quantile_error(share, summary.rows), reason=reason)


def _share(name: str) -> float | None:
    """Return the share of the quantile that a method computes; None for other methods."""
    _, _, part = name.partition(":")
    return 0.5 if name == Statistic.MEDIAN else float(part) if part else None
