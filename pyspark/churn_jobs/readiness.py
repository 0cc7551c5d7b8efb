"""Check that prepared rows can be trained on: both classes, labels, no empty column. No I/O here."""

from collections.abc import Mapping
from dataclasses import dataclass

from churn_jobs.configuration import TrainingConfig
from churn_jobs.windows import Windows
from driftline.errors import InvalidInput

LABEL_COVERAGE = 0.95


@dataclass(frozen=True, slots=True)
class WindowCounts:
    """Counts of a window: rows, rows with a label, rows of label 1; and the features without a value."""

    rows: int = 0
    labelled: int = 0
    churned: int = 0
    empty: tuple[str, ...] = ()


def require_ready(windows: Windows, counts: Mapping[str, WindowCounts], config: TrainingConfig) -> None:
    """Check that every window can be trained on.

    Raises:
        InvalidInput: with every fault listed.
    """
    faults = [fault for name in windows.named() for fault in _faults(name, counts.get(name, WindowCounts()), config)]
    if faults:
        listed = ", ".join(f"{name} {days}" for name, days in windows.named().items())
        raise InvalidInput(f"These days cannot be trained on ({listed}).", details=tuple(faults))


def _faults(name: str, counts: WindowCounts, config: TrainingConfig) -> list[str]:
    """Return the faults of a window, empty if it can be trained on."""
    if not counts.rows:
        return [f"{name} has no rows; prepare these days"]
    faults = []
    if counts.labelled < LABEL_COVERAGE * counts.rows:
        faults.append(
            f"{name} has labels for {counts.labelled} of {counts.rows} rows, and {LABEL_COVERAGE:.0%} are needed; "
            "prepare these days again once their labels are known"
        )
    least = min(counts.churned, counts.labelled - counts.churned)
    if least < config.minimum_class_rows:
        kind = "churned" if counts.churned == least else "stayed"
        required = f"{config.minimum_class_rows} are needed; use more days or subscribers"
        faults.append(f"{name} has {least} rows that {kind}, and {required}")
    if name == "train" and counts.empty:
        faults.append(f"train has no values in {', '.join(counts.empty)}")
    return faults
