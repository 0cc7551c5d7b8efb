"""The first trainer is kept unless another is better on validation beyond the error of the difference."""

from dataclasses import replace

import pytest

from churn_jobs.configuration import TrainerName, TrainingConfig
from churn_jobs.trainers.trainer import Fitted
from churn_jobs.trainers.trainer_choice import TrainerResult, choose_trainer, table_lines
from driftline.engine.comparison.paired_roc_auc import PairedRocAuc

EQUAL = PairedRocAuc(0.80, 0.80, 0.010, 0.010, 0.0, 5_000, 700, 400)
FOREST, BOOSTING = TrainerName.SPARK_FOREST, TrainerName.BOOSTING


def result(name: TrainerName, validation: float, reference: float, error: float) -> TrainerResult:
    unused: object = None
    best = Fitted({"trees": 3}, unused, validation, {})  # type: ignore[arg-type]  # its ranker is not used
    of = {
        "validation": replace(EQUAL, second=validation, difference_error=error),
        "reference": replace(EQUAL, second=reference, difference_error=error),
    }
    return TrainerResult(name, [best], of)


@pytest.mark.parametrize(
    ("validation", "reference", "error", "kept"),
    [
        (0.83, 0.80, 0.01, BOOSTING),
        (0.815, 0.90, 0.01, FOREST),
        (0.82, 0.90, 0.01, FOREST),
        (0.75, 0.90, 0.001, FOREST),
    ],
)
def test_a_better_trainer_is_kept_only_beyond_the_error(
    validation: float, reference: float, error: float, kept: TrainerName
) -> None:
    first = result(FOREST, 0.80, 0.80, 0.0)
    second = result(BOOSTING, validation, reference, error)
    assert choose_trainer([first, second], 2.0).name is kept
    assert choose_trainer([first], 2.0) is first


def test_the_table_has_both_with_their_errors() -> None:
    results = [result(FOREST, 0.80, 0.79, 0.0), result(BOOSTING, 0.83, 0.81, 0.01)]
    heading, first, second = table_lines(results, results[1])
    assert heading.split() == ["trainer", "validation", "difference", "reference", "difference"]
    assert first.split() == ["spark_forest", "0.8000", "±", "0.0100", "0.7900", "±", "0.0100"]
    assert second.endswith("  kept")
    assert "+0.0300 ± 0.0100" in second
    assert "+0.0100 ± 0.0100" in second
    row = results[1].as_details()
    assert (row["trainer"], row["validation"]["error"], row["reference"]["roc_auc"]) == ("boosting", 0.010, 0.81)


def test_flags_win_over_the_file() -> None:
    config = TrainingConfig()
    assert config.with_trainers(None).trainers == (FOREST,)
    assert config.with_trainers([BOOSTING, FOREST, BOOSTING]).trainers == (BOOSTING, FOREST)
