"""The findings on a chunk's realized and estimated performance. No I/O here."""

from collections.abc import Mapping
from dataclasses import dataclass

from driftline.engine.catalogue import Worse, measure, title
from driftline.engine.evidence.chunk_evidence import ChunkEvidence
from driftline.engine.number_format import format_distinct, percent, readable
from driftline.engine.results import Result, ResultKind, State
from driftline.engine.spec import Spec, ThresholdPolicy
from driftline.engine.thresholds.comparison import compare, worse_side
from driftline.engine.verdicts.chunk_facts import ChunkFacts
from driftline.engine.verdicts.evidence_rule import alerts_by_bounds
from driftline.engine.verdicts.findings import Finding
from driftline.engine.verdicts.track_record import TrackRecord

SIGNS_FOR_ALERT = 2
"""How many of the three signs in `performance_findings` must agree to alert."""
NEAR = 2 / 3
NEAR_ALERT = 1 / 2
"""A value is near its bound beyond these shares of the distance from the expected value to the warning bound and to the
alert bound: 2 deviations, and more where there are few reference chunks."""


def performance_findings(
    spec: Spec,
    chunk: ChunkFacts,
    previous: ChunkFacts | None,
    records: Mapping[str, TrackRecord],
    drifting: bool = False,
    evidence: ChunkEvidence | None = None,
) -> list[Finding]:
    """Judge each metric of the spec: by its realized value where that decides, else by its estimate.

    A value beyond its alert bound alerts. So do two of three signs: it is beyond its warning bound; it is near or
    beyond it, as it was in `previous`, the closed chunk directly before; drift lasts (`drifting`). `records` are the
    track records of estimates by metric. A metric that decides is ok, warn or alert; one that cannot is at best
    pending_labels (labels are outstanding) or insufficient (they are in, and its value is undefined). Counts, such as
    the cells of a confusion matrix, are not judged: they follow the number of rows. With `evidence`, which alerts
    within a budget, a metric warns at most, unless the spec overrides its threshold.
    """
    context = RuleContext(spec, previous, drifting, evidence)
    findings = [] if chunk.is_decided(spec) else [_labels_outstanding(spec, chunk)]
    for metric in (name for name in spec.metrics if measure(name).worse is not Worse.NEITHER):
        realized = chunk.performance(ResultKind.REALIZED, metric)
        if chunk.is_decided(spec) and realized is not None and realized.value is not None:
            findings += _decided(context, metric, realized, realized.value)
        else:
            findings += _undecided(context, metric, chunk, realized)
            findings += _estimated(context, metric, chunk, records.get(metric, TrackRecord()))
    if all(finding.state is None for finding in findings):
        findings.append(Finding(State.INSUFFICIENT, "No metric has a bound: give the model a longer reference."))
    return findings


@dataclass(frozen=True, slots=True)
class RuleContext:
    """The inputs by which every number is judged: spec, preceding closed chunk, lasting drift, and evidence."""

    spec: Spec
    previous: ChunkFacts | None = None
    drifting: bool = False
    evidence: ChunkEvidence | None = None


def _decided(context: RuleContext, metric: str, realized: Result, value: float) -> list[Finding]:
    notes = _notes(realized)
    if _warning_bound(realized) is None:
        return [Finding(None, f"{title(metric)} {readable(value)} has no bound to compare with."), *notes]
    state, words = _level(context, realized, value)
    return [Finding(state, f"{words}."), *_better(realized, value), *notes]


def _undecided(context: RuleContext, metric: str, chunk: ChunkFacts, realized: Result | None) -> list[Finding]:
    """Return the findings on a metric whose realized value does not decide, apart from its estimate."""
    if chunk.is_decided(context.spec):
        why = realized.reason if realized is not None and realized.reason else "it was not computed"
        return [Finding(State.INSUFFICIENT, f"{title(metric)} is undefined: {why}")]
    if chunk.closed and chunk.labels_due and realized is not None and realized.value is not None:
        return _partly_labelled(context, realized, realized.value, chunk)
    return []


def _partly_labelled(context: RuleContext, realized: Result, value: float, chunk: ChunkFacts) -> list[Finding]:
    state, words = _level(RuleContext(context.spec, evidence=context.evidence), realized, value)
    if state is State.OK:
        return []
    return [Finding(State.WARN, f"{words}, on the {percent(chunk.coverage)} of labels that are in.")]


def _estimated(context: RuleContext, metric: str, chunk: ChunkFacts, record: TrackRecord) -> list[Finding]:
    """Return the findings on an estimate: a note inside its bounds; outside, a warning, or an alert if trusted."""
    estimated = chunk.performance(ResultKind.ESTIMATED, metric)
    if estimated is None or estimated.value is None:
        return _no_estimate(metric, estimated)
    if _warning_bound(estimated) is None:
        words = f"Estimated {title(metric)} {readable(estimated.value)} has no bound to compare with."
        return [Finding(None, words), *_notes(estimated)]
    state, words = _level(context, estimated, estimated.value)
    if state is State.OK:
        return [Finding(None, f"Estimated {words}."), *_notes(estimated)]
    if state is State.ALERT and chunk.closed and record.trusted:
        return [Finding(State.ALERT, f"Estimated {words}; past estimates {_accuracy(record)}."), *_notes(estimated)]
    why = "the chunk is still open" if not chunk.closed else f"past estimates {_accuracy(record)}"
    return [Finding(State.WARN, f"Estimated {words}; {why}."), *_notes(estimated)]


