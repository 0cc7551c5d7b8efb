"""Guesses which column of a reference is which, from the names alone. No I/O here."""

from collections.abc import Sequence
from dataclasses import dataclass

TIMESTAMPS = ("timestamp", "event_time", "scored_at", "datetime", "date_time", "time", "date", "day", "at", "ts")
LABELS = ("label", "target", "y_true", "y", "actual", "outcome", "truth")
PREDICTIONS = ("prediction", "predicted", "y_pred", "pred", "predicted_label")
SCORES = ("probability_1", "score", "probability", "proba", "y_proba", "prob", "prediction_score")
IDS = ("id", "prediction_id", "row_id", "key", "uuid")


@dataclass(frozen=True, slots=True)
class ColumnGuess:
    """Guesses of the roles of columns by their names; None where no name fits."""

    timestamp: str | None
    label: str | None
    prediction: str | None
    score: str | None
    id: str | None


def guess_columns(columns: Sequence[str]) -> ColumnGuess:
    """Return the columns with usual names, regardless of case; of several, the one whose name is more usual.

    >>> guess_columns(["Day", "amount", "y", "Score"])
    ColumnGuess(timestamp='Day', label='y', prediction=None, score='Score', id=None)
    """
    by_name = {name.strip().casefold().replace(" ", "_"): name for name in reversed(columns)}

    def first(names: Sequence[str]) -> str | None:
        return next((by_name[name] for name in names if name in by_name), None)

    return ColumnGuess(first(TIMESTAMPS), first(LABELS), first(PREDICTIONS), first(SCORES), first(IDS))
