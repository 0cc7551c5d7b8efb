"""The report that people send: its sentences, what it compares, its formats, and that no text of users is a formula."""

import json
import re
import zipfile
import zlib
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from xml.etree import ElementTree

import pytest

from driftline.engine.results import State
from driftline.errors import InvalidInput
from driftline.report.document import workbook
from driftline.report.document.content import ReferenceSummary, ReportContent
from driftline.report.document.formats import FORMATS
from driftline.report.document.page import render
from driftline.report.document.pdf import PdfLibraryMissing, to_pdf
from driftline.report.document.summary import compare, headline
from driftline.report.schema import BacktestOut
from driftline.report.view import ChunkView
from tests.unit.monitoring.reports_builder import DAY, ORIGIN, SPEC, drift, realized, report

REFERENCE = ReferenceSummary(8_000, ORIGIN - 8 * DAY, ORIGIN - timedelta(seconds=1), 8)


def content(*chunks: ChunkView, earlier: tuple[ChunkView, ...] = ()) -> ReportContent:
    return ReportContent("=1+1", "version 3", SPEC, "1d", REFERENCE, chunks, earlier=earlier)


BROKEN = content(
    report(8, realized(0.7)),
    report(9, realized(0.3), state=State.ALERT, reason="F1 0.3 is below its alert bound 0.4."),
    report(10, realized(0.3), state=State.ALERT, drifted=("minutes",)),
    report(11, rows=0, state=State.NO_DATA),
    report(12, realized(0.35), state=State.ALERT, reason="<b>F1</b> is low."),
    report(13, state=State.PENDING_LABELS, labelled=0, labels_due=False),
    earlier=(report(6, realized(0.7)), report(7, realized(0.8), rows=3000, labelled=3000)),
)


def test_the_headline_is_the_newest_decisive_verdict() -> None:
    verdict = headline(BROKEN)
    assert verdict.state is State.ALERT
    assert verdict.newest == "The day of 13 February 2026 alerts, unchanged since 10 February 2026."
    assert verdict.counts == "Of 6 days, 3 alert, 1 waits for labels, 1 is OK and 1 has no predictions."
    assert verdict.reasons == ("<b>F1</b> is low.",)


def test_without_a_decisive_verdict_the_headline_says_what_is_missing() -> None:
    waiting = headline(content(report(0, state=State.PENDING_LABELS, labels_due=False)))
    assert (waiting.state, waiting.counts) == (State.PENDING_LABELS, "")
    assert waiting.newest == "The day of 1 February 2026 waits for labels; more rows or labels may change that."
    assert headline(content()).counts == "There is no chunk in this range."


def test_two_ranges_are_compared_by_the_same_numbers() -> None:
    values = {value.what: (value.earlier, value.now) for value in compare(BROKEN)}
    assert values == {
        "Days that alert": ("0 of 2", "3 of 6"),
        "Days that warn": ("0 of 2", "0 of 6"),
        "Predictions": ("4,000", "5,000"),
        "Labels in": ("100 %", "80 %"),
        "F1, realized": ("0.75", "0.412"),
        "F1, estimated": ("–", "–"),
        "Columns whose drift lasted": ("none", "minutes"),
    }
    assert compare(replace(BROKEN, earlier=())) == []


def test_the_page_begins_with_the_verdict_and_escapes_texts() -> None:
    page = render(BROKEN)
    summary = page[page.index("<h2>Summary") : page.index("<h2>Verdict by chunk")]
    assert "unchanged since 10 February 2026" in summary
    assert "&lt;b&gt;F1&lt;/b&gt; is low." in summary
    assert "Before: 2 days from 7 February 2026 to 8 February 2026" in summary
    assert "<h2>What was inferred" not in page


def test_the_json_of_a_report_is_that_of_a_backtest() -> None:
    written = json.loads(FORMATS["json"].write(BROKEN))
    assert BacktestOut.model_validate(written).model == "=1+1"
    assert [chunk["verdict"] for chunk in written["chunks"]] == [str(chunk.verdict.state) for chunk in BROKEN.chunks]


def test_a_workbook_has_all_results_and_no_formula() -> None:
    book = zipfile.ZipFile(BytesIO(FORMATS["xlsx"].write(BROKEN)))
    sheets = [ElementTree.fromstring(book.read(name)) for name in book.namelist() if "worksheets/sheet" in name]  # noqa: S314  # ours
    schema = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    assert not [cell for sheet in sheets for cell in sheet.iter(f"{schema}f")]
    results = sum(len(chunk.results) for chunk in BROKEN.chunks)
    assert len(list(sheets[2].iter(f"{schema}row"))) == 1 + results
    shared = ElementTree.fromstring(book.read("xl/sharedStrings.xml"))  # noqa: S314  # ours
    texts = ["".join(item.itertext()) for item in shared]
    assert {"=1+1", "<b>F1</b> is low.", "Days that alert"} <= set(texts)


def test_a_workbook_refuses_more_results_than_a_sheet_has_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MOST_ROWS", 2)
    with pytest.raises(InvalidInput, match=r"has 3 results, a sheet only 2 rows; shorten the range, or use CSV"):
        FORMATS["xlsx"].write(content(report(0, realized(0.7), drift(0.1)), report(1, realized(0.7))))


@pytest.mark.slow
def test_a_pdf_is_tagged_and_has_no_more_than_its_pages() -> None:
    try:
        pdf = to_pdf(BROKEN)
    except PdfLibraryMissing:
        pytest.skip("Pango is not installed")
    streams = b"".join(map(zlib.decompress, re.findall(rb"stream\n(x.*?)\nendstream", pdf, re.DOTALL)))
    assert b"/StructTreeRoot" in streams
    assert len(re.findall(rb"/Type /Page\b", streams)) in (2, 3)
