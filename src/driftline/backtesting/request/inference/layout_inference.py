"""Infers the layout and its spec from the reference, where the request leaves them open. No I/O here."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from pydantic import ValidationError

from driftline.backtesting.inference import Inference
from driftline.backtesting.input.rows import Rows
from driftline.backtesting.request.inference.kinds import features_of
from driftline.backtesting.request.inference.minimum import infer_minimum
from driftline.backtesting.request.inference.output_checks import (
    CHANCE,
    STANDARD_ERRORS,
    auc_and_error,
    contradiction_notes,
)
from driftline.backtesting.request.inference.problem import (
    class_names,
    class_texts,
    infer_problem,
    output_notations,
    output_texts,
    reject_unknown_classes,
)
from driftline.backtesting.request.layout import ALIAS_PREFIX, Layout
from driftline.backtesting.request.outputs.classes import POSITIVE_WORDS, Classes, plain
from driftline.backtesting.request.outputs.scales import PROBABILITY_SCALE, ScoreUnit, describe_scale, infer_scale
from driftline.backtesting.request.outputs.threshold import infer_threshold
from driftline.backtesting.request.resolved import ResolvedRequest
from driftline.engine.catalogue import ColumnKind, Problem
from driftline.engine.frames.columns import as_floats, coded
from driftline.engine.results import ID, LABEL, PREDICTION, SCORE
from driftline.engine.spec import RESERVED, ColumnSpec, ModelClock, Spec, score_column, spec_faults
from driftline.errors import InvalidInput


def infer_layout(request: ResolvedRequest, reference: Rows, fields: Mapping[str, Any]) -> Layout:
    """Infer from the reference what the request left open; `fields` are those of the spec that the request sets.

    Raises InvalidInput where the request and the reference contradict each other.
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
    layout = _add_threshold(_add_scale(layout, reference), reference)
    outputs = layout.outputs(reference)
    layout = _add_minimum(layout, outputs, fields)
    inferred = (*layout.inferred, *_output_notes(layout, texts, request), *_contradictions(layout, reference, outputs))
    return replace(layout, inferred=inferred)


def _class_words(request: ResolvedRequest, frame: pd.DataFrame) -> Classes:
    """Return the values that are class 1 and class 0 of a binary model."""

    def likely() -> str | None:
        """Return the value of the label whose rows have clearly higher scores; None if there is none."""
        score = next(iter(request.scores.values()), None)
        if score is None or request.label is None or not pd.api.types.is_numeric_dtype(frame[score].dtype):
            return None
        codes, texts = coded(frame[request.label])
        scores = as_floats(frame[score])
        complete = np.isfinite(scores) & (codes >= 0)
        for code, text in enumerate(texts):
            auc, error = auc_and_error(scores[complete], (codes[complete] == code).astype(np.float64))
            if auc is not None and auc > CHANCE + STANDARD_ERRORS * error:
                return plain(text)
        return None

    return Classes.of(output_texts(request, frame), request.positive, request.option, likely)


def _require_feature(kinds: Mapping[str, ColumnKind], request: ResolvedRequest, frame: pd.DataFrame) -> None:
    if not kinds:
        columns = ", ".join(map(str, frame.columns))
        msg = f"there is no feature; pass {request.option('features')}. The columns are {columns}"
        raise InvalidInput(msg)


def _alias(name: str, classes: tuple[str, ...]) -> str:
    """Return the engine's name for a feature, which differs where the engine reserves the name."""
    return ALIAS_PREFIX + name if name in RESERVED | {score_column(label) for label in classes} else name


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
    known_fields = {
        "problem": problem,
        "classes": classes or fields.get("classes") or (),
        "columns": columns,
        "segments": _segments(fields.get("segments", ()), aliases),
        "clock": ModelClock.DATA,
    }
    values = {**fields, **known_fields}
    try:
        return Spec.model_validate(values)
    except ValidationError as error:
        faults = tuple(fault.replace(ALIAS_PREFIX, "") for fault in spec_faults(error, values))
        raise InvalidInput("The spec does not fit.", details=faults) from None


