"""Cells of CSV files that no spreadsheet computes as a formula. No I/O here."""

import pandas as pd

_FORMULA = ("=", "+", "-", "@", "\t", "\n")
"""What the text of a cell begins with that spreadsheets take for a formula."""


def without_formulas(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame in whose texts no spreadsheet sees a formula: names of columns and categories come from users.

    A text that begins like a formula gets an apostrophe in front. A carriage return becomes a line feed, the line break
    that the CSV writer quotes. Numbers, and texts in columns of other types, stay as they are.
    """
    texts = frame.select_dtypes(["object", "string"]).columns
    return frame.assign(**{name: frame[name].map(_without_formula) for name in texts})


def _without_formula(cell: object) -> object:
    if not isinstance(cell, str):
        return cell
    text = cell.replace("\r\n", "\n").replace("\r", "\n")
    return f"'{text}" if text.startswith(_FORMULA) else text
