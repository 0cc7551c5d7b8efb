"""What the data's columns are to the engine: the spec of the backtest, and the way there and back. No I/O here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from pydantic import ValidationError

from driftline.backtesting.input.rows import Rows
from driftline.backtesting.request.classes import ONES, Classes, is_binary
from driftline.backtesting.request.kinds import features_of, whole_numbers
from driftline.backtesting.request.options import OptionStyle, python_option
from driftline.backtesting.request.request import Inference
from driftline.backtesting.request.resolved import ResolvedRequest
from driftline.engine.catalogue import SCORE_METRICS, ColumnKind, Problem
from driftline.engine.columns import FloatArray, as_floats, category, coded
from driftline.engine.results import EVENT_TIME, ID, LABEL, PREDICTION, SCORE, Result
from driftline.engine.spec import RESERVED, ColumnSpec, ModelClock, Spec, score_column
from driftline.errors import InvalidInput
from driftline.spec_input import spec_faults

ALIAS = "feature:"
"""Stands before the name of a feature that is one of the engine's own names."""
HALF = 0.5
MOST_CLASSES = 20
"""Whole numbers as labels are classes when there are at most this many of them."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The spec, and which column of the data is behind each column of the engine; `sources` lacks what is not there.

    `threshold` makes a binary prediction out of the score where there is none.
    """

    spec: Spec
    sources: Mapping[str, str]
    classes: Classes
    threshold: float | None
    inferred: tuple[Inference, ...]
    option: OptionStyle = python_option

    @property
    def absent(self) -> frozenset[str]:
        """The engine's output columns that nothing in the data stands for."""
        made = {PREDICTION} if self.predicts else set()
        return frozenset(set(self.spec.outputs) - set(self.sources) - made)

    @property
    def predicts(self) -> bool:
        """Whether the prediction is made from the scores."""
        scored = bool(self.spec.scores) and set(self.spec.scores) <= set(self.sources)
        return PREDICTION not in self.sources and scored

    @property
    def verdict_spec(self) -> Spec:
        """The spec that verdicts follow: metrics that need a score which is not there do not count, if others do."""
        if set(self.spec.scores) <= set(self.sources):
            return self.spec
        others = tuple(metric for metric in self.spec.metrics if metric not in SCORE_METRICS)
        return self.spec.model_copy(update={"metrics": others}) if others and not self.blind else self.spec

    @property
    def blind(self) -> bool:
        """Whether there is neither a prediction nor a way to make one."""
        return PREDICTION in self.absent

    def subject(self, name: str) -> str:
        """Name a subject of the engine's as the data does."""
        return self.sources.get(name, name)

    def in_the_datas_names(self, text: str) -> str:
        """Name the columns in a message of the engine's as the data does."""
        for name, source in self.sources.items():
            text = text.replace(f"column {name!r}", f"column {source!r}")
        return text

    def shape(self, rows: Rows) -> pd.DataFrame:
        """Return rows as the engine takes them."""
        columns: dict[str, Any] = {EVENT_TIME: pd.DatetimeIndex(rows.times.view("datetime64[us]"), tz="UTC")}
        columns[ID] = rows.frame[self.sources[ID]].array if ID in self.sources else rows.numbers
        for column in self.spec.columns:
            columns[column.name] = rows.frame[self.sources[column.name]].array
        scores = {name: self._score(rows, name) for name in self.spec.scores}
        columns |= scores
        columns[PREDICTION] = self._made(scores) if self.predicts else self._output(rows, PREDICTION)
        columns[LABEL] = self._output(rows, LABEL)
        return pd.DataFrame(columns, copy=False)

    def _score(self, rows: Rows, name: str) -> FloatArray:
        return as_floats(rows.frame[self.sources[name]]) if name in self.sources else np.full(len(rows), np.nan)

    def _output(self, rows: Rows, name: str) -> Any:
        if name not in self.sources:
            return np.full(len(rows), np.nan)
        series = rows.frame[self.sources[name]]
        if self.spec.problem is Problem.BINARY:
            return self.classes.numbers(series)
        return as_floats(series) if self.spec.problem is Problem.REGRESSION else as_texts(series)

    def _made(self, scores: Mapping[str, FloatArray]) -> Any:
        if self.spec.problem is Problem.BINARY:
            score = scores[SCORE]
            return np.where(np.isfinite(score), score >= (HALF if self.threshold is None else self.threshold), np.nan)
        table = np.column_stack([scores[name] for name in self.spec.scores])
        known = np.asarray(np.isfinite(table).all(axis=1))
        places = np.where(known, np.nan_to_num(table).argmax(axis=1), -1)
        return _categorical(places, list(self.spec.classes))


