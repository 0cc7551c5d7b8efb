"""The jobs' configuration files, checked."""

import json
from datetime import date
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from churn_jobs.days import RequestedDays
from driftline.errors import InvalidInput


class RangeConfig(BaseModel):
    """The content of config.json: raw days to prepare, and prepared days to train on or to score; None is all."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start_date: date | None = None
    end_date: date | None = None
    processed_start: date | None = None
    processed_end: date | None = None

    @property
    def raw(self) -> RequestedDays:
        """The days of `DP_CDR_Data`."""
        return RequestedDays(self.start_date, self.end_date)

    @property
    def processed(self) -> RequestedDays:
        """The days of `Processed_Data`."""
        return RequestedDays(self.processed_start, self.processed_end)


class ForestSize(BaseModel):
    """One candidate of the grid: how many trees, and how deep each may grow."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    trees: Annotated[int, Field(ge=1, le=1000)]
    depth: Annotated[int, Field(ge=1, le=30)]


DEFAULT_CANDIDATES = (ForestSize(trees=30, depth=5), ForestSize(trees=30, depth=8))


class TrainingConfig(BaseModel):
    """The content of training.json.

    `candidates` are fitted on the train window, the best on validation is kept. The shares are of the days that can be
    used, and never below the minima. `minimum_class_rows` is what every window needs of each class. A reference of more
    than `reference_rows` is thinned by whole subscribers. `label_delay_days` after a day all its labels are known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    candidates: tuple[ForestSize, ...] = Field(DEFAULT_CANDIDATES, min_length=1)
    minimum_leaf_rows: int = Field(10, ge=1)
    seed: int = 7
    validation_share: float = Field(0.18, gt=0, lt=0.5)
    reference_share: float = Field(0.28, gt=0, lt=0.5)
    minimum_train_days: int = Field(14, ge=1)
    minimum_validation_days: int = Field(7, ge=1)
    minimum_reference_days: int = Field(14, ge=14)
    minimum_class_rows: int = Field(20, ge=1)
    reference_rows: int = Field(500_000, ge=1000)
    label_delay_days: int = Field(3, ge=0)


Config = TypeVar("Config", bound=BaseModel)


def load(path: Path, kind: type[Config]) -> Config:
    """Read a configuration file.

    Raises:
        InvalidInput: the file is missing or is not JSON, or a value is invalid; each fault is listed.
    """
    try:
        return kind.model_validate(_decoded(path))
    except ValidationError as error:
        raise InvalidInput(f"{path} is not valid; correct the faults listed.", details=_faults(error, kind)) from error


def _decoded(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise InvalidInput(f"{path} is not JSON: {error}.") from error


def _faults(error: ValidationError, kind: type[BaseModel]) -> tuple[str, ...]:
    available = f"known are {', '.join(kind.model_fields)}"
    return tuple(
        f"{'.'.join(map(str, fault['loc'])) or 'the file'}: "
        + (f"no such name; {available}" if fault["type"] == "extra_forbidden" else fault["msg"])
        for fault in error.errors()
    )
