"""Parts of a chunk's summary: the summary of the rows of some batches, and its provenance.

Pollers and Spark's executors compute parts by the same functions, so that results do not depend on which of them did.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from driftline.engine.computation.fitted_methods import Summary, SummaryContent
from driftline.engine.evaluation.evaluate import summarize_chunk
from driftline.engine.evaluation.reference import FittedReference
from driftline.engine.results import LABEL
from driftline.engine.spec import Spec
from driftline.engine.sums.content_sum import ContentSum
from driftline.store.rows.reading.chunk_rows import ChunkReader
from driftline.store.rows.reading.stored_rows import VALUES_AT_ONCE, Portion
from driftline.store.rows.removed_rows import BATCH

LARGEST_LABEL_PART = 250_000
"""The most rows of a part of the labels' summary, unless one batch has more: new labels need the part read again."""


@dataclass(frozen=True, slots=True)
class PartProvenance:
    """The provenance of a part of a chunk's summary: the batches, rows and labels that the part was computed from.

    `removals` has, by the number of each batch, how many rows of the batch were removed: where the stored batch has
    another number of removed rows, the part is computed again. `sources` are the batches that the rows and labels of
    the part come from, `labelled` is the number of rows with a label, `labels_as_of` the instant of the newest label.
    """

    removals: Mapping[int, int]
    content_sum: ContentSum
    sources: frozenset[int] = frozenset()
    labelled: int = 0
    labels_as_of: datetime | None = None

    @property
    def rows(self) -> int:
        """How many rows the part has."""
        return self.content_sum.rows

    def merge(self, other: "PartProvenance") -> "PartProvenance":
        """Return the provenance of both parts together."""
        instants = [at for at in (self.labels_as_of, other.labels_as_of) if at is not None]
        return PartProvenance(
            {**self.removals, **other.removals},
            self.content_sum.merge(other.content_sum),
            self.sources | other.sources,
            self.labelled + other.labelled,
            max(instants, default=None),
        )

    def to_json(self) -> str:
        """Return the provenance as JSON."""
        return json.dumps(
            {
                "batches": [*self.removals.items()],
                "rows": self.content_sum.rows,
                "sums": self.content_sum.sums,
                "sources": sorted(self.sources),
                "labelled": self.labelled,
                "labels_as_of": self.labels_as_of and self.labels_as_of.isoformat(),
            },
            separators=(",", ":"),
        )

    @classmethod
    def from_json(cls, text: str) -> "PartProvenance":
        """Return the provenance that `to_json` serialized."""
        stored = json.loads(text)
        first, second = stored["sums"]
        return cls(
            dict(stored["batches"]),
            ContentSum(stored["rows"], (first, second)),
            frozenset(stored["sources"]),
            stored["labelled"],
            stored["labels_as_of"] and datetime.fromisoformat(stored["labels_as_of"]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class PartReader:
    """Reads and summarizes rows of a chunk: its features, or its labels with the outputs."""

    rows: ChunkReader
    fitted: FittedReference
    content: SummaryContent

    @property
    def rows_at_once(self) -> int:
        """About how many rows are read at a time: the more columns, the fewer rows."""
        columns = len(self.rows.schema.outputs) + len(self._spec.columns if self._features is None else self._features)
        rows = max(1, VALUES_AT_ONCE // columns)
        return rows if self.content is SummaryContent.FEATURES else min(rows, LARGEST_LABEL_PART)

    def compute_part(self, removals: Mapping[int, int], portions: Sequence[Portion]) -> tuple[PartProvenance, Summary]:
        """Read the rows of some batches and summarize them; `removals` has how many rows of each batch are removed."""
        provenance, summary = PartProvenance(removals, ContentSum()), None
        for portion in portions or [()]:
            frame = self.read(portion)
            provenance = provenance.merge(self._provenance(frame))
            part = self.summarize(frame)
            summary = part if summary is None else summary.merge(part)
        assert summary is not None  # noqa: S101  (there is a portion)
        return provenance, summary

    def read(self, portion: Portion) -> pd.DataFrame:
        """Return the rows of a portion."""
        frame = self.rows.read(portion, features=self._features)
        return self.rows.with_labels(frame, portion) if self.content is SummaryContent.LABELS else frame

    def summarize(self, frame: pd.DataFrame) -> Summary:
        """Summarize rows that were read."""
        return summarize_chunk(self.fitted, self._spec, frame, self.content)

    @property
    def _spec(self) -> Spec:
        return self.rows.spec

    @property
    def _features(self) -> Sequence[str] | None:
        """The features to read: for labels those of segments alone; None are all."""
        return self._spec.segments if self.content is SummaryContent.LABELS else None

    def _provenance(self, frame: pd.DataFrame) -> PartProvenance:
        """Return the provenance of rows that were read: their batches, and a hash of what decides their results."""
        sources = {int(number) for number in frame[BATCH].unique()}
        if self.content is SummaryContent.FEATURES:
            return PartProvenance({}, ContentSum.of(frame, self._spec.columns), frozenset(sources))
        labelled = frame[LABEL].notna()
        numbers = frame.loc[labelled, "label_batch_number"].unique()
        newest = pd.to_datetime(frame["label_known_at"], utc=True).max() if labelled.any() else None
        return PartProvenance(
            {},
            ContentSum.of(frame, self._spec.output_columns),
            frozenset(sources | {int(number) for number in numbers}),
            int(labelled.sum()),
            newest and newest.to_pydatetime(),
        )
