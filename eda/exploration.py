"""All that an exploration found, as one value. No I/O here."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from churn.columns import CDR_USAGE, Cdr
from eda import correlation
from eda.correlation import Correlation, Method
from eda.days import Days
from eda.profile import Group, Profile
from eda.quantities import VARIABLES
from eda.span import Span

SKEWED = 5.0
"""A column is skewed when its 99th percentile is more than this many times its median."""


@dataclass(frozen=True)
class ColumnSummary:
    """A usage column in numbers, in its unit; a number that is undefined is None."""

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
    """The records of a span: what was asked, what is there, day by day and all together."""

    asked: str
    available: Span
    span: Span
    subscribers: int
    days: Days
    profile: Profile

    @cached_property
    def correlations(self) -> Mapping[Method, tuple[Correlation, ...]]:
        """Every pair's correlation, by method."""
        return {
            Method.PEARSON: correlation.pearson(self.profile.moments),
            Method.SPEARMAN: correlation.spearman(self.profile.sample),
        }

    @cached_property
    def columns(self) -> tuple[ColumnSummary, ...]:
        """A summary of each usage column."""
        return tuple(self._summary(column) for column in CDR_USAGE)

    def missing_share(self, column: Cdr) -> float:
        """Return the share of records in which a column is NULL."""
        return float(self.days.missing[column].sum() / self.days.records)

    def is_skewed(self, column: Cdr) -> bool:
        """Return whether a column is better seen on a logarithmic scale."""
        seen = self.profile.of(column)
        median, high = seen.quantile(0.5), seen.quantile(0.99)
        return median is not None and high is not None and high > SKEWED * max(median, 1.0)

    def _summary(self, column: Cdr) -> ColumnSummary:
        seen, place = self.profile.of(column), VARIABLES.index(column)
        stayed, churned = (self.profile.histograms[column, group] for group in (Group.STAYED, Group.CHURNED))
        return ColumnSummary(
            column=column,
            values=seen.total,
            missing_share=self.missing_share(column),
            zero_share=seen.zero_share,
            mean=self.profile.moments.mean(place),
            deviation=self.profile.moments.deviation(place),
            minimum=seen.minimum,
            median=seen.quantile(0.5),
            percentile_95=seen.quantile(0.95),
            maximum=seen.maximum,
            median_stayed=stayed.quantile(0.5),
            median_churned=churned.quantile(0.5),
            pearson=correlation.with_churn(self.correlations[Method.PEARSON])[column],
            spearman=correlation.with_churn(self.correlations[Method.SPEARMAN])[column],
        )
