"""Writes a report as an Excel workbook: a summary, a row for each chunk, and a row for each result."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from driftline.engine.results import State
from driftline.errors import InvalidInput
from driftline.report.document.content import ReportContent
from driftline.report.document.summary import compare, headline, range_words
from driftline.report.document.tables import columns, result_rows
from driftline.report.pages import ReportExtraMissing
from driftline.report.wording import STATE_WORDS

MOST_ROWS = 1_048_575
"""The rows of a sheet below its header; Excel has no more."""
CHUNK_COLUMNS = ("Start", "End", "Rows", "Labelled", "Status", "Verdict", "Provisional", "Drift that lasts", "Reasons")
_OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}

Row = Sequence[Any]


def to_workbook(content: ReportContent) -> bytes:
    """Return the report as an .xlsx file; instants are in UTC, a missing value is an empty cell, no text is a formula.

    Raises:
        InvalidInput: the report has more results than a sheet has rows.
        ReportExtraMissing: xlsxwriter is not installed.
    """
    results = sum(len(chunk.results) for chunk in content.chunks)
    if results > MOST_ROWS:
        msg = f"The report has {results:,} results, a sheet only {MOST_ROWS:,} rows; shorten the range, or use CSV."
        raise InvalidInput(msg)
    sheets: dict[str, Iterable[Row]] = {
        "Summary": _summary(content),
        "Chunks": _chunks(content),
        "Results": (columns(), *result_rows(content.chunks)),
        "Words": [("Word", "Meaning"), *((STATE_WORDS[state].word, STATE_WORDS[state].meaning) for state in State)],
    }
    return _written(sheets)


def _written(sheets: Mapping[str, Iterable[Row]]) -> bytes:
    """Return the bytes of a workbook with these sheets; the first row of each is its head."""
    try:
        import xlsxwriter  # noqa: PLC0415  (an extra)
    except ImportError as error:
        raise ReportExtraMissing from error
    target = BytesIO()
    with xlsxwriter.Workbook(target, _OPTIONS) as book:
        bold, instant = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            sheet.set_column(0, 1, 22)
            sheet.freeze_panes(1, 0)
            for number, row in enumerate(rows):
                for place, value in enumerate(row):
                    _write_cell(sheet, (number, place), value, bold if number == 0 else None, instant)
    return target.getvalue()


def _write_cell(sheet: Any, at: tuple[int, int], value: Any, heading: Any, instant: Any) -> None:
    if isinstance(value, datetime):  # Excel has no time zones
        sheet.write_datetime(*at, value.astimezone(UTC).replace(tzinfo=None), instant)
    elif value is not None:
        sheet.write(*at, value, *([heading] if heading else []))


def _summary(content: ReportContent) -> Iterator[Row]:
    """Yield the rows of the first sheet: model, verdict, reference, notes, and the compared ranges."""
    verdict, reference = headline(content), content.reference
    yield content.model, f"{content.kind} of a {content.spec.problem.value} model"
    yield "Verdict", STATE_WORDS[verdict.state].word, verdict.newest or verdict.counts
    yield from (("Reason", reason) for reason in verdict.reasons)
    if verdict.newest and verdict.counts:
        yield "Verdicts", verdict.counts
    yield "Reference", f"{reference.rows:,} rows in {reference.chunks} chunks", reference.since, reference.until
    yield "Time zone", content.spec.time_zone, "instants of this workbook are in UTC"
    yield from (("Note", note) for note in content.notes)
    compared = compare(content)
    if compared:
        yield ()
        yield "Compared", range_words(content, content.earlier), range_words(content, content.chunks)
        yield from ((value.what, value.earlier, value.now) for value in compared)


def _chunks(content: ReportContent) -> Iterator[Row]:
    """Yield the rows of the sheet of chunks."""
    yield CHUNK_COLUMNS
    for chunk in content.chunks:
        verdict = chunk.verdict
        yield (
            chunk.start,
            chunk.end,
            chunk.rows,
            chunk.labelled,
            chunk.status,
            STATE_WORDS[verdict.state].word,
            "yes" if verdict.provisional else "no",
            ", ".join(verdict.drifted),
            " ".join(verdict.reasons),
        )
