"""What the page that changes a spec shows: the form, and past verdicts before and after. No I/O here."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from driftline.engine.results import State, Verdict
from driftline.report.wording import MOST_SEVERE_FIRST, PERIOD_WORDS, STATE_WORDS, StateWords, period_label
from driftline.store.versions.registry import Version
from monitoring.pages.specs.spec_form import ThresholdField, threshold_fields
from monitoring.report.spec_preview import PreviewedChunk, SpecPreview

MOST_CHANGES = 30


@dataclass(frozen=True, slots=True)
class PreviewCell:
    """A chunk in a strip: its state, and its label and verdict in words."""

    state: State
    provisional: bool
    words: str


@dataclass(frozen=True, slots=True)
class PreviewCount:
    """How many chunks have a state now, and would have it."""

    words: StateWords
    state: State
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """A chunk whose state would be another one, with the most severe reason of the verdict that it would have."""

    label: str
    before: State
    after: State
    reason: str


@dataclass(frozen=True, slots=True)
class PreviewPart:
    """The preview of the newest chunks: two strips, counts by state, and the chunks that differ, the newest first."""

    before: tuple[PreviewCell, ...]
    after: tuple[PreviewCell, ...]
    counts: tuple[PreviewCount, ...]
    rows: tuple[PreviewRow, ...]
    differing: int
    not_computed: int
    period: str


@dataclass(frozen=True, slots=True)
class SpecEditPage:
    """The form with its texts, and the preview where the form was sent; `changes` are fields in words."""

    version: Version
    texts: Mapping[str, str]
    thresholds: tuple[ThresholdField, ...]
    changes: tuple[str, ...] = ()
    preview: PreviewPart | None = None


def spec_edit_page(
    version: Version, texts: Mapping[str, str], changes: Sequence[str] = (), preview: SpecPreview | None = None
) -> SpecEditPage:
    """Return the page for the texts of the form, with the preview of what they change."""
    thresholds = threshold_fields(version.spec, texts)
    return SpecEditPage(version, texts, thresholds, tuple(changes), _part(preview) if preview else None)


def _part(preview: SpecPreview) -> PreviewPart:
    """Return the part of the page that compares present verdicts with those under the new spec."""
    before, after = (
        Counter(state(chunk).state for chunk in preview.chunks) for state in (_present_verdict, _new_verdict)
    )
    return PreviewPart(
        before=tuple(_cell(preview, chunk, chunk.before) for chunk in preview.chunks),
        after=tuple(_cell(preview, chunk, chunk.after) for chunk in preview.chunks),
        counts=tuple(
            PreviewCount(STATE_WORDS[state], state, before[state], after[state])
            for state in MOST_SEVERE_FIRST
            if before[state] or after[state]
        ),
        rows=tuple(
            PreviewRow(
                _label(preview, chunk),
                chunk.before.state,
                chunk.after.state,
                chunk.after.reasons[0] if chunk.after.reasons else "",
            )
            for chunk in preview.differing[:MOST_CHANGES]
        ),
        differing=len(preview.differing),
        not_computed=preview.not_computed,
        period=PERIOD_WORDS[preview.spec.period],
    )


def _present_verdict(chunk: PreviewedChunk) -> Verdict:
    return chunk.before


def _new_verdict(chunk: PreviewedChunk) -> Verdict:
    return chunk.after


def _label(preview: SpecPreview, chunk: PreviewedChunk) -> str:
    return period_label(chunk.chunk.start, preview.spec.period, preview.spec.zone)


def _cell(preview: SpecPreview, chunk: PreviewedChunk, verdict: Verdict) -> PreviewCell:
    note = ", provisional" if verdict.provisional else ""
    words = f"{_label(preview, chunk)}: {STATE_WORDS[verdict.state].word}{note}"
    return PreviewCell(verdict.state, verdict.provisional, words)