def as_texts(series: "pd.Series[Any]") -> pd.Categorical:
    """Return values as texts, each value the same however it was stored: 1, 1.0 and "1" are one."""
    codes, texts = coded(series)
    distinct = list(dict.fromkeys(texts))
    places = np.array([distinct.index(text) for text in texts] + [-1])
    return _categorical(places[codes], distinct)


def _categorical(codes: Any, texts: list[str]) -> pd.Categorical:
    return pd.Categorical.from_codes(codes, categories=pd.Index(texts, dtype=object))


def layout_of(request: ResolvedRequest, reference: Rows, fields: Mapping[str, Any]) -> Layout:
    """Find out from the reference what was not said. `fields` are those of the spec that are settled already.

    What contradicts itself is an InvalidInput.
    """
    frame = reference.frame
    seen = _seen(request, frame)
    problem, told = _problem(request, frame, seen)
    kinds, found = features_of(request, frame)
    if not kinds:
        columns = ", ".join(map(str, frame.columns))
        msg = f"there is no feature; pass {request.option('features')}. The columns are {columns}"
        raise InvalidInput(msg)
    classes = _class_names(request, problem, seen, fields)
    names = {name: _free(name, classes) for name in kinds}
    spec = _spec(request, problem, classes, kinds, names, fields)
    _reject_unknown_classes(request, frame, spec)
    sources = {names[name]: name for name in kinds} | dict(_roles(request, spec))
    binary = problem is Problem.BINARY
    words = Classes.of(_texts(request, frame), request.positive, request.option) if binary else Classes({})
    layout = Layout(spec, sources, words, None, (*told, *found), request.option)
    layout = _with_threshold(layout, reference)
    return replace(layout, inferred=(*layout.inferred, *_class_notes(layout, seen, request)))


def _seen(request: ResolvedRequest, frame: pd.DataFrame) -> list[str]:
    """Return the distinct texts of label and prediction; of numbers with a fraction none."""
    texts: dict[str, None] = {}
    for name in (request.label, request.prediction):
        if name is not None and not _measured(frame[name]):
            texts |= dict.fromkeys(_used(frame[name]))
    return list(texts)


def _texts(request: ResolvedRequest, frame: pd.DataFrame) -> dict[str, list[str]]:
    """Return the distinct texts of label and of prediction, each under its column's name."""
    return {name: _used(frame[name]) for name in (request.label, request.prediction) if name}


def _used(series: "pd.Series[Any]") -> list[str]:
    """Return the distinct texts that rows have: a categorical column may know more of them."""
    codes, texts = coded(series)
    return [texts[place] for place in np.unique(codes[codes >= 0]).tolist()]


def _measured(series: "pd.Series[Any]") -> bool:
    """Return whether a column holds numbers that are measured, not classes: a fraction, or very many of them."""
    if pd.api.types.is_bool_dtype(series.dtype) or not pd.api.types.is_numeric_dtype(series.dtype):
        return False
    values = series.dropna().unique()
    return len(values) > MOST_CLASSES or not whole_numbers(values)


