"""A self-contained HTML page with numbers, sentences and inlined plots. No I/O here except reading the template."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from eda import wording
from eda.findings import findings
from eda.plots.distributions import LOWEST_PART
from eda.plots.style import Plot
from eda.quantities import QUANTITIES
from eda.statistics.correlation import MINIMUM_ROWS
from eda.statistics.days import SETTLED_SHARE, DayCount
from eda.statistics.exploration import SKEWED, ColumnSummary, Exploration
from eda.statistics.histogram import EXACT_BELOW, LARGEST_ERROR

AMOUNTS = (
    *("mean", "deviation", "minimum", "median", "percentile_95", "maximum"),
    *("median_stayed", "median_churned"),
)
"""The fields of a `ColumnSummary` that are in the column's unit."""
TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Tile:
    """A large number with its label."""

    value: str
    label: str
    detail: str


def render(exploration: Exploration, plots: Sequence[Plot], generated_at: datetime) -> str:
    """Return the report's HTML, which needs no other file and no network."""
    return _template().render(
        exploration=exploration,
        generated_at=generated_at,
        tiles=_tiles(exploration),
        findings=findings(exploration),
        rows=[_row(summary) for summary in exploration.columns],
        plots={plot.name: {"title": plot.title, "source": _inlined(plot)} for plot in plots},
        rules={
            "settled": wording.percent(SETTLED_SHARE),
            "skewed": SKEWED,
            "exact_below": EXACT_BELOW,
            "error": wording.share(LARGEST_ERROR),
            "minimum_rows": MINIMUM_ROWS,
            "lowest": wording.share(LOWEST_PART),
        },
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters.update(number=wording.number, share=wording.share)
    return environment.get_template("report.html.j2")


def _inlined(plot: Plot) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(plot.svg).decode("ascii")


def _tiles(exploration: Exploration) -> tuple[Tile, ...]:
    """Return the headline numbers of the report."""
    days = exploration.days
    cells = days.records * len(QUANTITIES)
    missing = int(days.missing[list(QUANTITIES)].to_numpy().sum())
    with_records = int((days.counts[DayCount.RECORDS] > 0).sum())
    settled = int(days.settled.sum())
    return (
        Tile(f"{days.records:,}", "records", f"{days.records / with_records:,.0f} a day with records"),
        Tile(f"{exploration.subscribers:,}", "subscribers", "distinct in these days"),
        Tile(f"{with_records:,}", "days with records", f"of {exploration.span.days:,} in the range"),
        Tile(wording.share(days.overall_churn_rate()), "churn rate", f"subscriber-days of {settled:,} settled days"),
        Tile(wording.share(missing / cells), "usage values missing", f"{missing:,} of {cells:,}"),
    )


def _row(summary: ColumnSummary) -> dict[str, str]:
    """Return the formatted statistics of a column by name."""
    quantity = QUANTITIES[summary.column]
    amounts = {name: wording.bare(getattr(summary, name), quantity.unit) for name in AMOUNTS}
    return {
        "label": quantity.label,
        "column": str(summary.column),
        "unit": str(quantity.unit),
        "missing": wording.share(summary.missing_share),
        "zero": wording.share(summary.zero_share),
        "pearson": wording.signed(summary.pearson.value),
        "pearson_reason": summary.pearson.reason or "",
        "spearman": wording.signed(summary.spearman.value),
        "spearman_reason": summary.spearman.reason or "",
        **amounts,
    }
