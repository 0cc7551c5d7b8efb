"""PCA reconstruction error and the domain classifier against NannyML 0.13.1 itself, to 1e-9."""

from types import ModuleType
from typing import Any

import pandas as pd
import pytest

from driftline.engine.chunks import by_chunk
from driftline.engine.evaluate import evaluate_chunk
from driftline.engine.reference import fit_reference
from driftline.engine.results import EVENT_TIME, MODEL, Kind, Method, Result, State
from driftline.engine.spec import ColumnKind, ColumnSpec, ModelSpec, Period, ThresholdPolicy
from tests.unit.engine.conftest import Example

pytestmark = pytest.mark.filterwarnings("ignore")
CONTINUOUS = ("car_value", "debt_to_income_ratio", "loan_length", "driver_tenure")
CATEGORICAL = ("salary_range", "repaid_loan_on_prev_car", "size_of_downpayment")
SPEC = ModelSpec(
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
Case = tuple[pd.DataFrame, pd.DataFrame, list[dict[str, Result]]]


@pytest.fixture(scope="module")
def case(example: Example) -> Case:
    """Rows with missing values on both sides; the analysis rows drifted, some categories are new."""
    reference, analysis = (part.assign(id_of_day=0.0) for part in example("_dq"))
    reference, analysis = reference[:1_500], analysis[-900:]
    analysis = analysis.assign(salary_range=analysis["salary_range"].mask(analysis["loan_length"] % 7 == 0, "new"))
    fitted = fit_reference(reference, SPEC)
    chunks = by_chunk(analysis, SPEC.period, SPEC.zone)
    found = [evaluate_chunk(fitted, SPEC, rows) for _, rows in chunks]
    return reference, analysis, [{r.method: r for r in own if r.kind is Kind.MULTIVARIATE} for own in found]


def _naive(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(**{EVENT_TIME: rows[EVENT_TIME].dt.tz_localize(None)})


def _theirs(calculator: Any, case: Case, name: str) -> list[dict[str, Any]]:
    reference, analysis, ours = case
    frame = calculator.fit(_naive(reference)).calculate(_naive(analysis)).filter(period="analysis").to_df()
    assert len(frame) == len(ours) > 1
    return [dict(row) for row in frame[name].to_dict("records")]


def test_pca_reconstruction_error_with_bounds_and_sampling_error(nannyml: ModuleType, case: Case) -> None:
    calculator = nannyml.DataReconstructionDriftCalculator(
        column_names=[*CONTINUOUS, *CATEGORICAL], timestamp_column_name=EVENT_TIME, chunk_period="W"
    )
    for chunk, row in zip(case[2], _theirs(calculator, case, "reconstruction_error"), strict=True):
        result = chunk[Method.PCA_RECONSTRUCTION]
        assert result.subject == MODEL
        assert result.value == pytest.approx(row["value"], rel=1e-9)
        assert result.sampling_error == pytest.approx(row["sampling_error"], rel=1e-9)
        assert result.bounds.lower == pytest.approx(row["lower_threshold"], rel=1e-9)
        assert result.bounds.upper == pytest.approx(row["upper_threshold"], rel=1e-9)
        assert (result.state is State.WARN) == bool(row["alert"])


def test_domain_classifier_on_one_thread(nannyml: ModuleType, case: Case) -> None:
    defaults = nannyml.drift.multivariate.domain_classifier.calculator.DEFAULT_LGBM_HYPERPARAMS
    calculator = nannyml.DomainClassifierCalculator(
        feature_column_names=[*CONTINUOUS, *CATEGORICAL],
        timestamp_column_name=EVENT_TIME,
        chunk_period="W",
        hyperparameters={**defaults, "n_jobs": 1},
    )
    for chunk, row in zip(case[2], _theirs(calculator, case, "domain_classifier_auroc"), strict=True):
        result = chunk[Method.DOMAIN_CLASSIFIER]
        assert result.value == pytest.approx(row["value"], rel=1e-9)
        assert (result.bounds.lower, result.bounds.upper) == (row["lower_threshold"], row["upper_threshold"])
        assert (result.state is State.WARN) == bool(row["alert"])
