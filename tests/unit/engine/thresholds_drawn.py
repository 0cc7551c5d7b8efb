"""Thresholds that a spec may give itself, drawn at random."""

from hypothesis import strategies as st

from driftline.engine.threshold_override import ConstantThreshold, StandardDeviationThreshold

MULTIPLIER = st.none() | st.floats(0, 5)
THRESHOLDS = st.builds(
    StandardDeviationThreshold,
    std_lower_multiplier=MULTIPLIER,
    std_upper_multiplier=MULTIPLIER,
    offset_from=st.sampled_from(["mean", "median"]),
) | st.tuples(st.none() | st.floats(-3, 0), st.none() | st.floats(0.1, 3)).map(
    lambda pair: ConstantThreshold(lower=pair[0], upper=pair[1])
)
