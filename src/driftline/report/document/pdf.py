"""Prints a report's page as a tagged PDF (PDF/UA-1) with WeasyPrint."""

import logging
import re
from typing import Any

from driftline.errors import MissingLibrary
from driftline.report.document.content import ReportContent
from driftline.report.document.page import render
from driftline.report.pages import chart_rules
from driftline.report.palette import LIGHT

PRINTED_CHARTS = 24
"""How many charts of columns a PDF has at most; a page holds about 15."""
PRINTED_TEXT = "svg text, .grid text, svg .column, svg .sign { font-size: 15px; } svg .bound { font-size: 13px; }"
"""On paper a chart is about half as wide as on a screen; its texts keep a readable size."""
_SVG = re.compile(r"<svg [^>]*>")
_VARIABLE = re.compile(r"var\(--([a-z0-9-]+)\)")


class PdfLibraryMissing(MissingLibrary):
    """A PDF needs WeasyPrint and Pango: install the extra `report`, and the system's package of Pango 1.44 or newer."""


def to_pdf(content: ReportContent) -> bytes:
    """Return the report as a PDF in A4, with fewer charts than the page.

    Raises:
        PdfLibraryMissing: WeasyPrint or the libraries that it loads are not installed.
    """
    weasyprint, rules = _weasyprint(), _printed_rules()
    page = render(content, PRINTED_CHARTS, paper=True)
    html = _SVG.sub(lambda tag: f"{tag[0]}<style>{rules}</style>", page)
    no_fetcher = weasyprint.urls.URLFetcher(allowed_protocols=())
    return bytes(weasyprint.HTML(string=html, url_fetcher=no_fetcher).write_pdf(pdf_variant="pdf/ua-1"))


def _printed_rules() -> str:
    """Return the rules of charts for paper: WeasyPrint applies neither the page's rules nor variables inside an SVG."""
    return _VARIABLE.sub(lambda name: LIGHT[name[1]], chart_rules() + PRINTED_TEXT)


def _weasyprint() -> Any:
    try:
        import weasyprint  # noqa: PLC0415  (an extra, and slow to import)
    except (ImportError, OSError) as error:  # OSError: Pango is missing
        raise PdfLibraryMissing from error
    weasyprint.LOGGER.setLevel(logging.ERROR)  # it warns of each rule for a screen
    return weasyprint
