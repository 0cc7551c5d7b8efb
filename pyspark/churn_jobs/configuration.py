"""The jobs' configuration files, checked."""

import json
from collections.abc import Sequence
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from churn_jobs.days import RequestedDays
from driftline.engine.comparison.promotion import PromotionRule
from driftline.engine.comparison.trigger import RetrainingLimits
from driftline.errors import InvalidInput
from driftline.validation_faults import validation_faults


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


class BoostingSize(BaseModel):
    """One candidate of the grid of boosted trees: how many, how many leaves each has, and how much each corrects."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    trees: Annotated[int, Field(ge=1, le=2000)]
    leaves: Annotated[int, Field(ge=2, le=255)]
    learning_rate: Annotated[float, Field(gt=0, le=1)]


class TrainerName(StrEnum):
    """The trainers that `trainers` may list."""

    SPARK_FOREST = "spark_forest"
    BOOSTING = "boosting"


DEFAULT_CANDIDATES = (ForestSize(trees=30, depth=5), ForestSize(trees=30, depth=8))
DEFAULT_BOOSTING = (
    BoostingSize(trees=60, leaves=15, learning_rate=0.1),
    BoostingSize(trees=150, leaves=31, learning_rate=0.05),
)


class TrainingConfig(BaseModel):
    """The content of training.json.

    The `trainers` are fitted on the same windows: `candidates` are those of the Spark forest and `boosting_candidates`
    those of scikit-learn's boosted trees; of each, the best on validation is kept. The first trainer is kept unless a
    later one is better on validation by more than `trainer_errors` standard errors of the difference. The forest is
    fitted on at most `forest_rows` rows and boosted trees on at most `boosting_rows`, which must be in memory at once:
    more are thinned by whole subscribers. The shares are of the days that can be
    used, and never below the minima. `minimum_class_rows` is what every window needs of each class. A reference of more
    than `reference_rows` is thinned by whole subscribers. `label_delay_days` after a day all its labels are known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    trainers: tuple[TrainerName, ...] = Field((TrainerName.SPARK_FOREST,), min_length=1)
    candidates: tuple[ForestSize, ...] = Field(DEFAULT_CANDIDATES, min_length=1)
    boosting_candidates: tuple[BoostingSize, ...] = Field(DEFAULT_BOOSTING, min_length=1)
    forest_rows: int = Field(300_000, ge=1000)
    boosting_rows: int = Field(2_000_000, ge=1000)
    trainer_errors: float = Field(2.0, gt=0)
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

    def with_trainers(self, trainers: Sequence[TrainerName] | None) -> "TrainingConfig":
        """Return the configuration with other trainers, where some are given."""
        return self.model_copy(update={"trainers": tuple(dict.fromkeys(trainers))}) if trainers else self


class RetrainingConfig(BaseModel):
    """The content of retraining.json.

    A challenger is trained on the newest `recent_days` after `alert_chunks` closed chunks in a row have alerted, at
    most once in `cool_down_days` and `per_month` times in a calendar month. The others are those of `PromotionRule`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    recent_days: int = Field(60, ge=1)
    alert_chunks: int = Field(3, ge=1)
    cool_down_days: int = Field(7, ge=0)
    per_month: int = Field(4, ge=1)
    label_coverage: float = Field(0.95, gt=0, le=1)
    chunks: int = Field(7, ge=1)
    subjects: int = Field(50, ge=2)
    errors: float = Field(3.3, ge=2)
    gain: float = Field(0.01, ge=0)

    @property
    def limits(self) -> RetrainingLimits:
        """How often a challenger may be trained."""
        return RetrainingLimits(timedelta(days=self.cool_down_days), self.per_month)

    @property
    def rule(self) -> PromotionRule:
        """When it is promoted."""
        return PromotionRule(self.label_coverage, self.chunks, self.subjects, self.errors, self.gain)


Config = TypeVar("Config", bound=BaseModel)


def load(path: Path, kind: type[Config]) -> Config:
    """Read a configuration file.

    Raises:
        InvalidInput: the file is missing or is not JSON, or a value is invalid; each fault is listed.
    """
    try:
        return kind.model_validate(_decoded(path))
    except ValidationError as error:
        faults = tuple(validation_faults(error, document="the file", available=kind.model_fields))
        raise InvalidInput(f"{path} is not valid; correct the faults listed.", details=faults) from error


def _decoded(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise InvalidInput(f"{path} is not JSON: {error}.") from error
