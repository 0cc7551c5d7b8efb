"""Where the drift of a column in one chunk comes from: both distributions, the bins and segments that moved most."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from driftline.engine.chunking.chunks import Chunk
from driftline.engine.computation.fitted_methods import SummaryContent
from driftline.engine.localization import Contribution, localize, localize_by_segment
from driftline.engine.results import LABEL
from driftline.errors import InvalidInput
from driftline.store.versions.registry import Version
from monitoring.poll.results.summary_store import SummaryStore

NO_STATE = "The distribution of this chunk is not stored; it is again once its rows or labels change, or the spec."
SAME = "The chunk has the same shares as the reference, or one of them has no values."


@dataclass(frozen=True, slots=True)
class ColumnDrift:
    """The bins or categories of a column with the shares of both sides, those that moved most first.

    `by_segment` has, for each feature of the spec's segments, the contributions of its values. `missing` says why there
    are none.
    """

    bins: Sequence[Contribution] = ()
    by_segment: Mapping[str, Sequence[Contribution]] = field(default_factory=dict)
    missing: str | None = None


def read_column_drift(connection: Connection, version: Version, chunk: Chunk, column: str) -> ColumnDrift:
    """Return the drift of a watched column in a chunk as its stored state has it."""
    content = SummaryContent.LABELS if column == LABEL else SummaryContent.FEATURES
    summary = SummaryStore(connection, version.key, version.spec_revision, chunk).merged(content)
    if summary is None:
        return ColumnDrift(missing=NO_STATE)
    try:
        bins = localize(version.fitted, version.spec, summary, column)
    except InvalidInput as error:  # the spec has no method whose bins are kept
        return ColumnDrift(missing=error.message)
    if not bins:
        return ColumnDrift(missing=SAME)
    features = [name for name in version.spec.segments if name != column and name in version.fitted.segments]
    by_segment = {
        feature: localize_by_segment(version.fitted, version.spec, summary, column, feature) for feature in features
    }
    return ColumnDrift(bins, by_segment)
