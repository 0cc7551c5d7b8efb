"""The frames of the world: records, labels and the truth about drift. No I/O here."""

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import pandas as pd

from churn.columns import CDR_USAGE, Cdr
from flaskapp.world.churn import Labels
from flaskapp.world.drifts import Drift
from flaskapp.world.population import Ints, Population
from flaskapp.world.usage import Bools

NUMBER = "number"
KNOWN_AT = "known_at"
RECORD_COLUMNS: tuple[str, ...] = (NUMBER, Cdr.DATE, Cdr.MSISDN, *CDR_USAGE, Cdr.PSEUDO_CHURNED)
LABEL_COLUMNS: tuple[str, ...] = (NUMBER, Cdr.DATE, Cdr.MSISDN, Cdr.PSEUDO_CHURNED, KNOWN_AT)
TRUTH_COLUMNS: tuple[str, ...] = ("position", "kind", "affected_column", "size", "first_day", "last_day")

END_OF_DAY = np.timedelta64(86_400_000_000 - 1, "us")


def record_frame(
    people: Population, stamps: Ints, usage: Mapping[Cdr, tuple[Ints, Bools]], labels: Labels, is_known: Bools
) -> pd.DataFrame:
    """Return the records of the subscribers with usage, by number, with the labels that are known."""
    rows = np.flatnonzero(labels.has_record)
    columns: dict[str, object] = _key(people, stamps, rows)
    for column, (values, missing) in usage.items():
        columns[column] = pd.arrays.IntegerArray(values[rows], missing[rows])
    columns[Cdr.PSEUDO_CHURNED] = pd.arrays.IntegerArray(labels.churned[rows].astype(np.int8), ~is_known[rows])
    return pd.DataFrame({name: columns[name] for name in RECORD_COLUMNS}, copy=False)


def label_frame(people: Population, stamps: Ints, labels: Labels, known_on: Ints, selected: Bools) -> pd.DataFrame:
    """Return the labels of the chosen subscribers; each is known at the end of its day `known_on` (ordinals)."""
    rows = np.flatnonzero(selected & labels.has_record)
    days = (known_on[rows] - date(1970, 1, 1).toordinal()).astype("datetime64[D]").astype("datetime64[us]")
    columns = _key(people, stamps, rows)
    columns[Cdr.PSEUDO_CHURNED] = labels.churned[rows].astype(np.int8)
    columns[KNOWN_AT] = pd.DatetimeIndex(days + END_OF_DAY).tz_localize("UTC")
    return pd.DataFrame({name: columns[name] for name in LABEL_COLUMNS}, copy=False)


def truth_frame(drifts: Sequence[Drift]) -> pd.DataFrame:
    """Return one row per injected drift, for the truth schema; `last_day` is inclusive, None without an end."""
    rows = [(position, d.kind.value, d.column, d.size, d.start, d.until) for position, d in enumerate(drifts)]
    return pd.DataFrame(rows, columns=list(TRUTH_COLUMNS)).astype({"affected_column": object, "last_day": object})


def _key(people: Population, stamps: Ints, rows: Ints) -> dict[str, object]:
    return {
        NUMBER: rows,
        Cdr.DATE: pd.DatetimeIndex(stamps[rows].astype("datetime64[us]")).tz_localize("UTC"),
        Cdr.MSISDN: people.msisdn[rows],
    }
