"""The layout of a backtest as a model version stores it, and back: rows that come later are read like its reference.

No I/O here.
"""

from driftline.backtesting.input.values.number_text import Notation
from driftline.backtesting.options import OptionStyle, python_option
from driftline.backtesting.request.layout import Layout
from driftline.backtesting.request.outputs.classes import Classes
from driftline.backtesting.request.outputs.scales import ScoreScale, ScoreUnit
from driftline.backtesting.request.resolved import ResolvedRequest
from driftline.engine.results import EVENT_TIME
from driftline.engine.spec import Spec
from driftline.store.versions.model_layout import ModelLayout


def stored_layout(layout: Layout, request: ResolvedRequest) -> ModelLayout:
    """Return what a version stores of the layout that was inferred from its reference."""
    return ModelLayout(
        sources={EVENT_TIME: request.timestamp, **layout.sources},
        classes={column: dict(words) for column, words in layout.classes.values.items()},
        threshold=layout.threshold,
        scale_unit=layout.scale.unit.value,
        scale_of_prediction=layout.scale.of_prediction,
        notations={column: notation.value for column, notation in layout.notations.items()},
        na_values=tuple(sorted(request.na_values)),
    )


def layout_of(spec: Spec, stored: ModelLayout, option: OptionStyle = python_option) -> Layout:
    """Return the layout by which `Layout.shape` makes the engine's rows of a version's data."""
    return Layout(
        spec,
        {name: source for name, source in stored.sources.items() if name != EVENT_TIME},
        Classes(stored.classes, option),
        stored.threshold,
        inferred=(),
        option=option,
        scale=ScoreScale(ScoreUnit(stored.scale_unit), of_prediction=stored.scale_of_prediction),
        notations={column: Notation(notation) for column, notation in stored.notations.items()},
    )