def _notes(result: Result) -> list[Finding]:
    """Return a note on a number that has a value: why its bounds are constants."""
    return [Finding(None, result.reason)] if result.reason else []


def _no_estimate(metric: str, estimated: Result | None) -> list[Finding]:
    why = estimated.reason if estimated is not None and estimated.reason else "it was not computed"
    return [Finding(None, f"There is no estimate of {title(metric)}: {why}")]


def _accuracy(record: TrackRecord) -> str:
    if record.share is None:
        return "could not be compared yet"
    return f"held in {record.held} of {record.compared} chunks ({percent(record.share)})"


def _warning_bound(result: Result) -> float | None:
    """Return the warning bound on the worse side; None where there is none."""
    bounds = worse_side(result.method, result.bounds)
    return bounds.lower if bounds.lower is not None else bounds.upper


def _alert_bound(result: Result) -> float | None:
    bounds = worse_side(result.method, result.bounds)
    return bounds.alert_lower if bounds.alert_lower is not None else bounds.alert_upper


def _level(context: RuleContext, result: Result, value: float) -> tuple[State, str]:
    """Return the state of a value with a bound on its worse side, and the same in words."""
    state = compare(result.method, value, result.bounds)
    if state is State.ALERT and not alerts_by_bounds(context.spec, result, context.evidence):
        state = State.WARN
    bound = _alert_bound(result) if state is State.ALERT else _warning_bound(result)
    number, limit = format_distinct(value, bound if bound is not None else value)
    name = title(result.method)
    beyond = "above" if measure(result.method).worse is Worse.HIGHER else "below"
    if state is State.ALERT:
        return state, f"{name} {number} is {beyond} its alert bound {limit}"
    outside = state is State.WARN
    signs = _signs(context, result, outside)
    if signs is not None:
        where = f"{name} {number} is {beyond if outside else 'near'} its warning bound {limit}"
        return State.ALERT, where + signs
    return state, f"{name} {number} is {'' if outside else 'not '}{beyond} its warning bound {limit}"


def _signs(context: RuleContext, result: Result, outside: bool) -> str | None:
    """Return in words the signs that confirm a value near or beyond its bound; None where they are too few to alert."""
    if not alerts_by_bounds(context.spec, result, context.evidence):
        return None
    previous = context.previous
    runs = previous is not None and _is_near(context.spec, result) and _was_near(context.spec, result, previous)
    if [outside, runs, context.drifting].count(True) < SIGNS_FOR_ALERT:
        return None
    running = ", the second closed chunk running near or beyond it" if runs else ""
    return f"{running}{', while drift lasts' if context.drifting else ''}"


def _is_near(spec: Spec, result: Result) -> bool:
    """Return whether a value is near its warning bound or beyond it; only policy `driftline` defines near."""
    if result.value is None:
        return False
    expected, limit, far = result.bounds.expected, _warning_bound(result), _alert_bound(result)
    without_near = (
        spec.thresholds is not ThresholdPolicy.DRIFTLINE or spec.threshold_override(result.method) is not None
    )
    if without_near or expected is None or limit is None or far is None:
        return compare(result.method, result.value, result.bounds) is not State.OK
    distance = max(NEAR * abs(limit - expected), NEAR_ALERT * abs(far - expected))
    return (result.value - expected) * (1 if limit > expected else -1) > distance


def _was_near(spec: Spec, result: Result, previous: ChunkFacts) -> bool:
    """Return whether the same number was near its warning bound or beyond it in the previous chunk, which counts."""
    counted = previous.is_decided(spec) if result.kind is ResultKind.REALIZED else previous.is_eligible(spec)
    earlier = previous.performance(result.kind, result.method)
    return counted and earlier is not None and _is_near(spec, earlier)


def _better(result: Result, value: float) -> list[Finding]:
    """Return a note if a value is as far on the better side of the expected value as the bound is on the worse one."""
    expected, limit = result.bounds.expected, _warning_bound(result)
    if (
        expected is None
        or limit is None
        or (expected - value) * (1 if limit > expected else -1) <= abs(limit - expected)
    ):
        return []
    number, usual = format_distinct(value, expected)
    return [Finding(None, f"{title(result.method)} {number} is better than expected ({usual}).")]


def _labels_outstanding(spec: Spec, chunk: ChunkFacts) -> Finding:
    share, minimum = percent(chunk.coverage), percent(spec.label_coverage)
    if not chunk.closed:
        words = f"The chunk is still open; {share} of labels are in."
    elif not chunk.labels_due:
        words = f"Labels are not due yet; {share} are in, and early ones are a biased sample."
    else:
        words = f"Labels were due, but {share} are in and {minimum} are needed."
    return Finding(State.PENDING_LABELS, words)
