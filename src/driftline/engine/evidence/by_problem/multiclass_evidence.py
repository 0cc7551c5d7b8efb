"""The evidence of a multiclass model: that of each class against the rest. No I/O here.

The rows of a class against the rest are those of a binary model, whose score is the probability of the class. Each
class has the components of a binary model, with its share of the weight. The mass that all components get is therefore
that of a binary model, and the detector's bound on false alerts holds however the classes depend on each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np

from driftline.engine.evidence.by_problem.binary_evidence import FittedBinaryEvidence
from driftline.engine.evidence.by_problem.binary_fit import fit_evidence as fit_binary
from driftline.engine.evidence.families import BINARY, FAMILIES, ComponentTable, Family, Stage
from driftline.engine.evidence.fitted import FittedModelEvidence
from driftline.engine.evidence.metrics.no_skill import no_skill
from driftline.engine.evidence.no_evidence import NoEvidence, too_few_chunks
from driftline.engine.evidence.scores.score_bins import BINS
from driftline.engine.evidence.scores.score_counts import ScoreCounts
from driftline.engine.evidence.stage_evidence import StageEvidence
from driftline.engine.frames.columns import BoolArray, FloatArray, IntArray
from driftline.engine.performance.binary.rows import MISSING as MISSING_LABEL
from driftline.engine.performance.multiclass.rows import MISSING, MulticlassRows

MINIMUM_CHUNKS = 6
"""With fewer chunks of the reference some class seems to vary too little, and false alerts exceed the budget."""
LARGEST_CLASSES = 10
"""Only this many classes, the most frequent of the reference, have evidence: each has 18 numbers of state."""


@dataclass(frozen=True, eq=False)
class FittedMulticlassEvidence(FittedModelEvidence[ScoreCounts]):
    """The evidence of each class against the rest; `positions` are those of the `classes` in the spec's."""

    counts_type: ClassVar[type[ScoreCounts]] = ScoreCounts
    classes: tuple[str, ...]
    positions: tuple[int, ...]
    parts: tuple[FittedBinaryEvidence, ...]

    @property
    def chunk_rows(self) -> float:  # type: ignore[override]  # read only
        """The mean number of rows of the reference's chunks."""
        return self.parts[0].chunk_rows

    @cached_property
    def components(self) -> ComponentTable:
        """The components of the detector: those of a binary model for each class."""
        return ComponentTable.of(FAMILIES, self.classes)

    @property
    def usable(self) -> BoolArray:
        """A mask of the components that the reference allows."""
        return np.concatenate([part.usable for part in self.parts])

    def empty_counts(self) -> ScoreCounts:
        """Return the counts of no rows."""
        return ScoreCounts.empty(len(self.parts), BINS)

    def counts(self, rows: MulticlassRows) -> ScoreCounts:
        """Count the rows of a chunk that have all scores and a prediction, by class; unused bins stay 0."""
        complete = rows.scored.predicted
        counts = self.empty_counts()
        for number, (position, part) in enumerate(zip(self.positions, self.parts, strict=True)):
            labels = np.where(complete.labels == MISSING, MISSING_LABEL, complete.labels == position)
            predictions = (complete.predictions == position).astype(np.int64)
            of_class = part.bins.counts_of(complete.scores[:, position], predictions, labels, complete.counts)
            for total, array in zip(counts.arrays, of_class.arrays, strict=True):
                total[number, :, : part.bins.count] = array
        return counts

    def evidence(self, stage: Stage, counts: ScoreCounts, open_block: ScoreCounts, weekdays: IntArray) -> StageEvidence:
        """Return the evidence of chunks at a stage (`FittedModelEvidence.evidence`), class by class."""
        by_class = [
            part.evidence(stage, self._class_counts(counts, number), self._class_counts(open_block, number), weekdays)
            for number, part in enumerate(self.parts)
        ]
        return StageEvidence(
            np.concatenate([part.log_evidence for part in by_class], axis=1),
            np.concatenate([part.values for part in by_class], axis=1),
            np.fmax.reduce([part.harm for part in by_class]),
            [self._joined(blocks) for blocks in zip(*(part.open_blocks for part in by_class), strict=True)],
        )

    def _class_counts(self, counts: ScoreCounts, number: int) -> ScoreCounts:
        bins = self.parts[number].bins.count
        return ScoreCounts(*(array[..., number, :, :bins] for array in counts.arrays))

    def _joined(self, by_class: Sequence[Any]) -> ScoreCounts:
        """Return the counts of all classes in one."""
        counts = self.empty_counts()
        for number, of_class in enumerate(by_class):
            for total, array in zip(counts.arrays, of_class.arrays, strict=True):
                total[number, :, : array.shape[-1]] = array
        return counts

    def no_skill(self, counts: ScoreCounts, values: FloatArray) -> float | None:
        """Return the mean ROC AUC over the classes if it is not distinguishable from 0.5, else None."""
        rows, totals = values[BINARY.columns(Family.RANKING).start :: BINARY.count, :2].T
        if not rows.all():
            return None
        reference = float(np.mean([part.roc_auc for part in self.parts]))
        return no_skill(reference, counts, float(np.mean(totals / rows)))

    def to_dict(self) -> dict[str, Any]:
        """Return the state as JSON-compatible values."""
        parts = [part.to_dict() for part in self.parts]
        return {"problem": "multiclass", "classes": self.classes, "positions": self.positions, "parts": parts}

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Self:
        """Return the state that `to_dict` serialized."""
        parts = tuple(map(FittedBinaryEvidence.from_dict, stored["parts"]))
        return cls(tuple(stored["classes"]), tuple(stored["positions"]), parts)


def fit_evidence(
    rows: MulticlassRows, classes: Sequence[str], sizes: Sequence[int], days: Sequence[int] | None = None
) -> FittedMulticlassEvidence | NoEvidence:
    """Fit on the reference's rows in time order; `sizes` are the numbers of rows of its chunks, `days` their days.

    Classes with too few labels are left out. Where no class is left, return the reason of the most frequent one; also
    return the reason where rows are in fewer than six chunks.
    """
    chunks = int(np.count_nonzero(sizes))
    if chunks < MINIMUM_CHUNKS:
        return too_few_chunks(chunks, MINIMUM_CHUNKS)
    most_frequent = np.argsort(-rows.by_label, kind="stable")[:LARGEST_CLASSES]
    predicted = np.where(rows.predictions == MISSING, np.nan, rows.predictions)
    labels = np.where(rows.labels == MISSING, np.nan, rows.labels)
    fitted: dict[int, FittedBinaryEvidence] = {}
    refused: dict[int, NoEvidence] = {}
    for position in sorted(most_frequent.tolist()):
        is_predicted, is_label = (np.where(np.isnan(codes), np.nan, codes == position) for codes in (predicted, labels))
        part = fit_binary(rows.scores[:, position], is_predicted, is_label, sizes, days)
        if isinstance(part, NoEvidence):
            refused[position] = part
        else:
            fitted[position] = part
    if not fitted:
        return refused[int(most_frequent[0])]
    return FittedMulticlassEvidence(
        tuple(classes[position] for position in fitted), tuple(fitted), tuple(fitted.values())
    )
