"""The templates and the style sheet that HTML pages share."""

from importlib import resources
from typing import Any

from driftline.errors import DriftlineError
from driftline.report.palette import css_variables

TEMPLATES = resources.files("driftline.report") / "templates"


class ReportExtraMissing(DriftlineError):
    """Pages and plots need the extra `report`: pip install 'driftline[report]'."""


def stylesheet() -> str:
    """Return the rules that all pages share, the colors' variables first."""
    return css_variables() + (TEMPLATES / "report.css").read_text("utf-8") + chart_rules()


def chart_rules() -> str:
    """Return the rules of charts, strips and heat maps alone."""
    return (TEMPLATES / "charts.css").read_text("utf-8")


def environment() -> Any:
    """Return a Jinja environment that finds the shared templates.

    Raises:
        ReportExtraMissing: jinja2 is not installed.
    """
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415  (an extra, and slow to import)
    except ImportError as error:
        raise ReportExtraMissing from error
    loader = PackageLoader("driftline.report")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
