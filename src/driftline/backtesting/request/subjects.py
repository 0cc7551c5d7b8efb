"""Renames the subjects of results to the data's names. No I/O here."""

from dataclasses import replace

from driftline.backtesting.request.layout import Layout
from driftline.engine.results import LABEL, Result


def rename_result(result: Result, layout: Layout) -> Result:
    """Return a result with the data's names; where a column is absent, that is the reason for its missing value."""
    reason = result.reason if result.value is not None else _absence(result, layout) or result.reason
    segment = None if result.segment is None else layout.rename_in_text(result.segment)
    reason = reason and layout.rename_in_text(reason)
    subject = layout.subject(result.subject)
    if (subject, segment, reason) == (result.subject, result.segment, result.reason):
        return result
    return replace(result, subject=subject, segment=segment, reason=reason)


def _absence(result: Result, layout: Layout) -> str | None:
    """Return the reason for a result without a value, if an absent column is the cause; else None."""
    if result.kind not in ("realized", "estimated") or not layout.absent:
        return None
    if result.kind == "realized" and LABEL in layout.absent:
        return f"the data has no label column; name it with {layout.option('label')}"
    if result.rows:
        return None
    absent = sorted(layout.absent - {LABEL})
    if not absent:
        return None
    options = f"{layout.option('prediction')} or {layout.option('score')}"
    return f"the data has no column for {', '.join(absent)}; name it with {options}"
