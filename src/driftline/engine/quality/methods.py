"""The data quality methods of a column that keep a state of the reference: one entry for each. No I/O here."""

from types import ModuleType
from typing import Any

from driftline.engine.catalogue import measure
from driftline.engine.quality import out_of_range, unseen_categories
from driftline.engine.results import Quality
from driftline.engine.spec import ColumnSpec, Spec

MODULES: dict[Quality, ModuleType] = {
    Quality.UNSEEN_CATEGORIES: unseen_categories,
    Quality.OUT_OF_RANGE: out_of_range,
}
"""The module with `fit`, `summarize` and `finish` of each method; its summaries have a `merge`."""
STATES: dict[Quality, Any] = {
    Quality.UNSEEN_CATEGORIES: unseen_categories.Seen,
    Quality.OUT_OF_RANGE: out_of_range.Range,
}
"""The class of the state that each of them keeps of the reference."""


def quality_methods_of(spec: Spec, column: ColumnSpec) -> dict[Quality, ModuleType]:
    """Return the spec's methods for the kind of `column`, except missing values, which are always counted."""
    methods = (method for method in spec.quality if method in MODULES)
    return {method: MODULES[method] for method in methods if column.kind in measure(method).columns}