def _segments(segments: Any, aliases: Mapping[str, str]) -> Any:
    """Return segments under the engine's names; anything but a list of names is left for the spec to reject."""
    if not isinstance(segments, list | tuple):
        return segments
    return tuple(aliases.get(name, name) if isinstance(name, str) else name for name in segments)


def _roles(request: ResolvedRequest, spec: Spec) -> Iterator[tuple[str, str]]:
    """Yield each of the engine's id, output and score columns with its column in the data."""
    outputs = {ID: request.id, PREDICTION: request.prediction, LABEL: request.label}
    yield from ((name, column) for name, column in outputs.items() if column)
    if spec.problem is Problem.BINARY:
        yield from ((SCORE, column) for column in request.scores.values())
        return
    yield from ((score_column(name), column) for name, column in request.scores.items())


def _add_threshold(layout: Layout, reference: Rows) -> Layout:
    """Return the layout with the rule that computes predictions from scores, where the data has no predictions."""
    if not layout.predicts:
        return layout
    if layout.spec.problem is not Problem.BINARY:
        note = Inference("prediction", "the class with the highest score", "there is no prediction column")
        return replace(layout, inferred=(*layout.inferred, note))
    by_order = layout.scale.unit is ScoreUnit.OTHER
    threshold, rule = infer_threshold(layout.outputs(reference), by_order=by_order)
    cut = layout.scale.score_of(threshold)
    note = Inference("prediction", f"1 where {layout.sources[SCORE]} >= {cut:.6g}", rule)
    return replace(layout, threshold=threshold, inferred=(*layout.inferred, note))


def _add_scale(layout: Layout, reference: Rows) -> Layout:
    """Return the layout with the scale of a binary model's score."""
    if layout.spec.problem is not Problem.BINARY or SCORE not in layout.sources:
        return layout
    frame = layout.outputs(reference)
    predictions = as_floats(frame[PREDICTION]) if PREDICTION in layout.sources else np.full(len(frame), np.nan)
    return replace(layout, scale=infer_scale(as_floats(frame[SCORE]), predictions, as_floats(frame[LABEL])))


def _add_minimum(layout: Layout, outputs: pd.DataFrame, fields: Mapping[str, Any]) -> Layout:
    """Return the layout with lower minimum rows, where the reference shows that fewer are enough."""
    lowered, note = infer_minimum(layout, outputs, fields)
    if note is None:
        return layout
    spec = layout.spec.model_copy(update=lowered)
    return replace(layout, spec=spec, inferred=(*layout.inferred, note))


def _contradictions(layout: Layout, reference: Rows, outputs: pd.DataFrame) -> Iterator[Inference]:
    """Yield the notes on outputs that contradict their role."""
    if layout.scale != PROBABILITY_SCALE:
        column = layout.sources[SCORE]
        yield describe_scale(layout.scale, column, as_floats(reference.frame[column]), layout.threshold)
    yield from contradiction_notes(layout, outputs)


def _output_notes(layout: Layout, texts: list[str], request: ResolvedRequest) -> Iterator[Inference]:
    """Yield what was inferred of the classes, the id and the columns that the data lacks."""
    if layout.spec.problem is Problem.BINARY and set(texts) - {"0", "1"}:
        positives = [text for text in sorted(texts) if layout.classes.is_positive(text)]
        rule = "as requested" if request.positive else f"one of the words {', '.join(sorted(POSITIVE_WORDS))}"
        yield Inference("class 1", ", ".join(positives) or "none", rule)
    if layout.spec.problem is Problem.MULTICLASS:
        yield Inference("classes", ", ".join(layout.spec.classes), "from the scores, else from the reference")
    if ID not in layout.sources:
        yield Inference("id", "the number of the row", "there is no id column")
    for name in sorted(layout.absent):
        yield Inference("absent", name, "results that need it have no value, and a reason instead")
