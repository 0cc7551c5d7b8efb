"""States in words and signs, so that no colour has to speak alone. No I/O here."""

from dataclasses import dataclass

from driftline.engine.results import State


@dataclass(frozen=True, slots=True)
class Shown:
    """A state for people: a short word, a sign, and what it means."""

    word: str
    sign: str
    meaning: str


SHOWN: dict[State, Shown] = {
    State.OK: Shown("OK", "✓", "Labels are in and performance is inside its bounds."),
    State.WARN: Shown("Warning", "▲", "Something is outside its bounds; look at it."),
    State.ALERT: Shown("Alert", "✕", "Performance is clearly or repeatedly below its bound; act."),
    State.PENDING_LABELS: Shown(
        "Waiting for labels", "◷", "No alarm, but it cannot be called healthy before labels are in."
    ),
    State.INSUFFICIENT: Shown("Too little data", "∅", "Too few rows, or of one class only: nothing can be said."),
    State.NO_DATA: Shown("No data", "○", "There are no predictions."),
    State.ERROR: Shown("Failed", "!", "It could not be computed; it is tried again."),
}
