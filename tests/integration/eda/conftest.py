"""The exploration of the unit tests, and a database with the example's tables."""

import pytest
from sqlalchemy import Engine

from tests.unit.eda.conftest import ordinary

__all__ = ["ordinary"]


@pytest.fixture
def engine(churn_engine: Engine) -> Engine:
    """An engine on a fresh schema that has the example's tables."""
    return churn_engine
