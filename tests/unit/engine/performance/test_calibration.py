import numpy as np
import pytest

from driftline.engine.performance.calibration import Calibration
from driftline.engine.performance.isotonic import Ascending, knots


def test_calibration_is_a_rising_curve_that_goes_on_level() -> None:
    curve = Calibration(*knots(Ascending.of(np.array([0.1, 0.2, 0.3, 0.4]), np.array([0, 1, 0, 1]))))
    assert curve(np.array([0.0, 0.1, 0.15, 0.25, 0.4, 0.9])) == pytest.approx([0, 0, 0.25, 0.5, 1, 1])
