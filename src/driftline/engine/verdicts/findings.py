"""A finding: a reason for a chunk's state, in plain words with numbers. No I/O here."""

from dataclasses import dataclass

from driftline.engine.results import State

STATES_BY_SEVERITY = (State.OK, State.PENDING_LABELS, State.INSUFFICIENT, State.ERROR, State.WARN, State.ALERT)
"""States from the mildest to the most severe: the most severe finding is the verdict's state."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A reason and the state that it supports; a state of None is a note, which changes nothing."""

    state: State | None
    reason: str


def most_severe(findings: list[Finding]) -> State:
    """Return the most severe state of `findings`, at least one of which must not be a note."""
    return max((f.state for f in findings if f.state is not None), key=STATES_BY_SEVERITY.index)


def reasons(findings: list[Finding]) -> tuple[str, ...]:
    """Return every distinct reason once, the most severe first, notes last."""
    ranked = sorted(
        findings, key=lambda f: len(STATES_BY_SEVERITY) if f.state is None else -STATES_BY_SEVERITY.index(f.state)
    )
    return tuple(dict.fromkeys(finding.reason for finding in ranked))
