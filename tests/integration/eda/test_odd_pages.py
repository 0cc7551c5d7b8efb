"""Irregular records give a complete page. A page takes seconds, which is too slow for the unit tests."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from churn.columns import CDR_USAGE, Cdr
from eda.plots import plots
from eda.report import render
from eda.statistics.profile import DAY_NUMBER
from tests.unit.eda.sample_records import FIRST, explored, records

NOW = datetime(2026, 2, 1, 12, 30, tzinfo=UTC)


def _no_labels(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(PSEUDO_CHURNED=np.nan)


def _empty_column(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(DP_DATA_VOLUME=np.nan)


def _all_zero(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(**{str(column): 0.0 for column in CDR_USAGE})


def _one_record(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.iloc[:1]


def _a_gap(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[~frame[DAY_NUMBER].between(FIRST.toordinal() + 3, FIRST.toordinal() + 9)]


def _huge(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(DP_DATA_VOLUME=frame[Cdr.DATA_VOLUME] * 1e9)


@pytest.mark.parametrize("change", [_no_labels, _empty_column, _all_zero, _one_record, _a_gap, _huge])
def test_irregular_records_give_a_page(change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    exploration = explored(change(records()))
    drawn = plots(exploration)
    for plot in drawn:
        assert ElementTree.fromstring(plot.svg).tag.endswith("svg")  # noqa: S314  # our own bytes
    page = render(exploration, drawn, NOW)
    assert not re.search(r"\bnan\b|\bNone\b|\binf\b", re.sub(r'src="[^"]*"', "", page))


def test_a_single_day_gives_a_page() -> None:
    exploration = explored(records(1), 1)
    page = render(exploration, plots(exploration), NOW)
    assert "1 day in UTC" in page
    assert "<h1>Call records, 2026-01-01</h1>" in page
