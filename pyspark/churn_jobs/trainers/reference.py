"""The scored reference window in the format of the monitor."""

import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812

from churn.columns import FEATURES, Processed
from driftline.engine.results import EVENT_TIME, ID, LABEL, PREDICTION, SCORE

SHARES = 10_000
COLUMNS = (EVENT_TIME, ID, *FEATURES, "probability_0", SCORE, PREDICTION, LABEL)


def prediction_id() -> Column:
    """Return the id of a subscriber-day's prediction, as `churn.columns.prediction_id` does."""
    return F.concat_ws("/", F.date_format(Processed.DATE, "yyyy-MM-dd"), Processed.USER)


def event_time() -> Column:
    """Return the instant of a subscriber-day: its first, in UTC (the session's zone)."""
    return F.col(Processed.DATE).cast("timestamp")


def reference_frame(scored: DataFrame, most_rows: int) -> pd.DataFrame:
    """Return the scored window, ordered by event time and id: columns `COLUMNS`, event_time aware, label nullable.

    If it has more than `most_rows` rows, subscribers are sampled by checksum, so that every day loses the same share.
    """
    named = thinned(scored, most_rows).withColumns(
        {EVENT_TIME: event_time(), ID: prediction_id(), LABEL: F.col(Processed.LABEL)}
    )
    frame = named.select(*COLUMNS).toPandas()
    frame[EVENT_TIME] = pd.to_datetime(frame[EVENT_TIME]).dt.tz_localize("UTC").astype("datetime64[us, UTC]")
    frame[LABEL] = frame[LABEL].astype("Int64")
    return frame.sort_values([EVENT_TIME, ID], ignore_index=True)


def thinned(rows: DataFrame, most_rows: int) -> DataFrame:
    """Return the rows, or those of a sample of subscribers where there are more than `most_rows`."""
    count = rows.count()
    return rows if count <= most_rows else rows.where(_is_in_share(most_rows / count))


def _is_in_share(share: float) -> Column:
    """Return the condition for the subscribers of a sample with this share."""
    return F.pmod(F.crc32(Processed.USER), F.lit(SHARES)) < F.lit(int(share * SHARES))
