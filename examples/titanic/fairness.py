"""Fairness by segment: how far a metric differs between groups, from the monitor's results. No I/O here."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from math import sqrt
from typing import Any

CERTAIN = 3.0
"""A difference is certain from so many standard errors on."""


@dataclass(frozen=True)
class GroupMetric:
    """A metric of one group over some chunks: their mean, weighted by rows, and its standard error."""

    group: str
    value: float
    error: float
    rows: int


@dataclass(frozen=True)
class GroupDifference:
    """How far a metric differs between the groups of one feature: the best group, the worst, and the difference."""

    feature: str
    metric: str
    best: GroupMetric
    worst: GroupMetric

    @property
    def value(self) -> float:
        """The difference between best and worst."""
        return self.best.value - self.worst.value

    @property
    def error(self) -> float:
        """The standard error of the difference; the groups have no rows in common."""
        return sqrt(self.best.error**2 + self.worst.error**2)

    @property
    def is_certain(self) -> bool:
        """Whether the groups differ beyond what chance explains."""
        return self.value > CERTAIN * self.error


def differences(results: Iterable[Mapping[str, Any]]) -> list[GroupDifference]:
    """Return the differences by feature and metric, from results of segments as the monitor's API has them.

    Chunks in which a group has too few rows have no value, and are left out.
    """
    usable = [
        result
        for result in results
        if result["segment"] and result["value"] is not None and result["sampling_error"] is not None
    ]
    groups = [(*_feature_and_metric(chunks[0]), _group(chunks)) for chunks in _by(usable, "segment", "method")]
    return list(_compared(groups))


def _by(results: list[Mapping[str, Any]], *names: str) -> Iterator[list[Mapping[str, Any]]]:
    def key(result: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple(result[name] for name in names)

    return (list(group) for _, group in groupby(sorted(results, key=key), key))


def _feature_and_metric(result: Mapping[str, Any]) -> tuple[str, str]:
    return str(result["segment"]).partition("=")[0], str(result["method"])


def _group(chunks: list[Mapping[str, Any]]) -> GroupMetric:
    rows = sum(chunk["rows"] for chunk in chunks)
    value = sum(chunk["rows"] * chunk["value"] for chunk in chunks) / rows
    error = sqrt(sum((chunk["rows"] * chunk["sampling_error"]) ** 2 for chunk in chunks)) / rows
    return GroupMetric(str(chunks[0]["segment"]).partition("=")[2], value, error, rows)


def _compared(groups: list[tuple[str, str, GroupMetric]]) -> Iterator[GroupDifference]:
    for (feature, metric), members in groupby(sorted(groups, key=lambda entry: entry[:2]), lambda entry: entry[:2]):
        ordered = sorted((group for *_, group in members), key=lambda group: group.value)
        if len(ordered) > 1:
            yield GroupDifference(feature, metric, ordered[-1], ordered[0])
