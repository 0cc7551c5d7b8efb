import gzip
import hashlib
from importlib.resources import files

import numpy as np
import pytest

from flaskapp.world.calibration import USAGE_TERMS, curve, customers, usage_terms


def test_the_data_has_the_checksum_of_the_readme() -> None:
    package = files("flaskapp.world")
    content = gzip.decompress((package / "mlc_churn.csv.gz").read_bytes())
    assert hashlib.sha256(content).hexdigest() in (package / "README.md").read_text()


def test_totals_become_usage_per_day() -> None:
    table = customers()
    assert len(table.churned) == 5000
    assert table.churned.mean() == pytest.approx(0.1414)
    first_of_file = (110 + 3) / 30, (265.1 + 10.0) * 60 / 30, (99 + 91) / 30, (197.4 + 244.7) * 60 / 30
    assert table.usage()[0] == pytest.approx(first_of_file)


def test_usage_is_clipped_at_three_deviations() -> None:
    extremes = np.array([[9.0] * 4, [3.0] * 4, [-9.0] * 4, [-3.0] * 4])
    terms = usage_terms(extremes)
    assert (terms[0] == terms[1]).all()
    assert (terms[2] == terms[3]).all()


def test_heavy_outgoing_time_raises_the_risk() -> None:
    mean, sd = curve().mean, curve().sd
    step = np.eye(len(USAGE_TERMS))[USAGE_TERMS.index("out_seconds")]
    usual, heavy, heavier = curve().usage_logit(mean + sd * np.outer([0.0, 1.0, 2.0], step))
    assert heavier - heavy > 1.0 > abs(heavy - usual)
