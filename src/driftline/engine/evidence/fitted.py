"""The fitted evidence of a model: what all problems have in common. No I/O here."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Generic, TypeVar

from driftline.engine.evidence.families import ComponentTable, Stage
from driftline.engine.evidence.scores.counts import Counts
from driftline.engine.evidence.stage_evidence import StageEvidence
from driftline.engine.frames.columns import BoolArray, FloatArray, IntArray

C = TypeVar("C", bound=Counts)


class FittedModelEvidence(ABC, Generic[C]):
    """The state fitted on the reference, from which the evidence of chunks is computed; `C` is what counts a chunk."""

    __slots__ = ()
    counts_type: ClassVar[type[Counts]]
    """The class of the counts."""
    chunk_rows: float
    """The mean number of rows of the reference's chunks."""

    @property
    @abstractmethod
    def components(self) -> ComponentTable:
        """The components of the detector."""

    @property
    @abstractmethod
    def usable(self) -> BoolArray:
        """A mask of the components that the reference allows."""

    @abstractmethod
    def empty_counts(self) -> C:
        """Return the counts of no rows."""

    def read_counts(self, stored: Sequence[Any]) -> Counts:
        """Return the counts that `Counts.to_list` serialized."""
        return self.counts_type.from_list(stored)

    @abstractmethod
    def evidence(self, stage: Stage, counts: C, open_block: C, weekdays: IntArray) -> StageEvidence:
        """Return the evidence at a stage of stacked chunks in time order; `open_block` precedes them.

        For the labels, the chunks are those whose labels are in. `weekdays` are those of their starts, Monday 0.
        """

    @abstractmethod
    def no_skill(self, counts: C, values: FloatArray) -> float | None:
        """Return the ROC AUC of a chunk's labelled rows if it is not distinguishable from 0.5, else None.

        `values` are those of the chunk in `StageEvidence`. None also where the rows are too few to decide.
        """

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Return the state as JSON-compatible values."""


FittedEvidence = FittedModelEvidence[Any]
"""The fitted evidence of a model with any problem."""
