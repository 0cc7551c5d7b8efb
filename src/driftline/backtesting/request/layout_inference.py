"""Infers from the reference what a request left open: the layout with its spec. No I/O here."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
from pydantic import ValidationError

from driftline.backtesting.input.rows import Rows
from driftline.backtesting.request.classes import ONES, Classes
from driftline.backtesting.request.kinds import features_of
from driftline.backtesting.request.layout import ALIAS, Layout
from driftline.backtesting.request.problem import (
    class_names,
    class_texts,
    infer_problem,
    output_notations,
    output_texts,
    reject_unknown_classes,
)
from driftline.backtesting.request.request import Inference
from driftline.backtesting.request.resolved import ResolvedRequest
from driftline.backtesting.request.threshold import infer_threshold
from driftline.engine.catalogue import ColumnKind, Problem
from driftline.engine.results import ID, LABEL, PREDICTION, SCORE
from driftline.engine.spec import RESERVED, ColumnSpec, ModelClock, Spec, score_column
from driftline.errors import InvalidInput
from driftline.spec_input import spec_faults


def infer_layout(request: ResolvedRequest, reference: Rows, fields: Mapping[str, Any]) -> Layout:
    """Infer from the reference what the request left open; `fields` are those of the spec that the request settles.

    Raises InvalidInput for what contradicts itself.
    """
    frame = reference.frame
    problem, problem_notes = infer_problem(request, frame)
    features = features_of(request, reference)
    kinds = features.kinds
    _require_feature(kinds, request, frame)
    texts = class_texts(request, frame)
    classes = class_names(request, problem, texts, fields)
    aliases = {name: _alias(name, classes) for name in kinds}
    spec = _spec(request, problem, classes, kinds, aliases, fields)
    reject_unknown_classes(request, frame, spec)
    sources = {aliases[name]: name for name in kinds} | dict(_roles(request, spec))
    binary = problem is Problem.BINARY
    words = Classes.of(output_texts(request, frame), request.positive, request.option) if binary else Classes({})
    notations = {**features.notations, **output_notations(request, problem, frame)}
    notes = (*problem_notes, *features.notes)
    layout = Layout(spec, sources, words, None, notes, request.option, notations)
    layout = _with_threshold(layout, reference)
    return replace(layout, inferred=(*layout.inferred, *_output_notes(layout, texts, request)))


def _require_feature(kinds: Mapping[str, ColumnKind], request: ResolvedRequest, frame: pd.DataFrame) -> None:
    if not kinds:
        columns = ", ".join(map(str, frame.columns))
        msg = f"there is no feature; pass {request.option('features')}. The columns are {columns}"
        raise InvalidInput(msg)


def _alias(name: str, classes: tuple[str, ...]) -> str:
    """Return the name of a feature in the engine, which differs where the engine has a column of that name."""
    return ALIAS + name if name in RESERVED | {score_column(label) for label in classes} else name


def _spec(
    request: ResolvedRequest,
    problem: Problem,
    classes: tuple[str, ...],
    kinds: Mapping[str, ColumnKind],
    aliases: Mapping[str, str],
    fields: Mapping[str, Any],
) -> Spec:
    """Return the spec; raise InvalidInput with every fault of its fields."""
    columns = tuple(
        ColumnSpec.model_construct(name=aliases[name], kind=kind, watched=name not in request.unwatched)
        for name, kind in kinds.items()
    )
    settled = {
        "problem": problem,
        "classes": classes or fields.get("classes") or (),
        "columns": columns,
        "segments": _segments(fields.get("segments", ()), aliases),
        "clock": ModelClock.DATA,
    }
    try:
        return Spec.model_validate({**fields, **settled})
    except ValidationError as error:
        raise InvalidInput("The spec does not fit.", details=tuple(spec_faults(error))) from None


def _segments(segments: Any, aliases: Mapping[str, str]) -> Any:
    """Return segments under the engine's names; anything but a list of names is left to the spec to refuse."""
    if not isinstance(segments, list | tuple):
        return segments
    return tuple(aliases.get(name, name) if isinstance(name, str) else name for name in segments)


def _roles(request: ResolvedRequest, spec: Spec) -> Iterator[tuple[str, str]]:
    """Yield each of the engine's id, output and score columns with the column of the data behind it."""
    outputs = {ID: request.id, PREDICTION: request.prediction, LABEL: request.label}
    yield from ((name, column) for name, column in outputs.items() if column)
    if spec.problem is Problem.BINARY:
        yield from ((SCORE, column) for column in request.scores.values())
        return
    yield from ((score_column(name), column) for name, column in request.scores.items())


def _with_threshold(layout: Layout, reference: Rows) -> Layout:
    """Return the layout with the rule that makes predictions of scores, where there is no prediction column."""
    if not layout.predicts:
        return layout
    if layout.spec.problem is not Problem.BINARY:
        note = Inference("prediction", "the class with the highest score", "there is no prediction column")
        return replace(layout, inferred=(*layout.inferred, note))
    threshold, rule = infer_threshold(layout.shape(reference))
    note = Inference("prediction", f"1 where {layout.sources[SCORE]} >= {threshold:.6g}", rule)
    return replace(layout, threshold=threshold, inferred=(*layout.inferred, note))


def _output_notes(layout: Layout, texts: list[str], request: ResolvedRequest) -> Iterator[Inference]:
    """Yield what was inferred of the classes, the id and the columns that the data lacks."""
    if layout.spec.problem is Problem.BINARY and set(texts) - {"0", "1"}:
        ones = [text for text in sorted(texts) if layout.classes.is_one(text)]
        rule = "as said" if request.positive else f"one of the words {', '.join(sorted(ONES))}"
        yield Inference("class 1", ", ".join(ones) or "none", rule)
    if layout.spec.problem is Problem.MULTICLASS:
        yield Inference("classes", ", ".join(layout.spec.classes), "from the scores, else from the reference")
    if ID not in layout.sources:
        yield Inference("id", "the number of the row", "there is no id column")
    for name in sorted(layout.absent):
        yield Inference("not there", name, "what needs it has no value, and says why")
