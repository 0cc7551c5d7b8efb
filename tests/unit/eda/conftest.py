"""An exploration that many tests use."""

import pytest

from eda.statistics.exploration import Exploration
from tests.unit.eda.sample_records import explored, records


@pytest.fixture(scope="session")
def ordinary() -> Exploration:
    """The exploration of four ordinary weeks."""
    return explored(records())
