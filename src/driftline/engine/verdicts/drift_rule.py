"""The findings on drift and data quality: which subjects drifted, and whether the drift lasts. No I/O here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from driftline.engine.catalogue import measure, title
from driftline.engine.number_format import format_distinct, p_value_text, readable
from driftline.engine.quality.wording import describe_fault
from driftline.engine.results import Bounds, Quality, Result, ResultKind, State, SubjectKind
from driftline.engine.spec import Spec, ThresholdPolicy
from driftline.engine.thresholds.comparison import P_VALUE_LEVEL, worse_side
from driftline.engine.verdicts.chunk_facts import ChunkFacts
from driftline.engine.verdicts.findings import Finding

LASTING = 2
"""Drift lasts if it occurs in this many closed chunks of a window, the chunk itself among them."""
WINDOW = 3
"""The number of closed chunks of the window, the chunk itself included."""

LOST = 0.5
"""A column is lost where its share of missing values exceeds the reference's by this much, which is never chance."""

_KINDS = (ResultKind.DRIFT, ResultKind.MULTIVARIATE, ResultKind.QUALITY)
Subject = tuple[ResultKind, str, str]
"""A subject that can drift: a kind, a column (or the model) and a data quality method, "" for the distribution."""


@dataclass(frozen=True, slots=True)
class ObservedDrift:
    """The subjects that drifted in a chunk, with a reason for each (`drift_reasons`), and those whose drift lasts.

    `lost` are the columns whose share of missing values in the closed chunk exceeds the reference's by `LOST`.
    """

    reasons: Mapping[Subject, str]
    lasting: frozenset[Subject]
    lost: frozenset[Subject] = frozenset()


def drift_of(spec: Spec, chunk: ChunkFacts, preceding: Sequence[ChunkFacts]) -> ObservedDrift:
    """Return the drift of a chunk; it lasts if it occurs in this closed chunk and in another of the last 3.

    `preceding` are the closed chunks directly before, oldest first; only those of the window are read. Each data
    quality method, and the distribution, is judged separately: one does not make another last.
    """
    reasons = drift_reasons(spec, chunk)
    if not reasons or not chunk.is_eligible(spec):
        return ObservedDrift(reasons, frozenset())
    earlier = [drift_reasons(spec, c) for c in preceding[-(WINDOW - 1) :] if c.is_eligible(spec)]
    return ObservedDrift(
        reasons,
        frozenset(key for key in reasons if 1 + sum(key in earlier_reasons for earlier_reasons in earlier) >= LASTING),
        frozenset(_lost(spec, chunk) & reasons.keys()),
    )


def _lost(spec: Spec, chunk: ChunkFacts) -> set[Subject]:
    """Return the columns whose share of missing values has risen by `LOST`; none by NannyML's policy."""
    if spec.thresholds is not ThresholdPolicy.DRIFTLINE:
        return set()
    missing = (r for r in chunk.of_kind(ResultKind.QUALITY) if r.method == Quality.MISSING_VALUES)
    return {_subject(result) for result in missing if (result.effect or 0.0) >= LOST}


def drift_findings(spec: Spec, chunk: ChunkFacts, drift: ObservedDrift) -> list[Finding]:
    """Return a finding for each drifted subject: lasting drift warns (or alerts, by `drift_alerts`), other is a note.

    A lost column alerts in its first chunk. Row count and freshness have no effect floor: in a closed chunk they count
    if they are beyond their bounds.
    """
    lasting_state = State.ALERT if spec.drift_alerts else State.WARN
    return [
        Finding(State.ALERT, f"{reason}; half of the rows or more do not lose a column by chance.")
        if key in drift.lost
        else Finding(lasting_state, f"{reason}, and it lasts.")
        if key in drift.lasting
        else Finding(None, f"{reason}; {_not_yet(chunk)}.")
        for key, reason in drift.reasons.items()
    ]


