"""How far off a number may be by the luck of the sample. No I/O here."""

from driftline.engine.results import Result
from driftline.engine.thresholds.bounds import clipped
from driftline.engine.verdicts.track_record import STANDARD_ERRORS


def confidence_band(result: Result) -> tuple[float, float] | None:
    """Return the band, lower and upper end, of 3 standard errors around a value, in the value's own unit.

    Clipped to the metric's range (0 to 1 for shares, from 0 on for counts and losses). None where the result has no
    value or no sampling error. It is NannyML 0.13.1's lower and upper confidence boundary.
    """
    if result.value is None or result.sampling_error is None:
        return None
    reach = STANDARD_ERRORS * result.sampling_error
    return clipped(result.method, result.value - reach), clipped(result.method, result.value + reach)
