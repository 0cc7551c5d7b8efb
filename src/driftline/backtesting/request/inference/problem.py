"""Infers the problem and the classes of a model from its scores, labels and predictions. No I/O here."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from driftline.backtesting.inference import Inference
from driftline.backtesting.input.values.number_text import Notation, is_text, number_text
from driftline.backtesting.request.inference.kinds import are_integers
from driftline.backtesting.request.outputs.classes import is_binary
from driftline.backtesting.request.resolved import ResolvedRequest
from driftline.engine.catalogue import Problem
from driftline.engine.frames.columns import as_floats, category, coded
from driftline.engine.spec import Spec
from driftline.errors import InvalidInput

MOST_CLASSES = 20
"""Integer labels are classes if there are at most this many of them."""


def infer_problem(request: ResolvedRequest, frame: pd.DataFrame) -> tuple[Problem, list[Inference]]:
    """Return the problem that the request states, or that the reference's rows suggest, with what was inferred."""
    if request.problem:
        return request.problem, []
    problem, rule = _likely_problem(request, frame)
    return problem, [Inference("problem", problem.value, rule)]


def _likely_problem(request: ResolvedRequest, frame: pd.DataFrame) -> tuple[Problem, str]:
    """Return the problem that scores, label and prediction suggest, and the rule behind it."""
    outputs = [name for name in (request.label, request.prediction) if name]
    if len(request.scores) > 1:
        return Problem.MULTICLASS, "there is a score for each of several classes"
    if request.scores:
        return Problem.BINARY, "there is one score"
    if not outputs:
        return (
            Problem.BINARY,
            "there is no label, prediction or score: only drift and data quality are computed",
        )
    if any(_is_measured(frame[name]) for name in outputs):
        return Problem.REGRESSION, f"{outputs[0]} holds numbers with a fraction, or more than {MOST_CLASSES} of them"
    if is_binary(output_texts(request, frame)):
        return Problem.BINARY, f"{' and '.join(outputs)} have two values"
    return Problem.MULTICLASS, f"{' and '.join(outputs)} have {len(class_texts(request, frame))} values"


def class_texts(request: ResolvedRequest, frame: pd.DataFrame) -> list[str]:
    """Return the distinct texts of label and prediction; none from columns of measured numbers."""
    texts: dict[str, None] = {}
    for name in (request.label, request.prediction):
        if name is not None and not _is_measured(frame[name]):
            texts |= dict.fromkeys(_distinct_texts(frame[name]))
    return list(texts)


def output_texts(request: ResolvedRequest, frame: pd.DataFrame) -> dict[str, list[str]]:
    """Return the distinct texts of label and of prediction, each under its column's name."""
    return {name: _distinct_texts(frame[name]) for name in (request.label, request.prediction) if name}


def _distinct_texts(series: "pd.Series[Any]") -> list[str]:
    """Return the distinct texts of the rows; categories without rows are left out."""
    codes, texts = coded(series)
    return [texts[code] for code in np.unique(codes[codes >= 0]).tolist()]


def output_notations(request: ResolvedRequest, problem: Problem, frame: pd.DataFrame) -> dict[str, Notation]:
    """Return the notation of each score, and of a regression's label and prediction, that holds numbers as text."""
    names = list(request.scores.values())
    names += [name for name in (request.label, request.prediction) if name and problem is Problem.REGRESSION]
    texts = {name: number_text(frame[name]) for name in names if is_text(frame[name])}
    return {name: text.notation if text else Notation.PLAIN for name, text in texts.items()}


def _is_measured(series: "pd.Series[Any]") -> bool:
    """Return whether a column holds measured numbers, not classes: numbers with a fraction, or very many of them."""
    if pd.api.types.is_bool_dtype(series.dtype):
        return False
    if is_text(series):
        text = number_text(series)
        values = None if text is None else text.values
    else:
        values = as_floats(series) if pd.api.types.is_numeric_dtype(series.dtype) else None
    if values is None:
        return False
    distinct = np.unique(values[np.isfinite(values)])
    return len(distinct) > MOST_CLASSES or not are_integers(distinct)


def class_names(
    request: ResolvedRequest, problem: Problem, texts: list[str], fields: Mapping[str, Any]
) -> tuple[str, ...]:
    """Return the classes of a multiclass model: of the spec, else of the scores, else the distinct `texts`."""
    if problem is not Problem.MULTICLASS:
        return ()
    names = fields.get("classes") or tuple(name for name in request.scores if name) or sorted(texts)
    if not isinstance(names, list | tuple):
        msg = f"spec: classes: a list of all classes, such as [gold, silver], not {names!r}"
        raise InvalidInput(msg)
    return tuple(map(category, names))


def reject_unknown_classes(request: ResolvedRequest, frame: pd.DataFrame, spec: Spec) -> None:
    """Raise InvalidInput where the reference of a multiclass model has classes that the spec lacks."""
    if spec.problem is not Problem.MULTICLASS:
        return
    for name, texts in output_texts(request, frame).items():
        unknown = sorted(set(texts) - set(spec.classes))
        if unknown:
            msg = (
                f"column {name!r} holds {', '.join(map(repr, unknown[:5]))}, which is none of the classes "
                f"{', '.join(spec.classes)}; pass {request.option('score')} for every class, or name all classes in "
                f"the spec ({request.option('spec')} with classes: [...])"
            )
            raise InvalidInput(msg)
