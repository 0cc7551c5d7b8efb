"""The results of an exploration as one value. No I/O here."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from churn.columns import CDR_USAGE, Cdr
from eda.quantities import VARIABLES
from eda.span import DaySpan
from eda.statistics import correlation
from eda.statistics.correlation import Correlation, CorrelationMethod
from eda.statistics.days import DailyCounts
from eda.statistics.profile import Group, Profile

SKEWED = 5.0
"""A column is skewed when its 99th percentile is more than this many times its median."""


@dataclass(frozen=True)
class ColumnSummary:
    """The statistics of a usage column, in its unit; an undefined one is None."""

    column: Cdr
    values: int
    missing_share: float
    zero_share: float | None
    mean: float | None
    deviation: float | None
    minimum: float | None
    median: float | None
    percentile_95: float | None
    maximum: float | None
    median_stayed: float | None
    median_churned: float | None
    pearson: Correlation
    spearman: Correlation


@dataclass(frozen=True)
class Exploration:
    """The analysed records of a span: the requested and available days, statistics by day and of all records."""

    requested: str
    available: DaySpan
    span: DaySpan
    subscribers: int
    days: DailyCounts
    profile: Profile

    @cached_property
    def correlations(self) -> Mapping[CorrelationMethod, tuple[Correlation, ...]]:
        """The correlations of every pair, by method."""
        return {
            CorrelationMethod.PEARSON: correlation.pearson(self.profile.moments),
            CorrelationMethod.SPEARMAN: correlation.spearman(self.profile.sample),
        }

    @cached_property
    def columns(self) -> tuple[ColumnSummary, ...]:
        """A summary of each usage column."""
        return tuple(self._summary(column) for column in CDR_USAGE)

    def missing_share(self, column: Cdr) -> float:
        """Return the share of records in which a column is NULL."""
        return float(self.days.missing[column].sum() / self.days.records)

    def is_skewed(self, column: Cdr) -> bool:
        """Return whether a column needs a logarithmic scale."""
        values = self.profile.of(column)
        median, high = values.quantile(0.5), values.quantile(0.99)
        return median is not None and high is not None and high > SKEWED * max(median, 1.0)

    def _summary(self, column: Cdr) -> ColumnSummary:
        """Return the statistics of a usage column."""
        histogram, place = self.profile.of(column), VARIABLES.index(column)
        stayed, churned = (self.profile.histograms[column, group] for group in (Group.STAYED, Group.CHURNED))
        return ColumnSummary(
            column=column,
            values=histogram.total,
            missing_share=self.missing_share(column),
            zero_share=histogram.zero_share,
            mean=self.profile.moments.mean(place),
            deviation=self.profile.moments.deviation(place),
            minimum=histogram.minimum,
            median=histogram.quantile(0.5),
            percentile_95=histogram.quantile(0.95),
            maximum=histogram.maximum,
            median_stayed=stayed.quantile(0.5),
            median_churned=churned.quantile(0.5),
            pearson=correlation.with_churn(self.correlations[CorrelationMethod.PEARSON])[column],
            spearman=correlation.with_churn(self.correlations[CorrelationMethod.SPEARMAN])[column],
        )
