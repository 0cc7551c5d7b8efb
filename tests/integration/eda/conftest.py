"""The same exploration as in the unit tests, for its report as it is drawn."""

from tests.unit.eda.conftest import ordinary

__all__ = ["ordinary"]