def _problem(request: ResolvedRequest, frame: pd.DataFrame, seen: list[str]) -> tuple[Problem, list[Inference]]:
    if request.problem:
        return request.problem, []
    found, rule = _guess(request, frame, seen)
    return found, [Inference("problem", found.value, rule)]


def _guess(request: ResolvedRequest, frame: pd.DataFrame, seen: list[str]) -> tuple[Problem, str]:
    outputs = [name for name in (request.label, request.prediction) if name]
    if len(request.scores) > 1:
        return Problem.MULTICLASS, "there is a score for each of several classes"
    if request.scores:
        return Problem.BINARY, "there is one score"
    if not outputs:
        return Problem.BINARY, "there is neither label nor prediction nor score: only drift and quality can be found"
    if any(_measured(frame[name]) for name in outputs):
        return Problem.REGRESSION, f"{outputs[0]} holds numbers with a fraction, or more than {MOST_CLASSES} of them"
    if is_binary(_texts(request, frame)):
        return Problem.BINARY, f"{' and '.join(outputs)} have two values"
    return Problem.MULTICLASS, f"{' and '.join(outputs)} have {len(seen)} values"


def _class_names(
    request: ResolvedRequest, problem: Problem, seen: list[str], fields: Mapping[str, Any]
) -> tuple[str, ...]:
    if problem is not Problem.MULTICLASS:
        return ()
    given = fields.get("classes") or tuple(name for name in request.scores if name) or sorted(seen)
    if not isinstance(given, list | tuple):
        msg = f"spec: classes: a list of all classes, such as [gold, silver], not {given!r}"
        raise InvalidInput(msg)
    return tuple(map(category, given))


def _reject_unknown_classes(request: ResolvedRequest, frame: pd.DataFrame, spec: Spec) -> None:
    """Raise InvalidInput where the reference of a multiclass model has classes that the spec lacks."""
    if spec.problem is not Problem.MULTICLASS:
        return
    for name, texts in _texts(request, frame).items():
        strange = sorted(set(texts) - set(spec.classes))
        if strange:
            msg = (
                f"column {name!r} holds {', '.join(map(repr, strange[:5]))}, which is none of the classes "
                f"{', '.join(spec.classes)}; pass {request.option('score')} for every class, or name all classes in "
                f"the spec ({request.option('spec')} with classes: [...])"
            )
            raise InvalidInput(msg)


def _free(name: str, classes: tuple[str, ...]) -> str:
    """Return a name that no column of the engine's own has."""
    return ALIAS + name if name in RESERVED | {score_column(one) for one in classes} else name


def _spec(
    request: ResolvedRequest,
    problem: Problem,
    classes: tuple[str, ...],
    kinds: Mapping[str, ColumnKind],
    names: Mapping[str, str],
    fields: Mapping[str, Any],
) -> Spec:
    columns = tuple(
        ColumnSpec.model_construct(name=names[name], kind=kind, watched=name not in request.unwatched)
        for name, kind in kinds.items()
    )
    segments = _segments(fields.get("segments", ()), names)
    classes = classes or fields.get("classes") or ()
    own = {"problem": problem, "classes": classes, "columns": columns, "segments": segments, "clock": ModelClock.DATA}
    try:
        return Spec.model_validate({**fields, **own})
    except ValidationError as error:
        raise InvalidInput("The spec does not fit.", details=tuple(spec_faults(error))) from None


def _segments(given: Any, names: Mapping[str, str]) -> Any:
    """Name segments as the engine does; what is no list of names is left to the spec to refuse."""
    if not isinstance(given, list | tuple):
        return given
    return tuple(names.get(name, name) if isinstance(name, str) else name for name in given)


def _roles(request: ResolvedRequest, spec: Spec) -> Iterator[tuple[str, str]]:
    given = {ID: request.id, PREDICTION: request.prediction, LABEL: request.label}
    yield from ((name, column) for name, column in given.items() if column)
    if spec.problem is Problem.BINARY:
        yield from ((SCORE, column) for column in request.scores.values())
        return
    yield from ((score_column(name), column) for name, column in request.scores.items())


