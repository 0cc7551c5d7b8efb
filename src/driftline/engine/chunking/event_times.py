"""Converts aware event times to pandas' own type, and refuses others. No I/O here."""

from typing import Any

import pandas as pd

from driftline.engine.results import EVENT_TIME
from driftline.errors import InvalidInput


def with_plain_times(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with aware event times in pandas' own type, from Arrow timestamps or datetime objects.

    Any other frame is returned unchanged; the function that reads the times names its faults.
    """
    if not isinstance(frame, pd.DataFrame) or list(frame.columns).count(EVENT_TIME) != 1:
        return frame
    times = frame[EVENT_TIME]
    arrow = isinstance(times.dtype, pd.ArrowDtype) and times.dtype.kind == "M"
    objects = pd.api.types.is_object_dtype(times.dtype) and pd.api.types.infer_dtype(times) == "datetime"
    values = times.tolist() if arrow or objects else []
    if not values or any(value is pd.NaT or value.tzinfo is None for value in values):
        return frame
    return frame.assign(**{EVENT_TIME: pd.to_datetime(pd.Series(values, index=frame.index), utc=True)})


def require_aware(times: "pd.Series[Any]") -> None:
    """Raise InvalidInput unless event times are timestamps with a time zone."""
    if not isinstance(times.dtype, pd.DatetimeTZDtype):
        msg = (
            f"event_time must be aware timestamps, not {times.dtype}; convert it with "
            "pd.to_datetime(frame['event_time'], utc=True)"
        )
        raise InvalidInput(msg)
