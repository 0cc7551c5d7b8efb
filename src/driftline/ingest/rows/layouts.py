"""The layout of sent rows: the source of each engine column, and the words for missing values. No I/O here."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from driftline.backtesting.input.values.missing import MISSING, MISSING_TEXT
from driftline.backtesting.options import OptionStyle
from driftline.backtesting.request.layout import Layout
from driftline.backtesting.request.stored import layout_of
from driftline.engine.catalogue import ColumnKind
from driftline.engine.results import EVENT_TIME, ID, LABEL, PREDICTION, SCORE
from driftline.engine.spec import Spec
from driftline.store.versions.model_layout import ModelLayout

KNOWN_AT = "known_at"
"""The column of a label that says when it became known."""
CLASS_PREFIX = "probability_"
FEATURE_PREFIX = "features."
BINARY_WORDS = {"0": 0.0, "1": 1.0}
"""How any binary model's classes may be sent, beside the words of its reference."""
FIELD_OF_ROLE = {EVENT_TIME: "at", ID: "id", PREDICTION: "prediction", LABEL: "label"}
PREDICTION_FIELDS = ("id", "at", "prediction", "score", "scores", "features")
LABEL_FIELDS = ("id", "label", KNOWN_AT)
"""The fields of a row in JSON."""


def query_option(name: str, value: object = None, /) -> str:
    """Return an option as a parameter of a request's address, such as `?na_values=ERR`."""
    if value is None:
        return f"?{name}=..."
    pairs = [(name, element) for element in value] if isinstance(value, list | tuple) else [(name, value)]
    return f"?{urlencode(pairs)}"


@dataclass(frozen=True)
class IngestLayout:
    """How rows are laid out: the column that was sent for each of the engine's, and how its values are read.

    `sources` lacks the outputs that the model does not have. `words` are those that stand for a missing value, beside
    the usual ones; `option` spells options in messages.
    """

    layout: Layout
    sources: Mapping[str, str]
    words: frozenset[str] = frozenset()

    @property
    def spec(self) -> Spec:
        """The spec of the model."""
        return self.layout.spec

    @property
    def option(self) -> OptionStyle:
        """How messages spell an option."""
        return self.layout.option

    @property
    def na_values(self) -> tuple[str, ...]:
        """The further words for a missing value."""
        return tuple(sorted(self.words))

    @property
    def codes(self) -> frozenset[str]:
        """The columns of which the values are names, even if they are written in digits."""
        categorical = (c.name for c in self.spec.columns if c.kind is ColumnKind.CATEGORICAL)
        return frozenset(self.sources[name] for name in (ID, *categorical))

    def classes_of(self, column: str) -> Mapping[str, float]:
        """Return which texts of a column are class 1 of a binary model, and which class 0."""
        return self.layout.classes.values[column]

    def missing_words(self, column: str) -> frozenset[str]:
        """Return the words that stand for a missing value in a column; a word that is a class is that class."""
        if column in self.codes:
            return self.words.union(MISSING_TEXT)
        named = {*self.spec.classes, *(text for words in self.layout.classes.values.values() for text in words)}
        return self.words.union(MISSING) - named

    def with_words(self, na_values: Collection[str], option: OptionStyle) -> "IngestLayout":
        """Return the layout with further words for missing values, and with another spelling of options."""
        layout = replace(self.layout, classes=replace(self.layout.classes, option=option), option=option)
        return replace(self, layout=layout, words=self.words.union(na_values))


def flat_layout(spec: Spec, stored: ModelLayout) -> IngestLayout:
    """Return the layout of tables, which have the columns of the model's reference."""
    return _ingest_layout(spec, stored, {ID: ID, **stored.sources})


def nested_layout(spec: Spec, stored: ModelLayout) -> IngestLayout:
    """Return the layout of rows in JSON, where a feature is named by its path."""
    names = {name: FIELD_OF_ROLE[name] for name in (EVENT_TIME, ID, PREDICTION)}
    names |= {LABEL: FIELD_OF_ROLE[LABEL]} if LABEL in stored.sources else {}
    scores = {name: "score" if name == SCORE else f"scores.{name.removeprefix(CLASS_PREFIX)}" for name in spec.scores}
    names |= {name: field for name, field in scores.items() if name in stored.sources}
    features = {name: f"{FEATURE_PREFIX}{stored.sources[name]}" for name in spec.features}
    return _ingest_layout(spec, stored, names | features)


def _ingest_layout(spec: Spec, stored: ModelLayout, sources: Mapping[str, str]) -> IngestLayout:
    """Return a layout with these columns; settings stored for the reference's columns apply to them."""
    renamed = {source: sources[name] for name, source in stored.sources.items() if name in sources}
    usual = next(iter(stored.classes.values()), {})
    outputs = {name: sources[name] for name in (PREDICTION, LABEL) if name in sources}
    words = {column: stored.classes.get(stored.sources.get(name, ""), usual) for name, column in outputs.items()}
    classes = {column: dict(BINARY_WORDS) | dict(of_column) for column, of_column in words.items()}
    layout = layout_of(
        spec,
        replace(
            stored,
            sources=sources,
            classes=classes,
            notations={renamed.get(source, source): notation for source, notation in stored.notations.items()},
        ),
        query_option,
    )
    return IngestLayout(layout, sources, frozenset(stored.na_values))
