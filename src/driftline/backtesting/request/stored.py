"""The layout of a backtest as a model version stores it, and back: rows that come later are read like its reference.

No I/O here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from driftline.backtesting.input.missing import MISSING, MISSING_TEXT
from driftline.backtesting.input.number_text import Notation
from driftline.backtesting.options import OptionStyle, python_option
from driftline.backtesting.request.classes import Classes
from driftline.backtesting.request.layout import Layout
from driftline.backtesting.request.resolved import ResolvedRequest
from driftline.backtesting.request.scales import ScoreScale, ScoreUnit
from driftline.engine.catalogue import ColumnKind
from driftline.engine.results import EVENT_TIME, ID
from driftline.engine.spec import Spec
from driftline.store.model_layout import ModelLayout


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


@dataclass(frozen=True, slots=True)
class StoredOptions:
    """How to read the rows of a version's data; a `ReadOptions` of `driftline.backtesting.input.read_options`."""

    spec: Spec
    layout: ModelLayout
    option: OptionStyle = python_option

    @property
    def timestamp(self) -> str:
        """The column of event times."""
        return self.layout.sources[EVENT_TIME]

    @property
    def id(self) -> str | None:
        """The column of row ids."""
        return self.layout.sources.get(ID)

    @property
    def roles(self) -> tuple[str, ...]:
        """The columns that are not features."""
        names = (EVENT_TIME, ID, *self.spec.outputs)
        return tuple(dict.fromkeys(self.layout.sources[name] for name in names if name in self.layout.sources))

    @property
    def features(self) -> tuple[str, ...]:
        """The columns of the features."""
        return tuple(self.layout.sources[name] for name in self.spec.features)

    @property
    def kinds(self) -> Mapping[str, ColumnKind]:
        """The kinds of the features."""
        return {self.layout.sources[column.name]: column.kind for column in self.spec.columns}

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of times without an offset."""
        return self.spec.zone

    def missing_words(self, column: str, /) -> frozenset[str]:
        """Return the words that stand for a missing value in a column; a word that is a class is that class."""
        if column not in self.roles or column == self.id:
            return frozenset(self.layout.na_values).union(MISSING_TEXT)
        named = {*self.spec.classes, *(text for words in self.layout.classes.values() for text in words)}
        return frozenset(self.layout.na_values).union(MISSING) - named
