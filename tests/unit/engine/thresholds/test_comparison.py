import pytest

from driftline.engine.results import Metric
from driftline.engine.thresholds.comparison import clip


@pytest.mark.parametrize(
    ("metric", "bounds", "clipped"),
    [
        (Metric.ROC_AUC, (0.55, 0.85), (0.55, 0.85)),
        (Metric.ROC_AUC, (0.75, 1.05), (0.75, 1.0)),
        (Metric.RECALL, (-0.05, 0.25), (0.0, 0.25)),
        (Metric.TRUE_POSITIVES, (-2.0, 22.0), (0.0, 22.0)),
        (Metric.LOG_LOSS, (-0.25, 1.25), (0.0, 1.25)),
        (Metric.BUSINESS_VALUE, (-22.0, 2.0), (-22.0, 2.0)),
    ],
)
def test_bounds_are_within_the_range_of_the_metric(
    metric: Metric, bounds: tuple[float, float], clipped: tuple[float, float]
) -> None:
    assert (clip(metric, bounds[0]), clip(metric, bounds[1])) == clipped
