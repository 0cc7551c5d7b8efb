"""The facts about one chunk from which its verdict is derived. No I/O here."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from driftline.engine.evidence.scores.counts import Counts
from driftline.engine.results import Result, ResultKind, is_of_model
from driftline.engine.spec import Spec
from driftline.errors import InvalidInput


@dataclass(frozen=True)
class ChunkFacts:
    """One half-open chunk [start, end) and its results.

    `start` and `end` are aware instants. `closed` means that the model's clock has passed the end plus the allowed
    lateness, `labels_due` that it has passed the end plus the label delay. `rows` counts the chunk's predictions and
    `labelled` those of them whose label is in. `score_counts` are what evidence is computed from. Raises InvalidInput
    where these contradict one another.
    """

    start: datetime
    end: datetime
    closed: bool
    labels_due: bool
    rows: int
    labelled: int
    results: tuple[Result, ...] = ()
    score_counts: Counts | None = None
    derived: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Values derived from these facts, cached because several verdicts need them, together with their spec."""

    def __post_init__(self) -> None:
        if not (self.start < self.end and 0 <= self.labelled <= self.rows):
            msg = (
                f"a chunk needs start < end and 0 <= labelled <= rows; got {self.start} to {self.end}, "
                f"{self.labelled} labelled of {self.rows} rows: count labels of this chunk's predictions only"
            )
            raise InvalidInput(msg)

    @property
    def coverage(self) -> float:
        """The share of rows whose label is in, 0 to 1; 0 where there are no rows."""
        return self.labelled / self.rows if self.rows else 0.0

    def is_decided(self, spec: Spec) -> bool:
        """Return whether realized performance decides: the chunk is eligible, and enough of its labels are in."""
        return self.is_eligible(spec) and self.labels_in(spec)

    def labels_in(self, spec: Spec) -> bool:
        """Return whether the chunk is closed, its labels are due, and enough of them are in."""
        return self.closed and self.labels_due and self.rows > 0 and self.coverage >= spec.label_coverage

    def is_eligible(self, spec: Spec) -> bool:
        """Return whether the chunk is part of runs of chunks: closed and with the minimum of rows."""
        return self.closed and self.rows >= spec.minimum_rows

    @cached_property
    def _by_kind(self) -> Mapping[ResultKind, tuple[Result, ...]]:
        results: defaultdict[ResultKind, list[Result]] = defaultdict(list)
        for result in self.results:
            if result.segment is None:
                results[result.kind].append(result)
        return {kind: tuple(sorted(group, key=lambda r: (r.subject, r.method))) for kind, group in results.items()}

    @cached_property
    def _by_metric(self) -> Mapping[tuple[ResultKind, str], Result]:
        return {(r.kind, r.method): r for r in self.results if is_of_model(r.kind, r.method) and r.segment is None}

    def of_kind(self, kind: ResultKind) -> tuple[Result, ...]:
        """Return the results of `kind` on all rows, sorted by subject and method.

        Those of segments are left out: the verdict is the model's.
        """
        return self._by_kind.get(kind, ())

    def clear_indexes(self) -> None:
        """Forget the indexes of the results, which take as much memory as these; what verdicts derived stays."""
        for name in ("_by_kind", "_by_metric"):
            self.__dict__.pop(name, None)

    def performance(self, kind: ResultKind, metric: str) -> Result | None:
        """Return the model's result of `kind` for `metric`; None where it was not computed."""
        return self._by_metric.get((kind, metric))


def last_closed(chunks: Iterable[ChunkFacts], start: datetime, count: int) -> tuple[ChunkFacts, ...]:
    """Return the last `count` closed chunks that start before `start`, oldest first; `chunks` are in any order."""
    earlier = sorted((c for c in chunks if c.closed and c.start < start), key=lambda c: c.start)
    return tuple(earlier[-count:])
