"""The report of a monitored model, made of its stored chunks. No I/O here."""

from collections.abc import Sequence

from driftline.monitor import FittedMonitor
from driftline.report.document.content import ReferenceSummary, ReportContent
from driftline.report.view import ChunkView
from driftline.store.versions.registry import Version

REPORT_CHUNKS = 30
"""How many chunks a report has where no range is requested."""
SIMULATED = "The data of this model is simulated."


def report_content(version: Version, chunks: Sequence[ChunkView], earlier: Sequence[ChunkView] = ()) -> ReportContent:
    """Return the content of the report on chunks of a version, compared with the earlier ones."""
    return ReportContent(
        model=version.name,
        kind=f"version {version.number}",
        spec=version.spec,
        cut=version.spec.period.value,
        reference=reference_summary(version),
        chunks=chunks,
        notes=(SIMULATED,) if version.details.get("simulated") else (),
        earlier=earlier,
    )


def reference_summary(version: Version) -> ReferenceSummary:
    """Return the reference of a version, and what alerts can see with it."""
    fitted, monitor = version.fitted, FittedMonitor(version.spec, version.fitted)
    return ReferenceSummary(
        rows=fitted.rows,
        since=fitted.since,
        until=fitted.until,
        chunks=fitted.chunks,
        visible_changes=monitor.visible_changes(),
        proposed_period=monitor.proposed_period(),
        no_evidence=monitor.no_evidence,
    )
