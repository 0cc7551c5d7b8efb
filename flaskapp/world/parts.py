"""A day's records cut into several reporting periods whose sums equal the whole. No I/O here."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from churn.columns import CDR_USAGE, Cdr
from driftline.errors import InvalidInput
from flaskapp.world.calibration import Floats
from flaskapp.world.draws import Purpose, generator
from flaskapp.world.frames import NUMBER
from flaskapp.world.media import Medium
from flaskapp.world.population import Ints
from flaskapp.world.usage import Bools


def split(frame: pd.DataFrame, parts: int, seed: int, *, keep_empty: bool = False) -> list[pd.DataFrame]:
    """Cut each record's usage into `parts` periods, one frame each, with the columns of `frame`.

    Over the parts every usage column sums to the whole, exactly. Amounts follow their counts: no seconds without a
    call. A NULL is NULL in each part. A part without usage has no record, unless `keep_empty` wants one in every part;
    each record is in at least one part, and cut the same whatever other records are in the frame. Stamps stay those of
    the whole: the caller knows when it sends. All records are of one day.

    Raises:
        InvalidInput: `parts` is below 1.
    """
    if parts < 1:
        raise InvalidInput(f"A day is split into 1 part or more, not {parts}; correct the number of parts.")
    if frame.empty:
        return [frame.copy() for _ in range(parts)]
    pieces = _day(frame, parts, seed).pieces()
    has_record = np.logical_or.reduce([(values > 0) | keep_empty for values in pieces.values()])
    has_record[:, -1] |= ~has_record.any(axis=1)
    return [_part(frame, pieces, np.asarray(has_record[:, index]), index) for index in range(parts)]


@dataclass(frozen=True)
class _Day:
    """The cuts of one day's records: the cumulative share of the day after each part, and a rounding draw."""

    frame: pd.DataFrame
    shares: Floats
    rounding: Floats

    def pieces(self) -> dict[Cdr, Ints]:
        """Return each usage column's pieces (records, parts); NULL counts as 0."""
        pieces: dict[Cdr, Ints] = {}
        for medium in Medium:
            count, amount = medium.value.count, medium.value.amount
            pieces[count] = self._cut(count, self.shares)
            if amount is not None:
                pieces[amount] = self._cut(amount, self._shares_of(count, pieces[count]))
        return pieces

    def _shares_of(self, column: Cdr, pieces: Ints) -> Floats:
        """Return the cumulative share of a count after each part; the share of the day if the count is 0."""
        total = self._values(column)
        shares: Floats = np.divide(np.cumsum(pieces, axis=1), total, out=self.shares.copy(), where=total > 0)
        return shares

    def _cut(self, column: Cdr, shares: Floats) -> Ints:
        """Cut whole numbers at the shares; the rounding draw keeps single events from always falling last."""
        reached = np.floor(self._values(column) * shares + self.rounding).astype(np.int64)
        reached[:, 1:] -= reached[:, :-1].copy()
        return reached

    def _values(self, column: Cdr) -> Ints:
        values: Ints = self.frame[column].to_numpy(np.int64, na_value=0)[:, None]
        return values


def _day(frame: pd.DataFrame, parts: int, seed: int) -> _Day:
    numbers = frame[NUMBER].to_numpy(np.int64)
    draw = generator(seed, Purpose.PARTS, int(frame[Cdr.DATE].iloc[0].toordinal()))
    drawn = draw.standard_exponential((int(numbers.max()) + 1, parts + 1))[numbers]
    shares = np.cumsum(drawn[:, 1:], axis=1)
    return _Day(frame, shares / shares[:, -1:], np.exp(-drawn[:, :1]))


def _part(frame: pd.DataFrame, pieces: Mapping[Cdr, Ints], has_record: Bools, index: int) -> pd.DataFrame:
    rows = frame.loc[has_record].reset_index(drop=True)
    columns = {
        str(column): pd.arrays.IntegerArray(
            pieces[column][has_record, index].copy(), rows[column].isna().to_numpy(np.bool_)
        )
        for column in CDR_USAGE
    }
    return rows.assign(**columns)


def _integers(values: Ints, template: "pd.Series[int]") -> pd.arrays.IntegerArray:
    return pd.arrays.IntegerArray(values.copy(), template.isna().to_numpy(np.bool_))
