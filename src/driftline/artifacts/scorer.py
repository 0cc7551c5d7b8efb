"""A trained model that scores rows in this process. No I/O here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd
import treelite

from driftline.artifacts.inputs import Inputs, Matrix
from driftline.artifacts.output_rule import OutputRule, Scored
from driftline.artifacts.tree_output import PreparedTrees, tree_output


@dataclass(frozen=True)
class Scorer:
    """Inputs, trees and output rule of one model; safe for threads.

    `details` are plain values that were saved with it.
    """

    inputs: Inputs
    trees: treelite.Model
    output_rule: OutputRule
    details: Mapping[str, Any]

    def score(self, rows: Sequence[Mapping[str, Any]]) -> list[Scored]:
        """Return the prediction of each row, which has every feature; None is a missing value.

        Raises:
            InvalidInput: with every value that the feature cannot have.
        """
        return self.output_rule.read(self._prepared_trees.output(self.inputs.matrix(rows))) if rows else []

    @cached_property
    def _prepared_trees(self) -> PreparedTrees:
        return PreparedTrees(self.trees)

    def binary_scores(self, frame: pd.DataFrame) -> Matrix:
        """Return the probability of class 1 of each row of a frame that has the features of a binary model."""
        return self.output_rule.binary_scores(tree_output(self.trees, self.inputs.matrix_of(frame)))
