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


def percent(share: float) -> str:
    """Return a share in percent, rounded down: 99.97 % must not read as all of them."""
    tenths = int(share * 1000 + 1e-9)
    return f"{tenths / 10:g} %"


def format_distinct(value: float, bound: float) -> tuple[str, str]:
    """Return both numbers as text, with as few digits as still show that they differ."""
    for digits in range(3, 17):
        shown = f"{value:.{digits}g}", f"{bound:.{digits}g}"
        if shown[0] != shown[1]:
            return shown
    return f"{value:.3g}", f"{bound:.3g}"
