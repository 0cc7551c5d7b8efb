"""What is missing for a full answer, and what to do about it, in words. No I/O here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from driftline.engine.calendar import closing_time, label_deadline
from driftline.engine.results import State
from driftline.engine.spec import ModelClock, Spec
from driftline.engine.verdicts.findings import percent
from driftline.report.view import ChunkView
from driftline.report.wording import PERIOD_WORDS, period_label

NO_MODEL = "No model version is registered yet."
TRAIN_ONE = "Train and register one: `make demo`, or `pyspark/train_model.py`."


@dataclass(frozen=True, slots=True)
class Advice:
    """Something that is missing, and what to do; `urgent` where nothing will cure it by itself."""

    missing: str
    to_do: str
    urgent: bool = False


def advice_on(spec: Spec, reports: Sequence[ChunkView]) -> list[Advice]:
    """Say what is missing in a version's chunks, what cannot cure itself first."""
    if not reports:
        return [Advice("No predictions have come yet.", "Write some: `pyspark/write_predictions.py`.", urgent=True)]
    found = [_failed(spec, reports), _gaps(spec, reports), _overdue(spec, reports), _thin(spec, reports)]
    found += [_waiting(spec, reports), _not_due(spec, reports), _open(spec, reports)]
    return sorted((advice for advice in found if advice), key=lambda advice: not advice.urgent)


def _failed(spec: Spec, reports: Iterable[ChunkView]) -> Advice | None:
    failed = [r for r in reports if r.verdict.state is State.ERROR]
    if not failed:
        return None
    why = failed[-1].verdict.reasons[0]
    to_do = "They are tried again by themselves, ever less often; once the cause is gone, /run-monitoring does it now."
    return Advice(f"{_count(spec, failed)} failed ({_names(spec, failed)}). {why}", to_do, urgent=True)


def _gaps(spec: Spec, reports: Iterable[ChunkView]) -> Advice | None:
    empty = [r for r in reports if not r.rows and not r.waiting and r.verdict.state is State.NO_DATA]
    if not empty:
        return None
    to_do = "Write the predictions if there should be some; else there is nothing to do."
    return Advice(f"{_count(spec, empty)} without predictions ({_names(spec, empty)}).", to_do, urgent=True)


def _overdue(spec: Spec, reports: Iterable[ChunkView]) -> Advice | None:
    late = [
        r for r in reports if r.rows and r.labels_due and r.coverage is not None and r.coverage < spec.label_coverage
    ]
    if not late:
        return None
    shares = ", ".join(f"{_label(spec, r)}: {percent(r.coverage or 0.0)}" for r in late[-3:])
    to_do = f"Write the missing labels, the zeros too; {percent(spec.label_coverage)} are needed for a verdict."
    return Advice(f"{_count(spec, late)} whose labels were due and are not all in ({shares}).", to_do, urgent=True)


def _thin(spec: Spec, reports: Iterable[ChunkView]) -> Advice | None:
    thin = [r for r in reports if r.closed and 0 < r.rows < spec.minimum_rows]
    if not thin:
        return None
    to_do = "Send the missing rows, or choose a longer period in the spec."
    few = f"{_count(spec, thin)} with fewer than {spec.minimum_rows} rows ({_names(spec, thin)})."
    return Advice(few, to_do, urgent=True)


def _waiting(spec: Spec, reports: Iterable[ChunkView]) -> Advice | None:
    waiting = [r for r in reports if r.waiting and r.verdict.state is not State.ERROR]
    if not waiting:
        return None
    return Advice(
        f"{_count(spec, waiting)} with new rows or labels.", "The next poll takes them; /run-monitoring does now."
    )


def _not_due(spec: Spec, reports: Iterable[ChunkView]) -> Advice | None:
    early = [r for r in reports if r.rows and not r.labels_due]
    if not early:
        return None
    due = label_deadline(spec, early[-1].chunk).astimezone(spec.zone)
    missing = f"{_count(spec, early)} whose labels are not due yet ({_names(spec, early)})."
    return Advice(missing, f"Nothing to do: the last are due on {due:%-d %B, %H:%M}. Until then estimates speak.")


def _open(spec: Spec, reports: Iterable[ChunkView]) -> Advice | None:
    still = [r for r in reports if r.rows and not r.closed]
    if not still:
        return None
    missing = f"{_count(spec, still)} still open ({_names(spec, still)}): its numbers are provisional."
    return Advice(missing, f"Nothing to do: it closes {closes(spec, still[0])}.")


def closes(spec: Spec, report: ChunkView) -> str:
    """Say when an open chunk closes: by the wall's clock, or with the first prediction that is late enough."""
    at = f"{closing_time(spec, report.chunk).astimezone(spec.zone):%-d %B, %H:%M}"
    if spec.clock is ModelClock.WALL:
        return f"on {at}"
    return f"with the first prediction of {at} or later, since the model's clock is the newest of its data"


def _count(spec: Spec, reports: Sequence[ChunkView]) -> str:
    return f"{len(reports)} {PERIOD_WORDS[spec.period]}{'' if len(reports) == 1 else 's'}"


def _names(spec: Spec, reports: Sequence[ChunkView]) -> str:
    if len(reports) > 3:
        return f"{_label(spec, reports[0])} to {_label(spec, reports[-1])}"
    return ", ".join(_label(spec, report) for report in reports)


def _label(spec: Spec, report: ChunkView) -> str:
    return period_label(report.start, spec.period, spec.zone)
