"""The JSON of a chunk and a result, the same in a backtest's file and in the monitor's API. No I/O here."""

import json
import sys
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from driftline.engine.catalogue import Problem
from driftline.engine.evidence.chunk_evidence import Change, ChunkEvidence
from driftline.engine.evidence.families import Family
from driftline.engine.results import Metric, Result, ResultKind, State, SubjectKind
from driftline.engine.spec import Spec
from driftline.report.view import ChunkView

UtcInstant = Annotated[datetime, AfterValidator(lambda instant: instant.astimezone(UTC))]
"""An aware instant, written in UTC with a Z."""


def utc_text(instant: datetime) -> str:
    """Return an aware instant in ISO 8601, in UTC with a Z."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


class Out(BaseModel):
    """The base of all JSON objects here: no number is NaN or infinite."""

    model_config = ConfigDict(allow_inf_nan=False, frozen=True)


class ResultOut(Out):
    """One number of a chunk; `value` is null where it is undefined, and `reason` says why."""

    subject: str = Field(description="a column, or `model` for the model as a whole")
    subject_kind: SubjectKind = Field(description="what the subject is: a feature may be called `model` too")
    kind: ResultKind
    method: str = Field(description="the metric or method, such as `roc_auc` or `jensen_shannon`")
    value: float | None
    lower: float | None = Field(description="lower warning bound")
    upper: float | None = Field(description="upper warning bound")
    sampling_error: float | None = Field(description="one standard error of the value")
    state: State
    reason: str | None
    p_value: float | None
    segment: str | None = Field(None, description="the rows, such as `region=EU`; null is all rows")
    rows: int = Field(description="the number of rows that the value was computed from")
    expected: float | None = Field(description="mean of the reference's chunks")
    alert_lower: float | None = Field(description="lower alert bound")
    alert_upper: float | None = Field(description="upper alert bound")
    effect: float | None = Field(description="size of a change on a scale that depends on no unit or number of rows")

    @classmethod
    def of(cls, result: Result) -> Self:
        """Return the JSON object of a result."""
        return cls(**result_values(result))


def result_values(result: Result) -> dict[str, Any]:
    """Return the fields of `ResultOut` by name, as plain JSON values."""
    bounds = result.bounds
    return {
        "subject": result.subject,
        "subject_kind": (result.subject_kind or SubjectKind.FEATURE).value,
        "kind": result.kind.value,
        "method": str(result.method),
        "value": result.value,
        "lower": bounds.lower,
        "upper": bounds.upper,
        "sampling_error": result.sampling_error,
        "state": result.state.value,
        "reason": result.reason,
        "p_value": result.p_value,
        "segment": result.segment,
        "rows": result.rows,
        "expected": bounds.expected,
        "alert_lower": bounds.alert_lower,
        "alert_upper": bounds.alert_upper,
        "effect": result.effect,
    }


class EvidenceLevel(StrEnum):
    """How far the evidence for a change goes."""

    WARNING = "warning"
    WITHHELD = "withheld"
    ALERT = "alert"


class ChangeOut(Out):
    """The change that the detector has the most evidence for, and how sure it is."""

    quantity: Family
    metric: Metric | None = Field(description="null for the share of positives, mean residuals and expected losses")
    label: str | None = Field(description="the class that is compared with the rest, of a multiclass model")
    since: UtcInstant = Field(description="start of the chunk from which on the evidence grew")
    observed: float = Field(description="the value since then, over all rows")
    usual: float = Field(description="the value that the reference, or these scores, let expect")
    difference: float = Field(description="observed less usual")
    log_evidence: float | None = Field(
        description="natural logarithm of how much likelier the data since then is with the change; null: not recorded"
    )
    share_of_alert: float | None = Field(
        description="all evidence as a share of what an alert requires: a warning from 0.1, an alert from 1"
    )


class EvidenceOut(Out):
    """What the detector says about a chunk: it alerts so rarely by chance as the spec's `alert_budget` says."""

    level: EvidenceLevel | None = Field(description="`withheld`: enough for an alert, but no metric is worse yet")
    change: ChangeOut | None
    incident_since: UtcInstant | None = Field(description="the alert whose incident was open when the chunk closed")
    no_skill: float | None = Field(description="the ROC AUC, where it is not distinguishable from 0.5")


