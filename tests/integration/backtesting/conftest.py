"""The same small world as in the unit tests, for whole backtests of files, at the shell too."""

from tests.unit.backtesting.conftest import csv, invoke, world

__all__ = ["csv", "invoke", "world"]
