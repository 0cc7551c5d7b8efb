"""The oracle, and its own example data in the engine's shape."""

import importlib
import sys
import warnings
from collections.abc import Callable, Iterator
from importlib import resources
from types import ModuleType

import pandas as pd
import pytest

from driftline.engine.results import EVENT_TIME, ID, LABEL, PREDICTION, SCORE


@pytest.fixture(scope="session", autouse=True)
def _no_calls_home() -> Iterator[None]:
    """NannyML reports every use to its makers unless told not to, whenever it is used."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NML_DISABLE_USAGE_LOGGING", "1")
        yield


@pytest.fixture(scope="session")
def nannyml(_no_calls_home: None) -> ModuleType:
    """NannyML 0.13.1, imported once; pyspark is hidden from it, since one of its dependencies would start a JVM."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.setitem(sys.modules, "pyspark", None)
        return importlib.import_module("nannyml")


Example = Callable[[str], tuple[pd.DataFrame, pd.DataFrame]]


@pytest.fixture(scope="session")
def example(nannyml: ModuleType) -> Example:
    """Reads NannyML's car loan data (50,000 reference and 50,000 analysis rows, with `dq` some values missing)."""
    folder = resources.files(nannyml) / "datasets" / "data"

    def read(name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
        parts = [
            pd.read_csv(str(folder / f"synthetic_car_loan{name}_{part}.csv")) for part in ("reference", "analysis")
        ]
        parts[1] = parts[1].merge(pd.read_csv(str(folder / "synthetic_car_loan_analysis_target.csv")), on="id")
        return _in_our_shape(parts[0]), _in_our_shape(parts[1])

    return read


def _in_our_shape(rows: pd.DataFrame) -> pd.DataFrame:
    names = {"id": ID, "timestamp": EVENT_TIME, "y_pred_proba": SCORE, "y_pred": PREDICTION, "repaid": LABEL}
    shaped = rows.rename(columns=names)
    shaped[EVENT_TIME] = pd.to_datetime(shaped[EVENT_TIME], utc=True)
    shaped["repaid_loan_on_prev_car"] = shaped["repaid_loan_on_prev_car"].astype(str)
    return shaped
