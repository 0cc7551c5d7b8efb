"""Infers the minimum rows of a chunk from the reference, and notes them. No I/O here."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from driftline.backtesting.inference import Inference
from driftline.backtesting.request.layout import Layout
from driftline.engine.catalogue import Problem
from driftline.engine.minimum_rows import DEFAULTS, lower_rows


def infer_minimum(
    layout: Layout, frame: pd.DataFrame, fields: Mapping[str, Any]
) -> tuple[Mapping[str, int], Inference | None]:
    """Return the lowered fields of the spec, as the reference allows, and the note on them.

    `frame` has the outputs of the reference, `fields` those that the user's spec sets.
    """
    if DEFAULTS.keys() & fields.keys():
        return {}, None
    lower = lower_rows(layout.spec, frame)
    if lower is None:
        return {}, None
    lowered = {"minimum_rows": lower.rows, "minimum_class_rows": lower.class_rows}
    of_class = "" if layout.spec.problem is Problem.REGRESSION else f", {lower.class_rows} of the rarer class"
    return lowered, Inference("minimum", f"{lower.rows} rows{of_class}", lower.reason)
