"""The problems a model may solve, and which module computes the performance of each. No I/O here."""

from driftline.engine.catalogue import Problem
from driftline.engine.performance.binary.performance import BinaryPerformance
from driftline.engine.performance.multiclass.performance import MulticlassPerformance
from driftline.engine.performance.protocol import Performance
from driftline.engine.performance.regression.performance import RegressionPerformance

PERFORMANCE: dict[Problem, type[Performance]] = {
    Problem.BINARY: BinaryPerformance,
    Problem.MULTICLASS: MulticlassPerformance,
    Problem.REGRESSION: RegressionPerformance,
}
"""The class of what each problem's performance keeps of the reference."""