def _with_threshold(layout: Layout, reference: Rows) -> Layout:
    if not layout.predicts:
        return layout
    if layout.spec.problem is not Problem.BINARY:
        note = Inference("prediction", "the class with the highest score", "there is no prediction column")
        return replace(layout, inferred=(*layout.inferred, note))
    threshold, rule = _threshold(layout.shape(reference))
    note = Inference("prediction", f"1 where {layout.sources[SCORE]} >= {threshold:.6g}", rule)
    return replace(layout, threshold=threshold, inferred=(*layout.inferred, note))


def _threshold(frame: pd.DataFrame) -> tuple[float, str]:
    """Return where a score becomes a 1: 0.5, unless it tells nothing apart; then where F1 is best in the reference."""
    scores, labels = as_floats(frame[SCORE]), as_floats(frame[LABEL])
    known = scores[np.isfinite(scores)]
    if len(known) and (known >= HALF).any() and (known < HALF).any():
        return HALF, "there is no prediction column"
    labelled = np.isfinite(scores) & np.isfinite(labels)
    best = best_threshold(scores[labelled], labels[labelled])
    if best is None:
        return HALF, "there is no prediction column"
    return best, "there is no prediction column, 0.5 tells no rows apart, and here F1 is best in the reference"


def best_threshold(scores: FloatArray, labels: FloatArray) -> float | None:
    """Return the score from which on F1 of `labels` (0 or 1) is best; None without a positive label."""
    order = np.argsort(-scores, kind="stable")
    ordered, hits = scores[order], np.cumsum(labels[order])
    if not len(hits) or not hits[-1]:
        return None
    last = np.append(ordered[1:] != ordered[:-1], True)
    f1 = 2 * hits / (np.arange(1, len(hits) + 1) + hits[-1])
    return float(ordered[last][np.argmax(f1[last])])


def _class_notes(layout: Layout, seen: list[str], request: ResolvedRequest) -> Iterator[Inference]:
    if layout.spec.problem is Problem.BINARY and set(seen) - {"0", "1"}:
        ones = [text for text in sorted(seen) if layout.classes.is_one(text)]
        rule = "as said" if request.positive else f"one of the words {', '.join(sorted(ONES))}"
        yield Inference("class 1", ", ".join(ones) or "none", rule)
    if layout.spec.problem is Problem.MULTICLASS:
        yield Inference("classes", ", ".join(layout.spec.classes), "from the scores, else from the reference")
    if ID not in layout.sources:
        yield Inference("id", "the number of the row", "there is no id column")
    for name in sorted(layout.absent):
        yield Inference("not there", name, "what needs it has no value, and says why")


def renamed(result: Result, layout: Layout) -> Result:
    """Name a result's subject as the data does, and say which column is not there where it has no value."""
    reason = result.reason if result.value is not None else _lack(result, layout) or result.reason
    segment = None if result.segment is None else result.segment.removeprefix(ALIAS)
    reason = reason and layout.in_the_datas_names(reason)
    own = layout.subject(result.subject), segment, reason
    if own == (result.subject, result.segment, result.reason):
        return result
    return replace(result, subject=own[0], segment=own[1], reason=own[2])


def _lack(result: Result, layout: Layout) -> str | None:
    if result.kind not in ("realized", "estimated") or not layout.absent:
        return None
    if result.kind == "realized" and LABEL in layout.absent:
        return f"the data has no label column; name it with {layout.option('label')}"
    if result.rows:
        return None
    lacking = sorted(layout.absent - {LABEL})
    if not lacking:
        return None
    options = f"{layout.option('prediction')} or {layout.option('score')}"
    return f"the data has no column for {', '.join(lacking)}; name it with {options}"
