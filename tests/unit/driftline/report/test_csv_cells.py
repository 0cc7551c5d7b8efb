"""Texts of users are never formulas in a CSV file, and numbers stay numbers."""

import io

import pandas as pd
import pytest

from driftline.report.csv_cells import without_formulas


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
@pytest.mark.parametrize("dtype", ["object", "string"])
def test_a_text_that_begins_like_a_formula_gets_an_apostrophe(text: str, dtype: str) -> None:
    frame = pd.DataFrame({"name": pd.Series([text, None, "plain = 1"], dtype=dtype), "value": [-1.5, None, 2.0]})
    written = without_formulas(frame).to_csv(index=False)
    read = pd.read_csv(io.StringIO(written))
    assert read["name"].tolist()[0] == "'" + text.replace("\r", "\n")
    assert (read["name"].isna().tolist(), read["name"][2]) == ([False, True, False], "plain = 1")
    assert read["value"].tolist()[::2] == [-1.5, 2.0]
