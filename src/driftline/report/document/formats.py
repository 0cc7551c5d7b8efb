"""The formats of a report: one row for each."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from driftline.report.document.content import ReportContent
from driftline.report.document.page import render
from driftline.report.document.pdf import to_pdf
from driftline.report.document.tables import to_csv
from driftline.report.document.workbook import to_workbook

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class ReportFormat:
    """A format: its ending, its media type, what it holds, and the function that returns a report in it."""

    ending: str
    media_type: str
    words: str
    write: Callable[[ReportContent], bytes]


def _html(content: ReportContent) -> bytes:
    return render(content).encode()


def _json(content: ReportContent) -> bytes:
    return "".join(content.json_parts()).encode()


FORMATS: dict[str, ReportFormat] = {
    row.ending: row
    for row in (
        ReportFormat("html", "text/html; charset=utf-8", "one page with charts, tables and glossary", _html),
        ReportFormat("pdf", "application/pdf", "the page on paper, in A4", to_pdf),
        ReportFormat("xlsx", EXCEL, "a workbook: summary, chunks, results", to_workbook),
        ReportFormat("csv", "text/csv; charset=utf-8", "a row for each result", to_csv),
        ReportFormat("json", "application/json", "all chunks with their results, as a backtest's JSON", _json),
    )
}
"""The formats by ending."""


def write_report(content: ReportContent, path: Path, ending: str) -> None:
    """Write a report in the format of `ending` to a file."""
    path.write_bytes(FORMATS[ending.lower().lstrip(".")].write(content))
