import pytest

from driftline.engine.results import MODEL, Metric, Result, ResultKind, State
from driftline.engine.thresholds.comparison import confidence_band


@pytest.mark.parametrize(
    ("metric", "value", "error", "band"),
    [
        (Metric.ROC_AUC, 0.7, 0.05, (0.55, 0.85)),
        (Metric.ROC_AUC, 0.9, 0.05, (0.75, 1.0)),
        (Metric.RECALL, 0.1, 0.05, (0.0, 0.25)),
        (Metric.TRUE_POSITIVES, 10.0, 4.0, (0.0, 22.0)),
        (Metric.LOG_LOSS, 0.5, 0.25, (0.0, 1.25)),
        (Metric.BUSINESS_VALUE, -10.0, 4.0, (-22.0, 2.0)),
        (Metric.F1, 0.7, 0.0, (0.7, 0.7)),
        (Metric.F1, 0.7, None, None),
        (Metric.F1, None, 0.1, None),
    ],
)
def test_a_band_is_3_standard_errors_within_the_range(
    metric: Metric, value: float | None, error: float | None, band: tuple[float, float] | None
) -> None:
    result = Result(MODEL, ResultKind.ESTIMATED, metric, value, 100, State.OK, sampling_error=error)
    assert confidence_band(result) == (band if band is None else pytest.approx(band))
