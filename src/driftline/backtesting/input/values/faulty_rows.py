"""The rows of a column that are invalid, as errors list them. No I/O here."""

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from driftline.engine.frames.columns import BoolArray
from driftline.errors import MOST_ROWS, RowFault

LONGEST_VALUE = 100
"""The number of characters of a value that are listed."""


def faulty_rows(column: "pd.Series[Any]", wrong: BoolArray, rows_before: int, cure: str) -> tuple[RowFault, ...]:
    """Return the first faulty rows of a column, one more than an error lists: it tells then that there are more."""
    name, places = str(column.name), np.flatnonzero(wrong)[: MOST_ROWS + 1]
    values = column.iloc[places].tolist()
    return tuple(
        RowFault(rows_before + int(place) + 1, name, _text_of(value), cure)
        for place, value in zip(places, values, strict=True)
    )


def _text_of(value: Any) -> str | None:
    """Return a value as text, None for a missing one."""
    if pd.isna(value) is True:
        return None
    return (value.isoformat() if isinstance(value, datetime) else str(value))[:LONGEST_VALUE]
