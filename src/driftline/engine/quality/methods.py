"""Which data quality method looks at what: the table of those that have a state of their own. No I/O here."""

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
"""The class of what each of them keeps of the reference."""


def faults_of(spec: Spec, column: ColumnSpec) -> dict[Quality, ModuleType]:
    """Return the spec's methods for `column` that keep a state, by its kind; missing values are kept anyway."""
    methods = (method for method in spec.quality if method in MODULES)
    return {method: MODULES[method] for method in methods if column.kind in measure(method).columns}