def drift_reasons(spec: Spec, chunk: ChunkFacts) -> dict[Subject, str]:
    """Return the subjects that drifted in this chunk, with a reason for each; none with too few rows.

    A method counts if its value is outside its bound and its effect above its floor. For methods without a bound the
    effect decides alone; for those without a floor, or with a threshold override, the bound does. Where a column
    has p-values, one of them must also be significant at a false discovery rate of 5 % over the chunk's columns. The
    label counts only in a chunk that is decided: early labels are a biased sample. The result is cached in the chunk.
    """
    cached_spec, reasons = chunk.derived.get("drift_reasons", (None, {}))
    if cached_spec is not spec:
        reasons = _compute_drift_reasons(spec, chunk)
        chunk.derived["drift_reasons"] = spec, reasons
    return dict(reasons)


def _compute_drift_reasons(spec: Spec, chunk: ChunkFacts) -> dict[Subject, str]:
    """Return the subjects that drifted in a chunk, with a reason for each."""
    if chunk.rows < spec.minimum_rows:
        return {}
    results = [
        r
        for kind in _KINDS
        for r in chunk.of_kind(kind)
        if r.subject_kind is not SubjectKind.LABEL or chunk.is_decided(spec)
    ]
    dismissed = _dismissed(results)
    reasons: dict[Subject, str] = {}
    for result in results:
        key = _subject(result)
        if (
            key not in dismissed
            and _outside(spec, result)
            and (chunk.closed or not measure(result.method).closed_chunks_only)
        ):
            reasons.setdefault(key, _reason(result))
    return reasons


def discoveries(p_values: Sequence[float], rate: float = P_VALUE_LEVEL) -> tuple[bool, ...]:
    """Return which tests are significant at a false discovery rate of `rate` (Benjamini and Hochberg 1995)."""
    ranked = sorted(p_values)
    passing = [p for rank, p in enumerate(ranked, start=1) if p <= rank / len(ranked) * rate]
    return tuple(bool(passing) and p <= passing[-1] for p in p_values)


def _subject(result: Result) -> Subject:
    return (result.kind, result.subject, result.method if result.kind is ResultKind.QUALITY else "")


def _dismissed(results: Sequence[Result]) -> frozenset[Subject]:
    """Return the columns that have p-values, none of them significant."""
    tested = [(r, r.p_value) for r in results if r.value is not None and r.p_value is not None]
    significant = discoveries([p for _, p in tested])
    discovered = {_subject(r) for (r, _), hit in zip(tested, significant, strict=True) if hit}
    return frozenset(_subject(r) for r, _ in tested) - discovered


def _outside(spec: Spec, result: Result) -> bool:
    if result.value is None:
        return False
    bounds = worse_side(result.method, result.bounds)
    floor = measure(result.method).effect_floor
    if floor is None or spec.threshold_override(result.method) is not None:
        return bounds.breaches_warning_bound(result.value)
    effect = _effect(result)
    if effect is None or effect <= floor:
        return False
    return _unbounded(bounds) or bounds.breaches_warning_bound(result.value)


def _unbounded(bounds: Bounds) -> bool:
    return bounds.lower is None and bounds.upper is None


def _effect(result: Result) -> float | None:
    if result.effect is None and measure(result.method).effect_is_value:
        return result.value
    return result.effect


def _reason(result: Result) -> str:
    if result.kind is ResultKind.QUALITY:
        return describe_fault(result)
    tested = "" if result.p_value is None else f" ({p_value_text(result.p_value)})"
    subject = "All features together" if result.kind is ResultKind.MULTIVARIATE else result.subject
    return f"{subject} drifted: {title(result.method)} {_excess(result)}{tested}"


def _excess(result: Result) -> str:
    """Return in words which bound a value is beyond, or its effect where it has no bound."""
    value = result.value or 0.0
    bounds = worse_side(result.method, result.bounds)
    if bounds.upper is not None and value > bounds.upper:
        number, bound = format_distinct(value, bounds.upper)
        return f"{number} is above its bound {bound}"
    if bounds.lower is not None:
        number, bound = format_distinct(value, bounds.lower)
        return f"{number} is below its bound {bound}"
    floor = measure(result.method).effect_floor
    return f"{readable(value)} has an effect of {_effect(result):.3g}, above the floor {floor:g}"


def _not_yet(chunk: ChunkFacts) -> str:
    return "seen in one closed chunk so far" if chunk.closed else "the chunk is still open"
