"""The verdict of a chunk, derived from its results and the chunks just before it. No I/O here."""

from collections.abc import Iterable, Mapping

from driftline.engine.evidence.chunk_evidence import ChunkEvidence
from driftline.engine.results import State, Verdict, is_of_model
from driftline.engine.spec import Spec
from driftline.engine.verdicts.chunk_facts import ChunkFacts, last_closed
from driftline.engine.verdicts.drift_rule import WINDOW, ObservedDrift, drift_findings, drift_of
from driftline.engine.verdicts.evidence_rule import evidence_findings
from driftline.engine.verdicts.findings import Finding, gravest, reasons
from driftline.engine.verdicts.performance_rule import performance_findings
from driftline.engine.verdicts.track_record import TrackRecord

LOOKBACK = WINDOW - 1
"""How many preceding closed chunks a verdict reads, and so how many later verdicts a change may affect."""


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
    them an estimate warns at most. `evidence` is what the detector says of the chunk, None where bounds alone alert;
    `drift` what drifted in it, where that is known. The gravest finding is the state:

    - Realized performance decides once the chunk is closed, its labels due and enough of them in. It alone can be ok.
      Beyond the warning bound it warns. It alerts beyond the alert bound, and where two of these hold: it is beyond the
      warning bound; it is the second consecutive closed chunk near or beyond it; drift lasts.
    - Before labels are due realized values are not used; after it, with less coverage, they warn at most.
    - Where it cannot decide, the estimate may warn, or alert by the same rule if past estimates held; never in an open
      chunk. Inside its bounds the chunk is pending_labels.
    - With `evidence` that, and not bounds, alerts: beyond an alert bound performance warns, unless the spec overrides
      the metric's threshold. An open incident, and a score that ranks no better than chance, warn.
    - Drift, data quality included, warns when it lasts (`drift_findings`), and alerts where `spec.drift_alerts`.

    The verdict is provisional while the chunk is open or labels outstanding may still change it.
    """
    if chunk.rows == 0:
        return Verdict(State.NO_DATA, ("There are no predictions in this chunk.",), provisional=not chunk.closed)
    if chunk.rows < spec.minimum_rows:
        reason = f"{chunk.rows} rows are fewer than the minimum of {spec.minimum_rows}."
        findings = [Finding(State.INSUFFICIENT, reason), *(evidence_findings(spec, evidence) if evidence else ())]
        return Verdict(gravest(findings), reasons(findings), provisional=not chunk.closed)
    earlier = last_closed(preceding, chunk.start, LOOKBACK)
    previous = earlier[-1] if earlier else None
    drift = drift or drift_of(spec, chunk, earlier)
    findings = evidence_findings(spec, evidence) if evidence else []
    findings += performance_findings(
        spec, chunk, previous, records or {}, drifting=bool(drift.lasting), evidence=evidence
    )
    findings += drift_findings(spec, chunk, drift)
    drifted = dict.fromkeys(sorted(column for kind, column, method in drift.lasting if not is_of_model(kind, method)))
    return Verdict(gravest(findings), reasons(findings), provisional=not chunk.settled(spec), drifted=tuple(drifted))
