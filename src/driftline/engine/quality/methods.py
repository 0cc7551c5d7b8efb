"""Which data quality method looks at what: the table of those that have a state of their own. No I/O here."""

from types import ModuleType
from typing import Any

from driftline.engine.quality import out_of_range, unseen_categories
from driftline.engine.results import Quality
from driftline.engine.spec import ColumnKind, ColumnSpec, Spec

COLUMN: dict[Quality, tuple[ColumnKind, ModuleType]] = {
    Quality.UNSEEN_CATEGORIES: (ColumnKind.CATEGORICAL, unseen_categories),
    Quality.OUT_OF_RANGE: (ColumnKind.CONTINUOUS, out_of_range),
}
"""Methods of one kind of column, each with its module's `fit`, `summarize` and `finish`; summaries merge themselves."""
STATES: dict[Quality, Any] = {
    Quality.UNSEEN_CATEGORIES: unseen_categories.Seen,
    Quality.OUT_OF_RANGE: out_of_range.Range,
}
"""The class of what each of them keeps of the reference."""


def faults_of(spec: Spec, column: ColumnSpec) -> dict[Quality, ModuleType]:
    """Return the spec's methods for `column` that keep a state, by its kind; missing values are kept anyway."""
    wanted = {quality: COLUMN[quality] for quality in spec.quality if quality in COLUMN}
    return {quality: module for quality, (kind, module) in wanted.items() if kind is column.kind}
