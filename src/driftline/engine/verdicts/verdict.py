"""The verdict of a chunk, derived from its results and the chunks just before it. No I/O here."""

from collections.abc import Iterable, Mapping

from driftline.engine.evidence.chunk_evidence import ChunkEvidence
from driftline.engine.results import State, Verdict, is_of_model
from driftline.engine.spec import Spec
from driftline.engine.verdicts.chunk_facts import ChunkFacts, last_closed
from driftline.engine.verdicts.drift_rule import WINDOW, ObservedDrift, drift_findings, drift_of
from driftline.engine.verdicts.evidence_rule import evidence_findings
from driftline.engine.verdicts.findings import Finding, most_severe, reasons
from driftline.engine.verdicts.performance_rule import performance_findings
from driftline.engine.verdicts.track_record import TrackRecord

LOOKBACK = WINDOW - 1
"""The number of preceding closed chunks that a verdict reads, and of later verdicts that a change may affect."""


def verdict_of(
    spec: Spec,
    chunk: ChunkFacts,
    preceding: Iterable[ChunkFacts] = (),
    records: Mapping[str, TrackRecord] | None = None,
    *,
    evidence: ChunkEvidence | None = None,
    drift: ObservedDrift | None = None,
) -> Verdict:
    """Derive the verdict of `chunk`.

    Of `preceding`, in any order, the last `LOOKBACK` closed chunks that start earlier are read; chunks without rows may
    be among them, and break a run. `records` are the track records of estimates by metric (`track_records`); without
    them an estimate warns at most. `evidence` is the detector's about the chunk, None where bounds alone decide about
    alerts; `drift` is that of the chunk, if already derived. The most severe finding is the state:

    - Realized performance decides once the chunk is closed, its labels due and enough of them in. Only then can a chunk
      be ok. A value beyond its warning bound warns. It alerts beyond its alert bound, and where two of these hold: it
      is beyond its warning bound; the chunk is the second consecutive closed one near or beyond it; drift lasts.
    - Before labels are due, realized values are not used; afterwards, with too few labels, they warn at most.
    - Where realized performance cannot decide, an estimate may warn, or alert by the same rule if past estimates held,
      but never in an open chunk. With estimates inside their bounds the chunk is pending_labels.
    - With `evidence`, only the evidence alerts: performance beyond an alert bound warns, unless the spec overrides the
      metric's threshold. An open incident, and a score that ranks no better than chance, warn.
    - Drift, data quality included, warns when it lasts (`drift_findings`), or alerts if `spec.drift_alerts` is set. A
      column that half of the rows or more have lost, compared with the reference, alerts at once.

    The verdict is provisional while the chunk is open or labels outstanding may still change it.
    """
    if chunk.rows == 0:
        return Verdict(State.NO_DATA, ("There are no predictions in this chunk.",), provisional=not chunk.closed)
    if chunk.rows < spec.minimum_rows:
        rows = "1 row is" if chunk.rows == 1 else f"{chunk.rows} rows are"
        reason = f"{rows} fewer than the minimum of {spec.minimum_rows}."
        findings = [Finding(State.INSUFFICIENT, reason), *(evidence_findings(spec, evidence) if evidence else ())]
        return Verdict(most_severe(findings), reasons(findings), provisional=not chunk.closed)
    earlier = last_closed(preceding, chunk.start, LOOKBACK)
    previous = earlier[-1] if earlier else None
    drift = drift or drift_of(spec, chunk, earlier)
    findings = evidence_findings(spec, evidence) if evidence else []
    findings += performance_findings(
        spec, chunk, previous, records or {}, drifting=bool(drift.lasting), evidence=evidence
    )
    findings += drift_findings(spec, chunk, drift)
    certain = drift.lasting | drift.lost
    drifted = dict.fromkeys(sorted(column for kind, column, method in certain if not is_of_model(kind, method)))
    return Verdict(
        most_severe(findings), reasons(findings), provisional=not chunk.is_decided(spec), drifted=tuple(drifted)
    )
