"""A finding: a reason for a chunk's state, in plain words with numbers. No I/O here."""

from dataclasses import dataclass

from driftline.engine.results import State

SEVERITY = (State.OK, State.PENDING_LABELS, State.INSUFFICIENT, State.ERROR, State.WARN, State.ALERT)
"""States from mildest to gravest: the gravest finding is the verdict's state."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A reason and the state that it supports; a state of None is a note, which changes nothing."""

    state: State | None
    reason: str


def gravest(findings: list[Finding]) -> State:
    """Return the gravest state of `findings`, at least one of which must not be a note."""
    return max((f.state for f in findings if f.state is not None), key=SEVERITY.index)


def reasons(findings: list[Finding]) -> tuple[str, ...]:
    """Return every distinct reason once, the gravest first, notes last."""
    ranked = sorted(findings, key=lambda f: len(SEVERITY) if f.state is None else -SEVERITY.index(f.state))
    return tuple(dict.fromkeys(finding.reason for finding in ranked))
