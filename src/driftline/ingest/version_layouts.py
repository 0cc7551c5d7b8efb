"""The layouts of a registered version: tables have the columns of its reference, rows in JSON name its features.

No I/O here.
"""

from dataclasses import replace

from driftline.backtesting.request.classes import Classes
from driftline.backtesting.request.stored import layout_of
from driftline.engine.results import LABEL, PREDICTION
from driftline.engine.spec import Spec
from driftline.ingest.layouts import IngestLayout, canonical_layout, nested_layout, query_option
from driftline.store.model_layout import ModelLayout

ENGINE_WORDS = {"0": 0.0, "1": 1.0}


def flat_layout(spec: Spec, stored: ModelLayout | None) -> IngestLayout:
    """Return the layout of tables; without a stored one the columns have the engine's names."""
    if stored is None:
        return canonical_layout(spec)
    layout = layout_of(spec, stored, query_option)
    return IngestLayout(replace(layout, sources=stored.sources), frozenset(stored.na_values))


def rows_layout(spec: Spec, stored: ModelLayout | None) -> IngestLayout:
    """Return the layout of rows in JSON: features have the names of the reference, outputs its words and scale."""
    nested = nested_layout(spec)
    if stored is None:
        return nested
    flat, absent = flat_layout(spec, stored).layout, stored.absent(spec)
    features = {name: f"features.{stored.sources[name]}" for name in spec.features}
    present = {
        name: source
        for name, source in nested.sources.items()
        if name not in absent and not (name == PREDICTION and flat.predicts)
    }
    words = {
        nested.sources[name]: ENGINE_WORDS | dict(stored.classes.get(stored.sources.get(name, ""), {}))
        for name in (PREDICTION, LABEL)
    }
    notations = {
        {**nested.sources, **features}[name]: flat.notations[source]
        for name, source in stored.sources.items()
        if source in flat.notations
    }
    layout = replace(flat, sources=present | features, classes=Classes(words, query_option), notations=notations)
    return IngestLayout(layout, frozenset(stored.na_values))
