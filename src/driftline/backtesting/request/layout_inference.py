"""Infers from the reference what a request left open: the layout with its spec. No I/O here."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from pydantic import ValidationError

from driftline.backtesting.inference import Inference
from driftline.backtesting.input.rows import Rows
from driftline.backtesting.request.classes import ONES, Classes, plain
from driftline.backtesting.request.kinds import features_of
from driftline.backtesting.request.layout import ALIAS, Layout
from driftline.backtesting.request.minimum import infer_minimum
from driftline.backtesting.request.output_checks import CHANCE, ERRORS, auc_and_error, output_warnings
from driftline.backtesting.request.problem import (
    class_names,
    class_texts,
    infer_problem,
    output_notations,
    output_texts,
    reject_unknown_classes,
)
from driftline.backtesting.request.resolved import ResolvedRequest
from driftline.backtesting.request.scales import AS_IT_IS, Unit, describe_scale, infer_scale
from driftline.backtesting.request.threshold import infer_threshold
from driftline.engine.catalogue import ColumnKind, Problem
from driftline.engine.columns import as_floats, coded
from driftline.engine.results import ID, LABEL, PREDICTION, SCORE
from driftline.engine.spec import RESERVED, ColumnSpec, ModelClock, Spec, score_column, spec_faults
from driftline.errors import InvalidInput


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
    words = _class_words(request, frame) if binary else Classes({})
    notations = {**features.notations, **output_notations(request, problem, frame)}
    notes = (*problem_notes, *features.notes)
    layout = Layout(spec, sources, words, None, notes, request.option, notations=notations)
    layout = _with_threshold(_with_scale(layout, reference), reference)
    outputs = layout.outputs(reference)
    layout = _with_minimum(layout, outputs, fields)
    inferred = (*layout.inferred, *_output_notes(layout, texts, request), *_warnings(layout, reference, outputs))
    return replace(layout, inferred=inferred)


def _class_words(request: ResolvedRequest, frame: pd.DataFrame) -> Classes:
    """Return which values are class 1 and class 0 of a binary model."""

    def likely() -> str | None:
        """Return the value of the label whose rows score clearly higher."""
        score = next(iter(request.scores.values()), None)
        if score is None or request.label is None or not pd.api.types.is_numeric_dtype(frame[score].dtype):
            return None
        codes, texts = coded(frame[request.label])
        scores = as_floats(frame[score])
        known = np.isfinite(scores) & (codes >= 0)
        for code, text in enumerate(texts):
            auc, error = auc_and_error(scores[known], (codes[known] == code).astype(np.float64))
            if auc is not None and auc > CHANCE + ERRORS * error:
                return plain(text)
        return None

    return Classes.of(output_texts(request, frame), request.positive, request.option, likely)


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
        faults = tuple(fault.replace(ALIAS, "") for fault in spec_faults(error))
        raise InvalidInput("The spec does not fit.", details=faults) from None


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
    by_order = layout.scale.unit is Unit.OTHER
    threshold, rule = infer_threshold(layout.outputs(reference), by_order=by_order)
    cut = layout.scale.score_of(threshold)
    note = Inference("prediction", f"1 where {layout.sources[SCORE]} >= {cut:.6g}", rule)
    return replace(layout, threshold=threshold, inferred=(*layout.inferred, note))


def _with_scale(layout: Layout, reference: Rows) -> Layout:
    """Return the layout with what the score of a binary model measures."""
    if layout.spec.problem is not Problem.BINARY or SCORE not in layout.sources:
        return layout
    frame = layout.outputs(reference)
    predictions = as_floats(frame[PREDICTION]) if PREDICTION in layout.sources else np.full(len(frame), np.nan)
    return replace(layout, scale=infer_scale(as_floats(frame[SCORE]), predictions, as_floats(frame[LABEL])))


def _with_minimum(layout: Layout, outputs: pd.DataFrame, fields: Mapping[str, Any]) -> Layout:
    """Return the layout with the rows that a number needs, where the reference shows that fewer are enough."""
    lowered, note = infer_minimum(layout, outputs, fields)
    if note is None:
        return layout
    spec = layout.spec.model_copy(update=lowered)
    return replace(layout, spec=spec, inferred=(*layout.inferred, note))


def _warnings(layout: Layout, reference: Rows, outputs: pd.DataFrame) -> Iterator[Inference]:
    """Yield the notes on outputs that are not what they should be."""
    if layout.scale != AS_IT_IS:
        column = layout.sources[SCORE]
        yield describe_scale(layout.scale, column, as_floats(reference.frame[column]), layout.threshold)
    yield from output_warnings(layout, outputs)


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
