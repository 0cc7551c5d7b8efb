"""The findings from evidence: alerts within the budget, incidents, and scores without skill. No I/O here."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from driftline.engine.evidence.chunk_evidence import AlertRule, ChunkEvidence, DetectorInput
from driftline.engine.evidence.fitted import FittedEvidence
from driftline.engine.evidence.replay import replay
from driftline.engine.evidence.wording import (
    describe_alert,
    describe_incident,
    describe_no_skill,
    describe_warning,
    describe_withheld,
)
from driftline.engine.results import Result, State
from driftline.engine.spec import AlertOn, Spec, ThresholdPolicy
from driftline.engine.verdicts.chunk_facts import ChunkFacts
from driftline.engine.verdicts.drift_rule import ObservedDrift
from driftline.engine.verdicts.findings import Finding


def alert_rule(spec: Spec) -> AlertRule | None:
    """Return the rule for alerts within a budget; None where bounds alone decide about alerts."""
    if spec.alert_budget is None or spec.thresholds is not ThresholdPolicy.DRIFTLINE:
        return None
    return AlertRule(spec.alert_budget, harm_only=spec.alert_on is AlertOn.HARM)


def evidence_of(
    spec: Spec, fitted: FittedEvidence | None, chunks: Sequence[ChunkFacts], drifts: Sequence[ObservedDrift]
) -> Mapping[datetime, ChunkEvidence] | None:
    """Return the evidence of consecutive chunks, oldest first, by start; None where bounds alone decide about alerts.

    `drifts` are the drifts of the chunks, in the same order.
    """
    rule = alert_rule(spec)
    if rule is None or fitted is None:
        return None
    inputs = [
        detector_input(spec, chunk, drifting=bool(drift.lasting)) for chunk, drift in zip(chunks, drifts, strict=True)
    ]
    return replay(fitted, rule, [chunk for chunk in inputs if chunk is not None], keep_histories=False).evidence


def detector_input(spec: Spec, chunk: ChunkFacts, *, drifting: bool) -> DetectorInput | None:
    """Return the detector's input for a chunk; None where it has no rows."""
    if chunk.score_counts is None:
        return None
    closes_at = chunk.end + spec.allowed_lateness
    return DetectorInput(
        start=chunk.start,
        end=chunk.end,
        closes_at=closes_at,
        labels_at=max(closes_at, chunk.end + spec.label_delay),
        counts=chunk.score_counts,
        closed=chunk.closed,
        labels_in=chunk.labels_in(spec),
        drifting=drifting,
        weekday=chunk.start.astimezone(spec.zone).weekday(),
    )


def evidence_findings(spec: Spec, evidence: ChunkEvidence) -> list[Finding]:
    """Return the findings of a chunk's evidence: an alert, warnings, or none."""
    findings, budget = [], spec.alert_budget or 1.0
    if evidence.change is not None and evidence.alert:
        findings.append(Finding(State.ALERT, describe_alert(evidence.change, budget, spec.zone)))
    elif evidence.change is not None and evidence.withheld:
        findings.append(Finding(State.WARN, describe_withheld(evidence.change, spec.zone)))
    elif evidence.change is not None and evidence.warning:
        findings.append(Finding(State.WARN, describe_warning(evidence.change, budget, spec.zone)))
    if evidence.incident_since is not None and not evidence.alert:
        findings.append(Finding(State.WARN, describe_incident(evidence.incident_since, spec.zone)))
    if evidence.no_skill is not None:
        findings.append(Finding(State.WARN, describe_no_skill(evidence.no_skill)))
    return findings


def alerts_by_bounds(spec: Spec, result: Result, evidence: ChunkEvidence | None) -> bool:
    """Return whether a value's bounds may alert: without a budget, or if the spec overrides its threshold."""
    return evidence is None or spec.threshold_override(result.method) is not None
