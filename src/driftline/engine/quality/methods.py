"""The data quality methods of a column that have a fitted state: one entry for each. No I/O here."""

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
    Quality.UNSEEN_CATEGORIES: unseen_categories.KnownCategories,
    Quality.OUT_OF_RANGE: out_of_range.ReferenceRange,
}
"""The class of the fitted state of each method."""


def quality_methods_of(spec: Spec, column: ColumnSpec) -> dict[Quality, ModuleType]:
    """Return the spec's methods for the kind of `column`, except missing values, which are always counted."""
    methods = (method for method in spec.quality if method in MODULES)
    return {method: MODULES[method] for method in methods if column.kind in measure(method).columns}
