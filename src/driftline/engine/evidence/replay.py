"""Applies the detector to chunks in the order in which their scores and labels arrived. No I/O here.

The detector reads a chunk twice: its scores when it closes, and its labels when they are due. Each reading is a step;
a tick is all steps of the same instant.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from heapq import merge
from itertools import groupby
from typing import Any, Self

import numpy as np

from driftline.engine.evidence.chunk_evidence import AlertRule, Change, ChunkEvidence, DetectorInput
from driftline.engine.evidence.detector import DetectorIncident, DetectorState, Trends, state_from_values, state_values
from driftline.engine.evidence.families import Stage
from driftline.engine.evidence.fitted import FittedEvidence
from driftline.engine.evidence.scores.counts import Counts
from driftline.engine.frames.columns import FloatArray

WARNING_SHARE = 0.1
"""A warning begins at this share of the threshold of alerts."""
WARNING_CHUNKS = 2.0
"""A warning also requires this many times what a chunk without evidence adds, for chunks of a month and longer."""
HARM = 0.85
"""With `alert_on: harm` an alert requires a metric's estimated drop to reach this share of its margin."""
PAGE = 500
"""The evidence of this many chunks is computed at a time, which bounds the memory of a long replay."""


@dataclass(frozen=True, slots=True, eq=False)
class DetectorHistory:
    """The state of the detector between chunks: ratios and saved mass, trends, the incident, and incomplete blocks."""

    state: DetectorState
    trends: Trends
    incident: DetectorIncident
    open_blocks: Mapping[Stage, Counts]

    @classmethod
    def start(cls, fitted: FittedEvidence, rule: AlertRule) -> Self:
        """Return the history before any chunk."""
        count = fitted.components.count
        blocks = {stage: fitted.empty_counts() for stage in Stage}
        return cls(DetectorState.start(rule.budget, count), Trends.start(count), DetectorIncident(), blocks)

    def to_dict(self) -> dict[str, Any]:
        """Return the history as JSON-compatible values."""
        blocks = {stage.value: counts.to_list() for stage, counts in self.open_blocks.items() if counts.has_rows}
        return {**state_values(self.state, self.trends, self.incident), "open_blocks": blocks}

    @classmethod
    def from_dict(cls, stored: dict[str, Any], fitted: FittedEvidence) -> Self:
        """Return the history that `to_dict` serialized."""
        blocks = {stage: fitted.empty_counts() for stage in Stage}
        blocks |= {Stage(stage): fitted.read_counts(counts) for stage, counts in stored["open_blocks"].items()}
        return cls(*state_from_values(stored), blocks)


EvidenceByStage = Mapping[tuple[datetime, Stage], ChunkEvidence]
"""The evidence of chunks by start and stage; chunks without evidence are left out."""


@dataclass(frozen=True, slots=True, eq=False)
class Replay:
    """The evidence of chunks, and the detector's history after all ticks up to the closing of each chunk.

    `histories` are empty where they were not asked for.
    """

    by_stage: EvidenceByStage
    histories: Mapping[datetime, DetectorHistory]

    @property
    def evidence(self) -> dict[datetime, ChunkEvidence]:
        """The evidence of chunks by start, of their scores and labels together."""
        merged: dict[datetime, ChunkEvidence] = {}
        for (start, _), evidence in self.by_stage.items():
            merged[start] = merged[start].merge(evidence) if start in merged else evidence
        return merged


def replay(
    fitted: FittedEvidence,
    rule: AlertRule,
    chunks: Sequence[DetectorInput],
    initial: DetectorHistory | None = None,
    *,
    after: datetime | None = None,
    until: datetime | None = None,
    keep_histories: bool = True,
) -> Replay:
    """Apply the detector to chunks, oldest first, starting from the history `initial`.

    Only ticks later than `after`, and not later than `until`, are applied. Without `keep_histories` only the evidence
    is returned, which needs much less memory.
    """
    run = _Run(fitted, rule, initial or DetectorHistory.start(fitted, rule), keep_histories)
    for tick in _ticks(fitted, chunks, run.history, after, until):
        run.advance(tick)
    return Replay(run.by_stage, run.histories)


def is_between(moment: datetime, after: datetime | None, until: datetime | None) -> bool:
    """Return whether a tick is later than `after` and not later than `until`, where they are set."""
    return (after is None or moment > after) and (until is None or moment <= until)


@dataclass(frozen=True, slots=True, eq=False)
class _Step:
    """The evidence about one chunk at one stage, which the detector reads at a tick."""

    stage: Stage
    chunk: DetectorInput
    log_evidence: FloatArray
    values: FloatArray
    harm: float
    open_block: Counts


def _ticks(
    fitted: FittedEvidence,
    chunks: Sequence[DetectorInput],
    history: DetectorHistory,
    after: datetime | None,
    until: datetime | None,
) -> Iterator[list[_Step]]:
    """Yield the steps of each instant, oldest first; those of scores precede those of labels."""
    usable = [c for c in chunks if c.closed and c.counts.has_rows]
    closed = [c for c in usable if is_between(c.closes_at, after, until)]
    labelled = [c for c in usable if c.labels_in and is_between(c.labels_at, after, until)]
    of_scores = ((step.chunk.closes_at, step) for step in _steps(fitted, Stage.SCORES, closed, history))
    of_labels = ((step.chunk.labels_at, step) for step in _steps(fitted, Stage.LABELS, labelled, history))
    ordered = merge(of_scores, of_labels, key=lambda pair: pair[0])
    for _, group in groupby(ordered, key=lambda pair: pair[0]):
        yield [step for _, step in group]


