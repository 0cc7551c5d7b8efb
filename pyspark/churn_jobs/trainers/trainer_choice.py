"""Which trainer's model is kept: the first, unless a later one is better on validation beyond the error."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from churn.columns import Processed
from churn_jobs.configuration import TrainerName, TrainingConfig
from churn_jobs.trainers import boosting, forest
from churn_jobs.trainers.reference import thinned
from churn_jobs.trainers.trainer import RAW_SCORE, Fitted, Trainer
from driftline.engine.comparison.paired_roc_auc import PairedRocAuc, paired_roc_auc

TRAINERS: Mapping[TrainerName, Trainer] = {
    TrainerName.SPARK_FOREST: forest.fit_best,
    TrainerName.BOOSTING: boosting.fit_best,
}
HELD_OUT = ("validation", "reference")
"""The windows that no trainer was fitted on; the choice is made on the first, and the other stays untouched by it."""


@dataclass(frozen=True)
class TrainerResult:
    """What a trainer reached: its candidates, the best first, and their comparison with the first trainer's best.

    `compared` has a comparison for each of `HELD_OUT`; for the first trainer, with itself.
    """

    name: TrainerName
    candidates: list[Fitted]
    compared: Mapping[str, PairedRocAuc]

    @property
    def best(self) -> Fitted:
        """The candidate that ranks validation best."""
        return self.candidates[0]

    def as_details(self) -> dict[str, Any]:
        """Return the row of the table of trainers."""
        row: dict[str, Any] = {"trainer": str(self.name), "chosen": dict(self.best.size)}
        for window, compared in self.compared.items():
            row[window] = {
                "roc_auc": compared.second,
                "error": compared.second_error,
                "difference": compared.difference,
                "difference_error": compared.difference_error,
            }
        return row


def compare_trainers(
    fitted: Mapping[TrainerName, list[Fitted]], inside: Mapping[str, DataFrame], config: TrainingConfig
) -> list[TrainerResult]:
    """Compare the best of each trainer with that of the first, by subscriber, on the windows that are held out."""
    scores = {
        window: [_scored(candidates[0], inside[window], config) for candidates in fitted.values()]
        for window in HELD_OUT
    }
    return [
        TrainerResult(name, candidates, {window: _compared(of[0], of[place]) for window, of in scores.items()})
        for place, (name, candidates) in enumerate(fitted.items())
    ]


def choose_trainer(results: list[TrainerResult], errors: float) -> TrainerResult:
    """Return the first trainer's result, or that of a later one which is better on validation beyond the error."""
    better = [result for result in results[1:] if result.compared[HELD_OUT[0]].lower(errors) > 0]
    return max(better, key=lambda result: result.compared[HELD_OUT[0]].second, default=results[0])


def table_lines(results: list[TrainerResult], choice: TrainerResult) -> Iterator[str]:
    """Yield the table of trainers as lines: ROC AUC with its error on each window, and the difference to the first."""
    yield f"{'trainer':<14} " + " ".join(f"{window:<17} {'difference':<17}" for window in HELD_OUT)
    for result in results:
        cells = []
        for window in HELD_OUT:
            compared = result.compared[window]
            cells += [f"{compared.second:.4f} ± {compared.second_error:.4f}"]
            cells += [
                f"{compared.difference:+.4f} ± {compared.difference_error:.4f}" if result is not results[0] else ""
            ]
        mark = "  kept" if result is choice else ""
        yield f"{result.name:<14} " + " ".join(f"{cell:<17}" for cell in cells) + mark


def _scored(fitted: Fitted, rows: DataFrame, config: TrainingConfig) -> pd.DataFrame:
    """Return the labelled rows of a window with their scores, in one order; many are thinned by subscriber."""
    label = F.col(Processed.LABEL)
    scored = fitted.ranker.with_score(thinned(rows.where(label.isNotNull()), config.reference_rows))
    named = scored.select(Processed.DATE, Processed.USER, label.cast("double"), RAW_SCORE)
    return named.toPandas().sort_values([Processed.DATE, Processed.USER], ignore_index=True)


def _compared(first: pd.DataFrame, second: pd.DataFrame) -> PairedRocAuc:
    subjects, _ = pd.factorize(first[Processed.USER])
    labels, score, other_score = (
        first[Processed.LABEL].to_numpy(),
        first[RAW_SCORE].to_numpy(),
        second[RAW_SCORE].to_numpy(),
    )
    return paired_roc_auc(labels, score, other_score, subjects.astype(np.int64))
