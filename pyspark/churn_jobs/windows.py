"""The split of the days by time: train, validation and reference, separated by the label delay. No I/O here."""

from dataclasses import asdict, dataclass

from churn_jobs.configuration import TrainingConfig
from churn_jobs.days import DAY, DayRange
from driftline.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Windows:
    """The three windows in chronological order.

    The label delay lies between them, so that each window's labels were known when the next one began.
    """

    train: DayRange
    validation: DayRange
    reference: DayRange

    @property
    def all(self) -> DayRange:
        """The days from the first to the last window, gaps included."""
        return DayRange(self.train.first, self.reference.last)

    def named(self) -> dict[str, DayRange]:
        """Return the windows by name, in chronological order."""
        return {"train": self.train, "validation": self.validation, "reference": self.reference}

    def as_text(self) -> dict[str, dict[str, str]]:
        """Return the windows as values for JSON."""
        return {name: {end: str(day) for end, day in asdict(days).items()} for name, days in self.named().items()}


def split(available: DayRange, config: TrainingConfig) -> Windows:
    """Split the days; the last `label_delay_days` of them are left out, since their labels are incomplete.

    Raises:
        InvalidInput: there are too few days; the error says how many are needed.
    """
    gap = config.label_delay_days
    usable = len(available) - 3 * gap
    minimum = config.minimum_train_days + config.minimum_validation_days + config.minimum_reference_days
    if usable < minimum:
        raise InvalidInput(
            f"{len(available)} days ({available}) are too few to train on: {minimum + 3 * gap} are needed, "
            f"{config.minimum_train_days} to train, {config.minimum_validation_days} to validate, "
            f"{config.minimum_reference_days} for the reference, and {gap} after each for labels to come in. "
            "Prepare more days, or lower the minima in training.json."
        )
    return _cut(available, gap, *_lengths(usable, config))


def _lengths(usable: int, config: TrainingConfig) -> tuple[int, int]:
    """Return the lengths of validation and reference: their shares, rounded down, but at least their minima."""
    reference = max(config.minimum_reference_days, int(usable * config.reference_share))
    validation = max(config.minimum_validation_days, int(usable * config.validation_share))
    over = max(validation + reference + config.minimum_train_days - usable, 0)
    shortened = min(over, reference - config.minimum_reference_days)
    return validation - (over - shortened), reference - shortened


def _cut(available: DayRange, gap: int, validation: int, reference: int) -> Windows:
    last = available.last - gap * DAY
    reference_days = DayRange(last - (reference - 1) * DAY, last)
    last = reference_days.first - (gap + 1) * DAY
    validation_days = DayRange(last - (validation - 1) * DAY, last)
    return Windows(DayRange(available.first, validation_days.first - (gap + 1) * DAY), validation_days, reference_days)
