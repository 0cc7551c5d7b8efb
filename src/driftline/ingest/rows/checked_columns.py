"""Values of single columns, checked: each fault names the column, the count, the first row, its value and the cure.

No I/O here.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from driftline.backtesting.input.values.faulty_rows import faulty_rows
from driftline.backtesting.input.values.number_text import NumberText, is_text
from driftline.backtesting.request.outputs.classes import plain
from driftline.backtesting.request.outputs.scales import PROBABILITY_SCALE, ScoreUnit
from driftline.engine.catalogue import Problem
from driftline.engine.frames.columns import BoolArray, FloatArray, IntArray, coded, floats_and_strays
from driftline.engine.frames.stray_values import to_text
from driftline.engine.performance.scores import ROUNDING
from driftline.errors import InvalidInput, RowFault
from driftline.ingest.errors import TooMuchContent
from driftline.ingest.rows.content import MOST_BYTES
from driftline.ingest.rows.layouts import IngestLayout

BOUNDED = (ScoreUnit.PROBABILITY, ScoreUnit.PERCENT)
"""Units of which every score is from 0 to 1 as a probability."""
REFUSED = "The rows are invalid; nothing was stored."
LONGEST_ID = 128
LONGEST_TEXT = 4_096
"""How many characters a category may have."""
_ID = r"^[^\x00-\x1f\x7f]*[^\x00-\x1f\x7f\s]$"
_SEVERAL = {
    "that is not a number": "that are not numbers",
    "that is not a class of the model": "that are not classes of the model",
    "that is not an id": "that are not ids",
}
"""How a fault is worded for several values."""


@dataclass
class CheckedColumns:
    """The columns of a batch, plainly stored, and the faults that were found in them so far."""

    frame: pd.DataFrame
    layout: IngestLayout
    rows_before: int = 0
    faults: list[str] = field(default_factory=list)
    faulty_rows: list[RowFault] = field(default_factory=list)
    text_bytes: int = 0

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.frame)

    def collect(self, read: Callable[[], Any]) -> Any:
        """Return what `read` returns; where it raises InvalidInput, keep its faults and return None."""
        try:
            return read()
        except InvalidInput as error:
            self.faults.extend(error.details or (error.message,))
            self.faulty_rows.extend(error.rows)
            return None

    def require_no_faults(self) -> None:
        """Raise InvalidInput with all faults that were found, and with the rows that have them, if there are any."""
        if self.faults:
            raise InvalidInput(REFUSED, details=tuple(self.faults), rows=self.faulty_rows)

    def refuse(self, column: str, wrong: BoolArray, description: str, cure: str, *, by_itself: bool = True) -> None:
        """Keep a fault for rows of a column, if any are wrong; `description` says it of one value.

        Where a row is wrong only beside others, and not `by_itself`, it is not among the faulty rows.
        """
        if not wrong.any():
            return
        if by_itself:
            self._list(column, wrong, cure)
        first, count = int(np.flatnonzero(wrong)[0]), int(wrong.sum())
        value = self.frame[column].iloc[first]
        missing = pd.isna(value) is True
        place = (
            f"row {self.rows_before + first + 1:,}"
            if missing
            else f"{to_text(value)}, row {self.rows_before + first + 1:,}"
        )
        values = f"1 value {description}" if count == 1 else f"{count:,} values {_plural(description)}"
        begin = "" if count == 1 else "first "
        self.faults.append(f"column {column!r} has {values} ({begin}{place}); {cure}")

    def _list(self, column: str, wrong: BoolArray, cure: str) -> None:
        series = self.frame[column] if column in self.frame else pd.Series([None] * self.rows, name=column)
        self.faulty_rows.extend(faulty_rows(series, wrong, self.rows_before, cure))

    def require_sent(self, column: str, lacking: BoolArray) -> None:
        """Keep a fault for rows that were sent without a column that every row has."""
        if lacking.any():
            cure = "send null where there is no value"
            self._list(column, lacking, cure)
            first, count = int(np.flatnonzero(lacking)[0]), int(lacking.sum())
            rows = "1 row" if count == 1 else f"{count:,} rows"
            begin = "" if count == 1 else "the first is "
            row = self.rows_before + first + 1
            self.faults.append(f"{rows} came without {column!r} ({begin}row {row:,}); {cure}")

    def require_present(self, column: str, missing: BoolArray) -> None:
        """Keep a fault for rows that have no value."""
        if missing.any():
            self._list(column, missing, "give every row a value")
            first, count = int(np.flatnonzero(missing)[0]), int(missing.sum())
            rows = "1 row" if count == 1 else f"{count:,} rows"
            begin = "" if count == 1 else "the first is "
            row = self.rows_before + first + 1
            self.faults.append(f"column {column!r} has no value in {rows} ({begin}row {row:,}); give every row a value")

    def numbers(self, column: str) -> FloatArray:
        """Return a column as floats, NaN where a value is missing; words and infinite numbers are faults."""
        values, stray = self._floats(column)
        cure = self.layout.option("na_values", [shown_text(self.frame[column], stray)]) if stray.any() else ""
        self.refuse(
            column, stray, "that is not a number", f"clean it, or pass {cure} if that stands for a missing value"
        )
        self.refuse(column, np.isinf(values), "that is infinite or beyond 1e70", "send a finite number, or none at all")
        return values

    def _floats(self, column: str) -> tuple[FloatArray, BoolArray]:
        series = self.frame[column]
        if series.dtype.kind == "f":
            return floats_and_strays(series)
        notation = self.layout.layout.notations.get(column)
        if notation is not None and is_text(series):
            text = NumberText.of(series, notation)
            return text.values, text.stray
        return floats_and_strays(series)

    def scores(self, column: str, predictions: FloatArray | None) -> FloatArray:
        """Return scores, those of a binary model as probabilities of class 1, NaN where a value is missing.

        Rounding errors beyond 0 and 1 are removed.
        """
        values = self.numbers(column)
        scale = self.layout.layout.scale
        if scale != PROBABILITY_SCALE:
            values = scale.probabilities(values, np.full(self.rows, np.nan) if predictions is None else predictions)
        if self.layout.spec.problem is not Problem.BINARY or scale.unit not in BOUNDED:
            return values
        with np.errstate(invalid="ignore"):
            outside = np.isfinite(values) & ((values < -ROUNDING) | (values > 1 + ROUNDING))
        limits = "0 to 100" if scale.unit is ScoreUnit.PERCENT else "0 to 1"
        self.refuse(column, outside, f"outside {limits}", "send it as in the model's reference, or correct it")
        return np.clip(values, 0.0, 1.0)

    def binary_classes(self, column: str) -> pa.Array:
        """Return 0, 1 or null for each row; other values than those of the model's two classes are faults."""
        classes = self.layout.classes_of(column)
        codes, texts = coded(self.frame[column])
        numbers = np.array([classes.get(plain(text), np.nan) for text in texts] + [np.nan])[codes]
        listed = ", ".join(map(repr, classes))
        unknown = np.isnan(numbers) & (codes >= 0)
        self.refuse(column, unknown, "that is not a class of the model", f"send one of {listed}")
        return pa.array(np.nan_to_num(numbers).astype(np.int64), mask=np.isnan(numbers))

    def multiclass(self, column: str, classes: Iterable[str]) -> pa.Array:
        """Return the class of each row, or null; other values than the model's classes are faults."""
        class_list = list(classes)
        codes, texts = coded(self.frame[column])
        is_class = np.array([text in class_list for text in texts] + [True])
        listed = ", ".join(map(repr, class_list))
        self.refuse(column, ~is_class[codes], "that is not a class of the model", f"send one of {listed}")
        return self._texts(codes, texts)

    def categories(self, column: str) -> pa.Array:
        """Return a column as text, the same for a value however it is stored; a missing value is null."""
        codes, texts = coded(self.frame[column])
        long = np.array([len(text) > LONGEST_TEXT for text in texts] + [False])
        self.refuse(column, long[codes], f"of more than {LONGEST_TEXT:,} characters", "shorten it")
        return self._texts(codes, texts)

    def ids(self, column: str) -> pa.Array:
        """Return ids as text; each must be there once, with 1 to 128 characters and no blank at its end."""
        codes, texts = coded(self.frame[column])
        self.require_present(column, codes < 0)
        distinct = pa.array(texts, pa.string())
        wrong = np.asarray(pc.invert(pc.match_substring_regex(distinct, _ID)), dtype=bool)
        wrong |= np.asarray(pc.greater(pc.utf8_length(distinct), LONGEST_ID), dtype=bool)
        self.refuse(
            column,
            np.append(wrong, False)[codes],
            "that is not an id",
            f"an id has 1 to {LONGEST_ID} characters, no control characters and no blank at its end",
        )
        ids = self._texts(codes, texts)
        if len({*texts}) < len(ids) - ids.null_count:
            repeated = pd.Series(ids.to_pandas()).duplicated().to_numpy() & (codes >= 0)
            cure = "send each id once, and changes as corrections"
            self.refuse(column, repeated, "that an earlier row has", cure, by_itself=False)
        return ids

    def _texts(self, codes: IntArray, texts: list[str]) -> pa.Array:
        """Return the text of each row, null for the code -1; raise TooMuchContent where all are too long together."""
        distinct = pa.array(texts, pa.string())
        lengths = np.append(np.asarray(pc.binary_length(distinct), dtype=np.int64), 0)
        self.text_bytes += int(lengths[codes].sum())
        if self.text_bytes > MOST_BYTES:
            raise TooMuchContent(
                f"The texts of all rows take more than {MOST_BYTES // 2**20:,} MB; send fewer rows, or shorter texts."
            )
        places = pa.array(codes, pa.int64(), mask=codes < 0)
        return distinct.take(places)


def _plural(noun: str) -> str:
    """Return the description of a fault in the plural."""
    return _SEVERAL.get(noun, noun.replace("that is ", "that are ", 1))


def shown_text(series: "pd.Series[Any]", wrong: BoolArray) -> str:
    """Return the first wrong value of a column as text."""
    return str(series.iloc[int(np.flatnonzero(wrong)[0])])