class ChunkBrief(Out):
    """A chunk with its verdict; `revision` is null where nothing is stored, as in a backtest."""

    start: UtcInstant
    end: UtcInstant
    rows: int
    labelled: int = Field(description="the number of rows whose label is in")
    status: Literal["open", "closed"]
    closed: bool
    labels_due: bool
    waiting: bool = Field(description="the chunk's content changed and the next poll computes it")
    revision: int | None
    computed_at: UtcInstant | None
    labels_as_of: UtcInstant | None
    verdict: State
    provisional: bool = Field(description="rows or labels still to come may change the verdict")
    reasons: tuple[str, ...] = Field(description="in plain words, most severe first")
    drifted: tuple[str, ...] = Field(description="columns whose drift lasts")
    drift_seen: tuple[str, ...] = Field(description="columns that drifted in this chunk, whether it lasts or not")
    evidence: EvidenceOut | None = Field(
        description="what the detector says; null where it says nothing, or bounds alone decide about alerts"
    )

    @classmethod
    def of(cls, spec: Spec, view: ChunkView) -> "ChunkBrief":
        """Return the JSON object of a chunk without its results."""
        return ChunkBrief(**chunk_values(spec, view))


class ChunkOut(ChunkBrief):
    """A chunk with its verdict and all its results."""

    results: tuple[ResultOut, ...]

    @classmethod
    def of(cls, spec: Spec, view: ChunkView) -> "ChunkOut":
        """Return the JSON object of a chunk."""
        return ChunkOut(**chunk_values(spec, view), results=tuple(map(ResultOut.of, view.results)))


def chunk_values(spec: Spec, view: ChunkView) -> dict[str, Any]:
    """Return the fields of `ChunkBrief` by name, as plain JSON values."""
    return {
        "start": utc_text(view.start),
        "end": utc_text(view.end),
        "rows": view.rows,
        "labelled": view.labelled,
        "status": view.status,
        "closed": view.closed,
        "labels_due": view.labels_due,
        "waiting": view.waiting,
        "revision": view.revision,
        "computed_at": view.computed_at and utc_text(view.computed_at),
        "labels_as_of": view.labels_as_of and utc_text(view.labels_as_of),
        "verdict": view.verdict.state.value,
        "provisional": view.verdict.provisional,
        "reasons": list(view.verdict.reasons),
        "drifted": list(view.verdict.drifted),
        "drift_seen": sorted(view.drifted_subjects(spec)),
        "evidence": evidence_values(view.evidence),
    }


def evidence_values(evidence: ChunkEvidence | None) -> dict[str, Any] | None:
    """Return the fields of `EvidenceOut` by name, as plain JSON values; None where there is nothing to say."""
    if evidence is None or evidence == ChunkEvidence():
        return None
    flags = ((evidence.alert, EvidenceLevel.ALERT), (evidence.withheld, EvidenceLevel.WITHHELD))
    level = next((level.value for flag, level in (*flags, (evidence.warning, EvidenceLevel.WARNING)) if flag), None)
    return {
        "level": level,
        "change": evidence.change and _change_values(evidence.change),
        "incident_since": evidence.incident_since and utc_text(evidence.incident_since),
        "no_skill": evidence.no_skill,
    }


def _change_values(change: Change) -> dict[str, Any]:
    """Return the JSON object of a change."""
    return {
        "quantity": change.family.value,
        "metric": change.metric and change.metric.value,
        "label": change.label,
        "since": utc_text(change.since),
        "observed": change.observed,
        "usual": change.usual,
        "difference": change.observed - change.usual,
        "log_evidence": change.log_evidence,
        "share_of_alert": change.share_of_alert,
    }


class ReferenceOut(Out):
    """The rows that chunks are compared with: from the first to the last event, both included."""

    model_config = ConfigDict(populate_by_name=True)

    rows: int
    since: UtcInstant = Field(alias="from")
    until: UtcInstant
    chunks: int


class InferenceOut(Out):
    """A setting that the request left open: the value that was inferred, and the rule."""

    what: str
    value: str
    rule: str


class BacktestOut(Out):
    """A backtest: its chunks, oldest first, and what was inferred."""

    model: str
    problem: Problem
    reference: ReferenceOut
    chunk: str = Field(description="how the rows were cut: a period such as `1w`, `rows:5000` or `count:20`")
    time_zone: str
    inferred: tuple[InferenceOut, ...]
    notes: tuple[str, ...] = Field(description="what contradicts the expectations of the data; to be read first")
    chunks: tuple[ChunkOut, ...]


def backtest_json_schema() -> str:
    """Return the JSON schema of a backtest's JSON, as `docs/reference/backtest.schema.json` holds it."""
    described = BacktestOut.model_json_schema(mode="serialization", by_alias=True)
    for definition in described["$defs"].values():
        if "enum" in definition:  # its description is about the code
            definition.pop("description", None)
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **described}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(backtest_json_schema())
