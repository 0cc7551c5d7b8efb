"""The exploratory report of the passengers: one HTML page with its pictures inside."""

import base64
from collections.abc import Iterator
from html import escape
from io import BytesIO
from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from examples.titanic.passengers import CATEGORIES, LABEL

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>The passengers of the Titanic</title>
<style>body {{font: 1rem/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto; padding: 0 1rem; color: #222;
background: #fff}} table {{border-collapse: collapse}} td, th {{padding: .2rem .8rem; text-align: right;
border-bottom: 1px solid #ddd}} th:first-child {{text-align: left}} img {{max-width: 100%}}</style>
<h1>The passengers of the Titanic</h1>
<p>{rows:,} passengers, of whom {survivors:,} survived ({share:.1%}). Missing: {missing}.</p>
{sections}</html>
"""
SECTION = '<h2>{title}</h2>{table}<img alt="{alt}" src="data:image/png;base64,{picture}">\n'


def write_exploration(passengers: pd.DataFrame, file: Path) -> None:
    """Write the report: survival by group, by two groups at once, and by age."""
    missing = ", ".join(f"{count} of {name}" for name, count in passengers.isna().sum().items() if count)
    survivors = int(passengers[LABEL].sum())
    file.write_text(
        PAGE.format(
            rows=len(passengers),
            survivors=survivors,
            share=survivors / len(passengers),
            missing=escape(missing) or "nothing",
            sections="".join(_sections(passengers)),
        )
    )


def survival(passengers: pd.DataFrame, *features: str) -> pd.DataFrame:
    """Return the rows, the survivors and the share of survivors of each group."""
    labels = passengers.groupby(list(features), observed=True)[LABEL]
    return pd.DataFrame({"passengers": labels.size(), "survivors": labels.sum(), "share": labels.mean().round(3)})


def _sections(passengers: pd.DataFrame) -> Iterator[str]:
    for feature in CATEGORIES:
        groups = survival(passengers, feature)
        yield _section(f"Survival by {_words(feature)}", groups, groups["share"])
    both = survival(passengers, "sex", "passenger_class")
    yield _section("Survival by sex and class", both, both["share"].unstack())
    decades = passengers.assign(age=(passengers["age"] // 10 * 10).map("{:.0f}s".format, na_action="ignore"))
    by_age = survival(decades.fillna({"age": "unknown"}), "age")
    yield _section("Survival by age", by_age, by_age["share"])


def _section(title: str, table: pd.DataFrame, shares: "pd.Series | pd.DataFrame") -> str:
    html = table.to_html(border=0, index_names=False)
    return SECTION.format(title=title, table=html, alt=f"{title}: bars", picture=_bars(shares))


def _bars(shares: "pd.Series | pd.DataFrame") -> str:
    """Return the shares of survivors as bars: a PNG in base64."""
    with mpl.rc_context({"axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(7, 2.8), layout="constrained")
        axes = figure.subplots()
        shares.plot.bar(ax=axes, rot=0, ylim=(0, 1), ylabel="share of survivors", xlabel="")
        stream = BytesIO()
        figure.savefig(stream, format="png", dpi=110)
    return base64.b64encode(stream.getvalue()).decode()


def _words(feature: str) -> str:
    return {"passenger_class": "class", "embarked": "port of embarkation"}.get(feature, feature)