def _steps(
    fitted: FittedEvidence, stage: Stage, chunks: Sequence[DetectorInput], history: DetectorHistory
) -> Iterator[_Step]:
    """Yield the step of each chunk, computed page by page."""
    open_block = history.open_blocks[stage]
    for first in range(0, len(chunks), PAGE):
        page = chunks[first : first + PAGE]
        counts = fitted.counts_type.stack(chunk.counts for chunk in page)
        part = fitted.evidence(stage, counts, open_block, np.array([chunk.weekday for chunk in page]))
        open_block = part.open_blocks[-1]
        for row, chunk in enumerate(page):
            yield _Step(
                stage, chunk, part.log_evidence[row], part.values[row], float(part.harm[row]), part.open_blocks[row]
            )


@dataclass(slots=True)
class _Run:
    """A replay in progress."""

    fitted: FittedEvidence
    rule: AlertRule
    history: DetectorHistory
    keep_histories: bool
    by_stage: dict[tuple[datetime, Stage], ChunkEvidence] = field(default_factory=dict)
    histories: dict[datetime, DetectorHistory] = field(default_factory=dict)
    weights: dict[Stage, FloatArray] = field(init=False)
    """The weights, by stage, of the stage's components that the reference allows; 0 for the others."""

    def __post_init__(self) -> None:
        components, usable = self.fitted.components, self.fitted.usable
        self.weights = {
            stage: np.where(mask & usable, components.weights, 0.0) for stage, mask in components.stage_masks.items()
        }

    def advance(self, tick: list[_Step]) -> None:
        """Apply all steps of one instant, and record the evidence."""
        components = self.fitted.components
        state, trends, blocks = self.history.state, self.history.trends, dict(self.history.open_blocks)
        for step in tick:
            state = state.advance(
                step.stage,
                step.log_evidence,
                step.chunk.years,
                self.rule.budget,
                drifting=step.chunk.drifting,
                weights=self.weights[step.stage],
            )
            moving = components.stage_masks[step.stage] & (step.values[:, 0] > 0)
            trends = trends.advance(step.chunk.start, moving, step.log_evidence, step.values)
            blocks[step.stage] = step.open_block
        total_evidence = np.sum([step.log_evidence for step in tick], axis=0)
        incident = self.history.incident.advance(total_evidence, components.weights, self.rule.level(tick[0].chunk))
        self.history = DetectorHistory(state, trends, incident, blocks)
        self._record(tick)

    def _record(self, tick: list[_Step]) -> None:
        """Record the evidence of the tick's chunks; restart the detector after an alert.

        Time alone is not evidence: where no change is likelier than none, there is neither an alert nor a warning.
        """
        state, threshold = self.history.state, 1 / self.rule.budget
        least = max(WARNING_SHARE * threshold, WARNING_CHUNKS * max(step.chunk.years for step in tick))
        leading = int(np.argmax(state.ratios))
        if state.total >= min(least, threshold) and self.history.trends.evidence[leading] > 0:
            step = next((step for step in tick if step.stage is self.fitted.components.stages[leading]), tick[-1])
            crossed = state.total >= threshold
            harmful = max((s.harm for s in tick if s.harm == s.harm), default=0.0) >= HARM
            alert = crossed and (harmful or not self.rule.harm_only)
            if alert:
                incident = self.history.incident.alerted(step.chunk.start, self.rule.level(step.chunk))
                self.history = replace(self.history, state=state.restarted(), incident=incident)
            change = self._change(leading, step.chunk, state.total / threshold)
            self._add_evidence(step, alert=alert, warning=not alert, withheld=crossed and not alert, change=change)
        for step in tick:
            if step.stage is Stage.LABELS:
                self._add_evidence(step, no_skill=self.fitted.no_skill(step.chunk.counts, step.values))
            else:
                self._add_evidence(step, incident_since=self.history.incident.since)
                if self.keep_histories:
                    self.histories[step.chunk.start] = self.history

    def _add_evidence(self, step: _Step, **fields: Any) -> None:
        """Set fields of a chunk's evidence; nothing is recorded where all of them are None."""
        key = (step.chunk.start, step.stage)
        if any(value is not None for value in fields.values()):
            self.by_stage[key] = replace(self.by_stage.get(key, ChunkEvidence()), **fields)

    def _change(self, component: int, chunk: DetectorInput, share_of_alert: float) -> Change:
        """Return the change that a component has accumulated evidence for."""
        trends, components = self.history.trends, self.fitted.components
        rows, observed, usual = trends.sums[component]
        since = datetime.fromtimestamp(trends.since[component] / 1e6, tz=chunk.start.tzinfo)
        observed, usual = (float(total / max(rows, 1.0)) for total in (observed, usual))
        return Change(
            components.families[component],
            component,
            since,
            observed,
            usual,
            log_evidence=float(trends.evidence[component]),
            share_of_alert=share_of_alert,
            label=components.classes[component],
        )
