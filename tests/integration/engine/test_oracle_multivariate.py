"""PCA reconstruction error and the domain classifier against NannyML 0.13.1 itself, to 1e-9."""

from types import ModuleType
from typing import Any

import pandas as pd
import pytest

from driftline.engine.catalogue import ColumnKind
from driftline.engine.results import EVENT_TIME, MODEL, Method, Result, ResultKind, State
from driftline.engine.spec import ColumnSpec, Period, Spec, ThresholdPolicy
from tests.integration.engine.conftest import Example
from tests.integration.engine.oracle import ChunkResults, Rows, assert_same, named, results_of, same, theirs_of

pytestmark = pytest.mark.filterwarnings("ignore")
CONTINUOUS = ("car_value", "debt_to_income_ratio", "loan_length", "driver_tenure")
CATEGORICAL = ("salary_range", "repaid_loan_on_prev_car", "size_of_downpayment")
SPEC = Spec(
    columns=(
        *(ColumnSpec(name=name) for name in CONTINUOUS),
        *(ColumnSpec(name=name, kind=ColumnKind.CATEGORICAL) for name in CATEGORICAL),
        ColumnSpec(name="id_of_day", watched=False),
    ),
    period=Period.WEEK,
    minimum_rows=2,
    minimum_class_rows=1,
    thresholds=ThresholdPolicy.NANNYML,
    continuous_methods=(),
    categorical_methods=(),
    multivariate_methods=(Method.PCA_RECONSTRUCTION, Method.DOMAIN_CLASSIFIER),
)
Case = tuple[Rows, ChunkResults]


@pytest.fixture(scope="module")
def case(example: Example) -> Case:
    """Rows with missing values on both sides; the analysis rows drifted, some categories are new."""
    reference, analysis = (part.assign(id_of_day=0.0) for part in example("_dq"))
    reference, analysis = reference[:1_500], analysis[-900:]
    analysis = analysis.assign(salary_range=analysis["salary_range"].mask(analysis["loan_length"] % 7 == 0, "new"))
    rows = reference, analysis
    return rows, results_of(rows, SPEC, shuffled=False)  # the domain classifier knows the order of its rows


def _pairs(theirs: pd.DataFrame, case: Case, method: Method, name: str) -> list[tuple[Result, dict[str, Any]]]:
    """Our result and NannyML's numbers, chunk by chunk."""
    rows = named(theirs, name)
    assert len(rows) == len(case[1]) > 1
    return [(chunk[MODEL, ResultKind.MULTIVARIATE, method], row) for chunk, row in zip(case[1], rows, strict=True)]


def test_pca_reconstruction_error_with_bounds_and_sampling_error(nannyml: ModuleType, case: Case) -> None:
    calculator = nannyml.DataReconstructionDriftCalculator(
        column_names=[*CONTINUOUS, *CATEGORICAL], timestamp_column_name=EVENT_TIME, chunk_period="W"
    )
    theirs = theirs_of(calculator, case[0])
    for result, row in _pairs(theirs, case, Method.PCA_RECONSTRUCTION, "reconstruction_error"):
        assert_same(result, row)
        assert (result.state is State.WARN) == bool(row["alert"])


def test_domain_classifier_on_one_thread(nannyml: ModuleType, case: Case) -> None:
    defaults = nannyml.drift.multivariate.domain_classifier.calculator.DEFAULT_LGBM_HYPERPARAMS
    calculator = nannyml.DomainClassifierCalculator(
        feature_column_names=[*CONTINUOUS, *CATEGORICAL],
        timestamp_column_name=EVENT_TIME,
        chunk_period="W",
        hyperparameters={**defaults, "n_jobs": 1},
    )
    theirs = theirs_of(calculator, case[0])
    for result, row in _pairs(theirs, case, Method.DOMAIN_CLASSIFIER, "domain_classifier_auroc"):
        assert same(result.value, row["value"]), (result, row)
        assert (result.bounds.lower, result.bounds.upper) == (row["lower_threshold"], row["upper_threshold"])
        assert (result.state is State.WARN) == bool(row["alert"])
