"""Which column of what was sent is behind each column of the engine, and which words are missing. No I/O here."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

from driftline.backtesting.input.missing import MISSING, MISSING_TEXT
from driftline.backtesting.options import OptionStyle
from driftline.backtesting.request.classes import Classes
from driftline.backtesting.request.layout import Layout
from driftline.engine.catalogue import ColumnKind, Problem
from driftline.engine.results import EVENT_TIME, ID, LABEL, PREDICTION, SCORE
from driftline.engine.spec import Spec

KNOWN_AT = "known_at"
"""The column of a label that says when it became known."""
CLASS_PREFIX = "probability_"
PREDICTION_FIELDS = ("id", "at", "prediction", "score", "scores", "features")
LABEL_FIELDS = ("id", "label", KNOWN_AT)
"""The fields of a row in JSON."""


def query_option(name: str, value: object = None, /) -> str:
    """Return an option as a parameter of a request's address, such as `?na_values=ERR`."""
    if value is None:
        return f"?{name}=..."
    pairs = [(name, each) for each in value] if isinstance(value, list | tuple) else [(name, value)]
    return f"?{urlencode(pairs)}"


@dataclass(frozen=True)
class IngestLayout:
    """The layout of what was sent, and the further words that stand for a missing value in it."""

    layout: Layout
    na_values: frozenset[str] = field(default_factory=frozenset)

    @property
    def spec(self) -> Spec:
        """The spec of the model."""
        return self.layout.spec

    @property
    def sources(self) -> Mapping[str, str]:
        """The column that was sent for each column of the engine."""
        return self.layout.sources

    @property
    def option(self) -> OptionStyle:
        """How messages spell an option."""
        return self.layout.option

    @property
    def codes(self) -> frozenset[str]:
        """The columns of which the values are names, even if they are written in digits."""
        spec = self.spec
        names = {column.name for column in spec.columns if column.kind is ColumnKind.CATEGORICAL} | {ID}
        if spec.problem is Problem.MULTICLASS:
            names |= {PREDICTION, LABEL}
        return frozenset(source for name, source in self.sources.items() if name in names)

    def missing_words(self, column: str) -> frozenset[str]:
        """Return the words that stand for a missing value in a column: NA can be a category, but no number or time."""
        if column in self.codes:
            return self.na_values.union(MISSING_TEXT)
        return self.na_values.union(MISSING)

    def with_words(self, na_values: Collection[str], option: OptionStyle) -> "IngestLayout":
        """Return the layout with further words for missing values, and with another spelling of options."""
        classes = replace(self.layout.classes, option=option)
        layout = replace(self.layout, classes=classes, option=option)
        return IngestLayout(layout, self.na_values.union(na_values))


def canonical_layout(spec: Spec) -> IngestLayout:
    """Return the layout of tables of which the columns have the engine's own names."""
    names = {EVENT_TIME: EVENT_TIME, ID: ID, PREDICTION: PREDICTION, LABEL: LABEL}
    return _layout(spec, names | {name: name for name in (*spec.scores, *(c.name for c in spec.columns))})


def nested_layout(spec: Spec) -> IngestLayout:
    """Return the layout of rows in JSON, where a feature is named by its path."""
    names = {EVENT_TIME: "at", ID: "id", PREDICTION: "prediction", LABEL: "label"}
    scores = {name: "score" if name == SCORE else f"scores.{name.removeprefix(CLASS_PREFIX)}" for name in spec.scores}
    return _layout(spec, names | scores | {column.name: f"features.{column.name}" for column in spec.columns})


def _layout(spec: Spec, sources: Mapping[str, str]) -> IngestLayout:
    outputs = (sources[PREDICTION], sources[LABEL])
    classes = Classes.of(dict.fromkeys(outputs, ("0", "1")), None, query_option)
    return IngestLayout(Layout(spec, sources, classes, threshold=None, inferred=(), option=query_option))
