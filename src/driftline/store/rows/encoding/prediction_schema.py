"""Which columns of a prediction are stored, and as what: the outputs, and the features of the spec. No I/O here."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import pandas as pd
import pyarrow as pa

from driftline.engine.catalogue import ColumnKind, Problem
from driftline.engine.results import EVENT_TIME, ID, PREDICTION, SCORE
from driftline.engine.spec import Spec
from driftline.errors import InvalidInput
from driftline.store.rows.encoding.columnar import INSTANT_TYPE, NUMBER_TYPE, TEXT_TYPE

MODEL_VERSION, SCORED_AT = "model_version", "scored_at"
_PREDICTION_TYPES = {Problem.BINARY: pa.int64(), Problem.MULTICLASS: TEXT_TYPE, Problem.REGRESSION: NUMBER_TYPE}
_FEATURE_TYPES = {ColumnKind.CONTINUOUS: NUMBER_TYPE, ColumnKind.CATEGORICAL: TEXT_TYPE}


@dataclass(frozen=True)
class PredictionSchema:
    """The columns of a model's predictions: those of `outputs` are read without `features`, and the other way round."""

    spec: Spec

    @cached_property
    def outputs(self) -> pa.Schema:
        """The identity of a prediction, when and by which version it was made, the outputs, and the segments' columns.

        A model's output may be missing in a row, or in all: a model may have no score.
        """
        required = [(EVENT_TIME, INSTANT_TYPE), (ID, TEXT_TYPE), (MODEL_VERSION, pa.int64()), (SCORED_AT, INSTANT_TYPE)]
        nullable = [
            (PREDICTION, _PREDICTION_TYPES[self.spec.problem]),
            *((name, NUMBER_TYPE) for name in self.spec.scores),
            *((name, TEXT_TYPE) for name in self.spec.segments),
        ]
        return pa.schema([*(pa.field(name, kind, nullable=False) for name, kind in required), *map(_field, nullable)])

    @cached_property
    def features(self) -> pa.Schema:
        """The features of the spec that are not stored with the outputs; any value may be missing."""
        return pa.schema([field for field in self._features if field.name not in self.spec.segments])

    @cached_property
    def all(self) -> pa.Schema:
        """What a writer sends: the outputs and then all features, in an order that does not depend on the segments."""
        outputs = [field for field in self.outputs if field.name not in self.spec.segments]
        return pa.schema([*outputs, *self._features])

    @property
    def _features(self) -> list[pa.Field]:
        return [_field((column.name, _FEATURE_TYPES[column.kind])) for column in self.spec.columns]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all columns."""
        return tuple(self.all.names)


def _field(column: tuple[str, pa.DataType]) -> pa.Field:
    """Return a field of which values may be missing."""
    name, kind = column
    return pa.field(name, kind)


def require_valid(frame: pd.DataFrame, spec: Spec) -> None:
    """Reject a batch of which any row is invalid, and list all faults."""
    faults = tuple(_faults(frame, spec))
    if faults:
        raise InvalidInput("The predictions are invalid; nothing was written.", details=faults)


def _faults(frame: pd.DataFrame, spec: Spec) -> Iterator[str]:
    ids = frame[ID].astype(str)
    if ids.duplicated().any():
        yield "ids must be unique in the batch"
    if ids.str.fullmatch(r".{0,127}\S").eq(other=False).any():
        yield "an id must have 1 to 128 characters and not end with a blank"
    if spec.problem is Problem.BINARY:
        if not (frame[SCORE].between(0, 1) | frame[SCORE].isna()).all():
            yield f"{SCORE} must lie between 0 and 1"
        if not (frame[PREDICTION].isin((0, 1)) | frame[PREDICTION].isna()).all():
            yield f"{PREDICTION} must be 0 or 1"
