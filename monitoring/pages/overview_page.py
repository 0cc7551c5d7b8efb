"""What the overview shows, prepared for the template. No I/O here."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from driftline.engine.calendar import label_deadline
from driftline.engine.results import State
from driftline.engine.spec import ModelClock, Spec
from driftline.report.wording import MOST_SEVERE_FIRST, PERIOD_WORDS, STATE_WORDS, StateWords, period_label
from monitoring.report.advice import REGISTER_MODEL, Advice
from monitoring.report.overview import Attention, ModelOverview, Overview, RecentChunk


@dataclass(frozen=True, slots=True)
class RecentCell:
    """A chunk in the strip of a model: its state, and its label and verdict in words."""

    state: State
    provisional: bool
    words: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """The labels that have come of those that are due: `share` from 0 to 1, and whether it is enough for verdicts."""

    share: float
    enough: bool
    rows: int


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A model of the overview.

    `since` is the start of the first chunk of the current state, `lasting` how many chunks have it; `whole_strip` means
    that all shown chunks have it. `coverage` is None where no labels are due.
    """

    model: ModelOverview
    words: StateWords
    period: str
    cells: tuple[RecentCell, ...]
    since: str
    lasting: int
    whole_strip: bool
    reason: str
    coverage: Coverage | None
    computed_at: datetime | None

    @property
    def name(self) -> str:
        """The name of the model."""
        return self.model.summary.name


@dataclass(frozen=True, slots=True)
class StateCount:
    """How many models are in a state; a link of the overview selects them."""

    state: State
    words: StateWords
    count: int


@dataclass(frozen=True, slots=True)
class OverviewPage:
    """One page of the overview: models that need attention come first, then the others.

    `owners` are those of all models, each with how many models it has.
    """

    urgent: tuple[ModelRow, ...]
    not_urgent: tuple[ModelRow, ...]
    selected: int
    total: int
    in_need: int
    states: tuple[StateCount, ...]
    owners: tuple[tuple[str, int], ...]
    number: int
    pages: int
    advice: tuple[Advice, ...]


def overview_page(overview: Overview) -> OverviewPage:
    """Return what the overview shows."""
    models, now = overview.models, overview.now
    rows = [_row(model, overview.recent.get(model.key, ()) if model.key else (), now) for model in overview.page]
    counts = Counter(model.state for model in models)
    return OverviewPage(
        urgent=tuple(row for row in rows if row.model.attention.is_needed),
        not_urgent=tuple(row for row in rows if not row.model.attention.is_needed),
        selected=overview.selected,
        total=len(models),
        in_need=sum(model.attention.is_needed for model in models),
        owners=tuple(sorted(Counter(owner for model in models if (owner := model.summary.owner)).items())),
        states=tuple(StateCount(s, STATE_WORDS[s], counts[s]) for s in MOST_SEVERE_FIRST if counts[s]),
        number=overview.number,
        pages=overview.pages,
        advice=() if models else (REGISTER_MODEL,),
    )


def _row(model: ModelOverview, recent: Sequence[RecentChunk], now: datetime) -> ModelRow:
    """Return the row of a model: its strip of chunks, how long its state has lasted, and the reason."""
    spec = None if model.summary.spec is None else Spec.model_validate(model.summary.spec)
    closed = [chunk for chunk in recent if chunk.closed] or list(recent)
    lasting = _lasting(closed)
    return ModelRow(
        model=model,
        words=STATE_WORDS[model.state],
        period=PERIOD_WORDS[spec.period] if spec else "",
        cells=tuple(_cell(spec, chunk) for chunk in recent if spec),
        since=period_label(closed[-lasting].chunk.start, spec.period, spec.zone) if spec and lasting else "",
        lasting=lasting,
        whole_strip=0 < lasting == len(closed),
        reason=_reason(model, closed[-1] if closed else None),
        coverage=_coverage(spec, recent, model, now) if spec else None,
        computed_at=max((chunk.computed_at for chunk in recent), default=None),
    )


def _lasting(closed: Sequence[RecentChunk]) -> int:
    """Return how many of the newest chunks have the state of the last one."""
    states = [chunk.state for chunk in reversed(closed)]
    return next((n for n, state in enumerate(states) if state is not states[0]), len(states))


def _reason(model: ModelOverview, newest: RecentChunk | None) -> str:
    """Return why the model has its state, in one or two sentences."""
    if model.attention is Attention.NOT_STARTED:
        return "No predictions have come yet." if model.summary.version else "No version is ready."
    if model.pending.failed:
        return f"{model.pending.failed} chunk{'s' if model.pending.failed > 1 else ''} could not be computed."
    return f"{newest.reason} {newest.further_reason}".strip() if newest else ""


def _cell(spec: Spec, chunk: RecentChunk) -> RecentCell:
    note = ", provisional" if chunk.provisional else ""
    label = period_label(chunk.chunk.start, spec.period, spec.zone)
    return RecentCell(chunk.state, chunk.provisional, f"{label}: {STATE_WORDS[chunk.state].word}{note}. {chunk.reason}")


def _coverage(spec: Spec, recent: Sequence[RecentChunk], model: ModelOverview, now: datetime) -> Coverage | None:
    """Return the coverage of the shown chunks whose labels are due."""
    clock = now if spec.clock is ModelClock.WALL else model.newest_event
    due = [chunk for chunk in recent if clock is not None and clock >= label_deadline(spec, chunk.chunk)]
    rows = sum(chunk.rows for chunk in due)
    if not rows:
        return None
    share = sum(chunk.labelled for chunk in due) / rows
    return Coverage(share, share >= spec.label_coverage, rows)
