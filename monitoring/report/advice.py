"""What a model's chunks lack for a final verdict, and what to do about it. No I/O here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from driftline.engine.calendar import closing_time, label_deadline
from driftline.engine.number_format import percent
from driftline.engine.results import State
from driftline.engine.spec import ModelClock, Spec
from driftline.report.view import ChunkView
from driftline.report.wording import PERIOD_WORDS, period_label


@dataclass(frozen=True, slots=True)
class Advice:
    """What is missing, and what to do; `urgent` means that it will not resolve by itself."""

    missing: str
    to_do: str
    urgent: bool = False


REGISTER_MODEL = Advice(
    "No model version is registered yet.",
    "Register one with its reference: `Add a model` above, or `driftline models add NAME FILE --timestamp COLUMN`.",
    urgent=True,
)
WRITE_PREDICTIONS = Advice(
    "No predictions have come yet.",
    "Send them from a program (its lines are under `Send rows`), or run `driftline ingest NAME FILE`.",
    urgent=True,
)


def advice_on(spec: Spec, chunks: Sequence[ChunkView]) -> list[Advice]:
    """Return what a version's chunks lack, urgent items first."""
    if not chunks:
        return [WRITE_PREDICTIONS]
    items = (
        _failed(spec, chunks),
        _without_predictions(spec, chunks),
        _labels_overdue(spec, chunks),
        _too_few_rows(spec, chunks),
        _waiting(spec, chunks),
        _labels_not_due(spec, chunks),
        _open(spec, chunks),
    )
    return sorted((item for item in items if item), key=lambda item: not item.urgent)


def _failed(spec: Spec, chunks: Iterable[ChunkView]) -> Advice | None:
    failed = [chunk for chunk in chunks if chunk.verdict.state is State.ERROR]
    if not failed:
        return None
    missing = f"{_count(spec, failed)} failed ({_labels(spec, failed)}). {failed[-1].verdict.reasons[0]}"
    to_do = "Remove the cause, then call /run-monitoring; scheduled polls retry too, at growing intervals."
    return Advice(missing, to_do, urgent=True)


def _without_predictions(spec: Spec, chunks: Iterable[ChunkView]) -> Advice | None:
    empty = [c for c in chunks if not c.rows and not c.waiting and c.verdict.state is State.NO_DATA]
    if not empty:
        return None
    to_do = "Store the predictions if there should be some; otherwise there is nothing to do."
    return Advice(f"{_count(spec, empty)} without predictions ({_labels(spec, empty)}).", to_do, urgent=True)


def _labels_overdue(spec: Spec, chunks: Iterable[ChunkView]) -> Advice | None:
    late = [c for c in chunks if c.labels_due and c.coverage is not None and c.coverage < spec.label_coverage]
    if not late:
        return None
    shares = ", ".join(f"{_label(spec, chunk)}: {percent(chunk.coverage or 0.0)}" for chunk in late[-3:])
    missing = f"{_count(spec, late)} whose labels were due and are not all in ({shares})."
    to_do = f"Send the missing labels, negative ones too; a final verdict needs {percent(spec.label_coverage)} of them."
    return Advice(missing, to_do, urgent=True)


def _too_few_rows(spec: Spec, chunks: Iterable[ChunkView]) -> Advice | None:
    small = [chunk for chunk in chunks if chunk.closed and 0 < chunk.rows < spec.minimum_rows]
    if not small:
        return None
    missing = f"{_count(spec, small)} with fewer than {spec.minimum_rows} rows ({_labels(spec, small)})."
    return Advice(missing, "Send the missing rows, or choose a longer period in the spec.", urgent=True)


def _waiting(spec: Spec, chunks: Iterable[ChunkView]) -> Advice | None:
    waiting = [chunk for chunk in chunks if chunk.waiting and chunk.verdict.state is not State.ERROR]
    if not waiting:
        return None
    to_do = "Nothing to do: the next poll computes them; /run-monitoring polls now."
    return Advice(f"{_count(spec, waiting)} with new rows or labels.", to_do)


def _labels_not_due(spec: Spec, chunks: Iterable[ChunkView]) -> Advice | None:
    early = [chunk for chunk in chunks if chunk.rows and not chunk.labels_due]
    if not early:
        return None
    due = label_deadline(spec, early[-1].chunk).astimezone(spec.zone)
    missing = f"{_count(spec, early)} whose labels are not due yet ({_labels(spec, early)})."
    return Advice(missing, f"Nothing to do: the last are due on {due:%-d %B, %H:%M}; until then there are estimates.")


def _open(spec: Spec, chunks: Iterable[ChunkView]) -> Advice | None:
    still_open = [chunk for chunk in chunks if chunk.rows and not chunk.closed]
    if not still_open:
        return None
    missing = f"{_count(spec, still_open)} still open ({_labels(spec, still_open)}): its numbers are provisional."
    return Advice(missing, f"Nothing to do: it closes {_closing_words(spec, still_open[0])}.")


def _closing_words(spec: Spec, chunk: ChunkView) -> str:
    """Return when an open chunk closes: at a time, or with the first prediction that is late enough."""
    at = f"{closing_time(spec, chunk.chunk).astimezone(spec.zone):%-d %B, %H:%M}"
    if spec.clock is ModelClock.WALL:
        return f"on {at}"
    return f"with the first prediction of {at} or later, since the model's clock is the newest event in its data"


def _count(spec: Spec, chunks: Sequence[ChunkView]) -> str:
    return f"{len(chunks)} {PERIOD_WORDS[spec.period]}{'' if len(chunks) == 1 else 's'}"


def _labels(spec: Spec, chunks: Sequence[ChunkView]) -> str:
    """Return up to three labels, or the first and the last of more."""
    if len(chunks) > 3:
        return f"{_label(spec, chunks[0])} to {_label(spec, chunks[-1])}"
    return ", ".join(_label(spec, chunk) for chunk in chunks)


def _label(spec: Spec, chunk: ChunkView) -> str:
    return period_label(chunk.start, spec.period, spec.zone)
