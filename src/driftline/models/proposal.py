"""Proposes a model from its reference: the spec, the layout and what the monitor will be able to see."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from driftline.backtesting.execution.workers import choose_map
from driftline.backtesting.inference import Inference
from driftline.backtesting.input.rows import Rows
from driftline.backtesting.input.sources.sources import TableSource
from driftline.backtesting.input.split import Progress
from driftline.backtesting.request.chunking import ENOUGH_CHUNKS, Cut
from driftline.backtesting.request.inference.layout_inference import infer_layout
from driftline.backtesting.request.layout import Layout
from driftline.backtesting.request.proposal import propose_chunk
from driftline.backtesting.request.resolved import ResolvedRequest
from driftline.backtesting.request.stored import stored_layout
from driftline.engine.chunking.chunks import split_by_chunk
from driftline.engine.evaluation.reference import FittedReference, fit_reference
from driftline.engine.evidence.visible_change import VisibleChange
from driftline.engine.evidence.wording import describe_visible
from driftline.engine.results import EVENT_TIME
from driftline.engine.spec import ModelClock, Period, Spec
from driftline.errors import InvalidInput
from driftline.models.reference_rows import engine_rows, read_reference_rows
from driftline.monitor import FittedMonitor
from driftline.store.versions.model_layout import ModelLayout
from driftline.store.versions.references import REFERENCE_CHUNKS, require_long_enough
from driftline.store.versions.registry import Candidate
from driftline.store.versions.storable_names import require_storable

LONGEST_FIRST = (Period.QUARTER, Period.MONTH, Period.WEEK, Period.DAY, Period.HOUR)


@dataclass(frozen=True, slots=True, eq=False)
class Proposal:
    """A model as it would be registered: shown before it is accepted.

    `layout` says which column of the reference is which, `inferred` what the request left open. `reference` has the
    engine's columns; `fitted` is fitted on it. `visible_changes` are the smallest changes that alerts find 8 times in
    10, and `proposed_period` a longer period where chunks see too little; none where bounds alone alert, for which
    `no_evidence` has the reason unless it is the spec. `artifact_uri` is where the trained model is, for programs that
    serve it, and `origin` where its training is recorded. `owner` is the model's from its registration on; None leaves
    it as it is.
    """

    name: str
    spec: Spec
    layout: ModelLayout
    inferred: tuple[Inference, ...]
    reference: pd.DataFrame
    fitted: FittedReference
    visible_changes: tuple[VisibleChange, ...]
    proposed_period: Period | None
    no_evidence: str | None
    artifact_uri: str | None = None
    origin: Mapping[str, Any] = field(default_factory=dict)
    owner: str | None = None

    @property
    def visible_lines(self) -> tuple[str, ...]:
        """What alerts find, in words."""
        return describe_visible(self.visible_changes, self.proposed_period, self.no_evidence)

    @property
    def training_hash(self) -> str:
        """Identifies the reference, its spec, layout and artifact: the same again is the same version."""
        artifact = (self.artifact_uri,) if self.artifact_uri else ()
        parts = (self.fitted.content_hash, self.spec.model_dump_json(), self.layout.to_json(), *artifact)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    @property
    def candidate(self) -> Candidate:
        """The version to register."""
        details = {"inferred": [str(inference) for inference in self.inferred], **self.origin}
        return Candidate(
            self.name,
            self.spec,
            self.training_hash,
            self.reference,
            self.artifact_uri,
            details,
            self.layout,
            self.fitted,
            self.owner,
        )


def propose_model(
    source: TableSource,
    request: ResolvedRequest,
    name: str,
    progress: Progress = lambda doing, rows: None,
    *,
    forks: bool = False,
) -> Proposal:
    """Infer a model from its reference, and fit it; nothing is stored.

    All rows are the reference, or those before the request's end of the reference. `request` must have been checked
    against the source's columns. `forks` as in `driftline.backtesting.execution.workers.choose_map`.

    Raises:
        InvalidInput: the rows do not fit the request, chunks are not calendar periods, or the reference is too short.
    """
    rows, notes = read_reference_rows(source, request, progress)
    cut, chunk_notes = _calendar_cut(request, rows)
    fields = {name: value for name, value in request.fields.items() if name != "period"}
    inferred = infer_layout(request, rows, {**fields, "period": cut.period})
    spec = inferred.verdict_spec.model_copy(update={"clock": _clock(request.fields)})
    require_storable(name, spec)
    layout = replace(inferred, spec=spec)
    try:
        fitted, reference = _fit(layout, rows, progress, forks=forks)
    except InvalidInput as error:
        details = tuple(map(layout.rename_in_text, error.details))
        raise InvalidInput(layout.rename_in_text(error.message), details=details) from error
    monitor = FittedMonitor(spec, fitted)
    return Proposal(
        name=name,
        spec=spec,
        layout=stored_layout(layout, request).with_id(),
        inferred=(*source.notes, *chunk_notes, *layout.inferred, *notes, *_stray_notes(layout, rows, request)),
        reference=reference,
        fitted=fitted,
        visible_changes=monitor.visible_changes(),
        proposed_period=monitor.proposed_period(),
        no_evidence=monitor.no_evidence,
    )


def _fit(layout: Layout, rows: Rows, progress: Progress, *, forks: bool) -> tuple[FittedReference, pd.DataFrame]:
    """Return the fitted reference, and its rows as they are stored."""
    progress("fitting the reference", 0)
    shaped = layout.shape(rows)
    fitted = fit_reference(shaped, layout.spec, mapper=choose_map(len(rows), forks=forks))
    require_long_enough(fitted, layout.spec)
    return fitted, engine_rows(shaped, layout.spec)


def _clock(fields: Mapping[str, Any]) -> ModelClock:
    """Return the clock that the spec names; a service runs by the wall's by default."""
    return ModelClock(fields.get("clock", ModelClock.WALL))


def _calendar_cut(request: ResolvedRequest, rows: Rows) -> tuple[Cut, tuple[Inference, ...]]:
    """Return the period that was requested or fits; raise InvalidInput for chunks that are not periods."""
    cut, notes = propose_chunk(request, rows, len(rows))
    if cut.period is not None:
        return cut, notes
    if request.cut is not None:
        raise InvalidInput(
            f"The chunks of a registered model are calendar periods, not {cut.text}; pass "
            f"{request.option('chunk', '1d')} or one of {', '.join(Period)}."
        )
    frame = pd.DataFrame({EVENT_TIME: pd.DatetimeIndex(rows.times.view("datetime64[us]"), tz="UTC")})
    for period in LONGEST_FIRST:
        chunks = sum(1 for _ in split_by_chunk(frame, period, request.zone))
        if chunks >= REFERENCE_CHUNKS:
            rule = f"the longest period with {ENOUGH_CHUNKS} chunks in the reference; each has few rows"
            return Cut(period=period), (Inference("chunk", period.value, rule, notable=True),)
    raise InvalidInput(
        f"The reference is too short: it has fewer than {REFERENCE_CHUNKS} hours with rows; give a longer one."
    )


def _stray_notes(layout: Layout, rows: Rows, request: ResolvedRequest) -> Iterator[Inference]:
    """Yield the values that count as missing because they are not numbers."""
    for name, values in layout.strays(rows).items():
        rule = f"counted as missing; clean it, or pass {request.option('categorical', [name])}"
        yield Inference("not a number", f"column {name!r} has {values}", rule, notable=True)
