"""Every metric, drift method, data quality method and statistic, described once. No I/O here.

`MEASURES` has one row for each; the rest of the engine reads all properties of a measure from it, and only the
computation is elsewhere. The order of the rows is the order in which users see them. Everything below `MEASURES` is a
view of it.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from math import inf

from driftline.engine.results import Bounds, Method, Metric, Quality, ResultKind, Statistic

PERFORMANCE_KINDS = frozenset({ResultKind.REALIZED, ResultKind.ESTIMATED})
"""The kinds of result that metrics have."""
SHARE = (0.0, 1.0)
FROM_ZERO = (0.0, inf)
ANY = (-inf, inf)


class Problem(StrEnum):
    """What a model predicts: one of two classes, one of several, or a number."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"


class ColumnKind(StrEnum):
    """How a column's values are compared."""

    CONTINUOUS = "continuous"
    CATEGORICAL = "categorical"


class Worse(StrEnum):
    """The side on which a number gets worse."""

    LOWER = "lower"
    HIGHER = "higher"
    EITHER = "either"
    NEITHER = "neither"


_NO_BOUNDS = Bounds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """The properties of one metric, drift method, data quality method or statistic.

    - `title`: its name in a sentence.
    - `range`: the lowest and the highest value that it can have; bounds are clipped to it.
    - `worse`: the side on which it gets worse. Counts of rows, such as the cells of a confusion matrix, have no
      worse side: they depend on the number of rows, and no verdict judges them.
    - `problems`, `default_problems`: a metric's problems, and those whose specs have it by default.
    - `columns`, `default_columns`: the kinds of column that a method or statistic is computed for, and those for
      which specs have it by default. Empty for methods of all features or rows together.
    - `needs_score`: the value cannot be computed without the model's score.
    - `harm`: how much lower than usual a metric of two classes must be to matter. None: it is no evidence of its own.
    - `mean_over_classes`: with several classes it is the mean over them, which requires rows of every class.
    - `part_of`: the metric of which it is one number; a threshold override of that metric applies to it too.
    - `effect_floor`: an effect (`Result.effect`) up to this size is too small to matter, however certain. None: only
      the bound decides.
    - `effect_is_value`: the value serves as the effect of a result without one.
    - `constant_bounds`: the bounds where the reference has too few chunks to draw them from its spread.
    - `fixed_bounds`: the bounds under both policies, independent of the reference's chunks, as in NannyML.
    - `capped`: NannyML cuts its upper bound at the end of the range.
    - `bound_at_zero`: under policy `nannyml` a lower bound of 0 or less becomes a bound at 0; otherwise it is dropped.
    - `closed_chunks_only`: an open chunk always appears to have this fault, since more rows will arrive.
    - `overridable`: a spec may override its threshold.
    """

    name: Metric | Method | Quality | Statistic
    title: str
    range: tuple[float, float] = ANY
    worse: Worse
    problems: tuple[Problem, ...] = ()
    default_problems: tuple[Problem, ...] = ()
    columns: tuple[ColumnKind, ...] = ()
    default_columns: tuple[ColumnKind, ...] = ()
    needs_score: bool = False
    harm: float | None = None
    mean_over_classes: bool = False
    part_of: Metric | None = None
    effect_floor: float | None = None
    effect_is_value: bool = False
    constant_bounds: Bounds = _NO_BOUNDS
    fixed_bounds: Bounds | None = None
    capped: bool = True
    bound_at_zero: bool = True
    closed_chunks_only: bool = False
    overridable: bool = True

    @property
    def kinds(self) -> frozenset[ResultKind]:
        """The kinds of result that it has."""
        if isinstance(self.name, Metric):
            return PERFORMANCE_KINDS
        if isinstance(self.name, Method):
            return frozenset({ResultKind.DRIFT if self.columns else ResultKind.MULTIVARIATE})
        return frozenset({ResultKind.QUALITY if isinstance(self.name, Quality) else ResultKind.STATISTIC})


_BINARY = (Problem.BINARY,)
_CLASSES = (Problem.BINARY, Problem.MULTICLASS)
_REGRESSION = (Problem.REGRESSION,)
_CONTINUOUS = (ColumnKind.CONTINUOUS,)
_CATEGORICAL = (ColumnKind.CATEGORICAL,)
_COLUMNS = (ColumnKind.CONTINUOUS, ColumnKind.CATEGORICAL)
_NOTHING_ABOVE_0 = Bounds(upper=0.0, alert_upper=0.0, expected=0.0)

_METRICS = (
    # No model may be worse than chance. F1 and accuracy have no constant bound: good values depend on the prevalence.
    Measure(
        name=Metric.ROC_AUC,
        title="ROC AUC",
        range=SHARE,
        worse=Worse.LOWER,
        problems=_CLASSES,
        default_problems=_CLASSES,
        needs_score=True,
        harm=0.03,
        mean_over_classes=True,
        constant_bounds=Bounds(lower=0.5),
    ),
    Measure(
        name=Metric.F1,
        title="F1",
        range=SHARE,
        worse=Worse.LOWER,
        problems=_CLASSES,
        default_problems=_CLASSES,
        harm=0.05,
        mean_over_classes=True,
    ),
    Measure(
        name=Metric.ACCURACY,
        title="Accuracy",
        range=SHARE,
        worse=Worse.LOWER,
        problems=_CLASSES,
        default_problems=_CLASSES,
        harm=0.05,
    ),
    Measure(
        name=Metric.AVERAGE_PRECISION,
        title="Average precision",
        range=SHARE,
        worse=Worse.LOWER,
        problems=_BINARY,
        needs_score=True,
    ),
    Measure(
        name=Metric.PRECISION,
        title="Precision",
        range=SHARE,
        worse=Worse.LOWER,
        problems=_CLASSES,
        mean_over_classes=True,
    ),
    Measure(
        name=Metric.RECALL,
        title="Recall",
        range=SHARE,
        worse=Worse.LOWER,
        problems=_CLASSES,
        mean_over_classes=True,
    ),
    Measure(
        name=Metric.SPECIFICITY,
        title="Specificity",
        range=SHARE,
        worse=Worse.LOWER,
        problems=_CLASSES,
        mean_over_classes=True,
    ),
    Measure(
        name=Metric.TRUE_POSITIVES,
        title="Number of true positives",
        range=FROM_ZERO,
        worse=Worse.NEITHER,
        problems=_BINARY,
        part_of=Metric.CONFUSION_MATRIX,
    ),
    Measure(
        name=Metric.FALSE_POSITIVES,
        title="Number of false positives",
        range=FROM_ZERO,
        worse=Worse.NEITHER,
        problems=_BINARY,
        part_of=Metric.CONFUSION_MATRIX,
    ),
    Measure(
        name=Metric.TRUE_NEGATIVES,
        title="Number of true negatives",
        range=FROM_ZERO,
        worse=Worse.NEITHER,
        problems=_BINARY,
        part_of=Metric.CONFUSION_MATRIX,
    ),
    Measure(
        name=Metric.FALSE_NEGATIVES,
        title="Number of false negatives",
        range=FROM_ZERO,
        worse=Worse.NEITHER,
        problems=_BINARY,
        part_of=Metric.CONFUSION_MATRIX,
    ),
    # In a binary spec it stands for its four numbers; in a multiclass spec each cell is a separate result.
    Measure(
        name=Metric.CONFUSION_MATRIX,
        title="Confusion matrix",
        range=FROM_ZERO,
        worse=Worse.NEITHER,
        problems=(Problem.MULTICLASS,),
    ),
    Measure(name=Metric.BUSINESS_VALUE, title="Business value", worse=Worse.LOWER, problems=_BINARY),
    Measure(
        name=Metric.LOG_LOSS,
        title="Log loss",
        range=FROM_ZERO,
        worse=Worse.HIGHER,
        problems=_BINARY,
        needs_score=True,
    ),
    Measure(
        name=Metric.BRIER,
        title="Brier score",
        range=SHARE,
        worse=Worse.HIGHER,
        problems=_BINARY,
        needs_score=True,
    ),
    Measure(
        name=Metric.CALIBRATION_ERROR,
        title="Expected calibration error",
        range=SHARE,
        worse=Worse.HIGHER,
        problems=_BINARY,
        needs_score=True,
    ),
    Measure(
        name=Metric.MAE,
        title="Mean absolute error",
        range=FROM_ZERO,
        worse=Worse.HIGHER,
        problems=_REGRESSION,
        default_problems=_REGRESSION,
    ),
    Measure(
        name=Metric.MAPE,
        title="Mean absolute percentage error",
        range=FROM_ZERO,
        worse=Worse.HIGHER,
        problems=_REGRESSION,
    ),
    Measure(
        name=Metric.MSE,
        title="Mean squared error",
        range=FROM_ZERO,
        worse=Worse.HIGHER,
        problems=_REGRESSION,
    ),
    Measure(
        name=Metric.RMSE,
        title="Root mean squared error",
        range=FROM_ZERO,
        worse=Worse.HIGHER,
        problems=_REGRESSION,
        default_problems=_REGRESSION,
    ),
    Measure(
        name=Metric.MSLE,
        title="Mean squared logarithmic error",
        range=FROM_ZERO,
        worse=Worse.HIGHER,
        problems=_REGRESSION,
    ),
    Measure(
        name=Metric.RMSLE,
        title="Root mean squared logarithmic error",
        range=FROM_ZERO,
        worse=Worse.HIGHER,
        problems=_REGRESSION,
    ),
)

# The floor of a distance in [0, 1] and of PSI is its constant bound too. 0.1 is a tenth of the column's standard
# deviation for Wasserstein, Cohen's small effect (w) for chi2, and a ROC AUC of 0.6 for the domain classifier.
_METHODS = (
    Measure(
        name=Method.JENSEN_SHANNON,
        title="Jensen-Shannon distance",
        range=SHARE,
        worse=Worse.HIGHER,
        columns=_COLUMNS,
        default_columns=_COLUMNS,
        effect_floor=0.1,
        effect_is_value=True,
        constant_bounds=Bounds(upper=0.1),
        capped=False,
    ),
    Measure(
        name=Method.KOLMOGOROV_SMIRNOV,
        title="Kolmogorov-Smirnov distance",
        range=SHARE,
        worse=Worse.HIGHER,
        columns=_CONTINUOUS,
        default_columns=_CONTINUOUS,
        effect_floor=0.1,
        effect_is_value=True,
        constant_bounds=Bounds(upper=0.1),
    ),
    # Without reference chunks only the effect decides, since the value depends on the column's unit.
    Measure(
        name=Method.WASSERSTEIN,
        title="Wasserstein distance",
        range=FROM_ZERO,
        worse=Worse.HIGHER,
        columns=_CONTINUOUS,
        default_columns=_CONTINUOUS,
        effect_floor=0.1,
    ),
    # Its p-value and its effect decide, so it has no bounds.
    Measure(
        name=Method.CHI2,
        title="chi2",
        worse=Worse.HIGHER,
        columns=_CATEGORICAL,
        default_columns=_CATEGORICAL,
        effect_floor=0.1,
        fixed_bounds=Bounds(),
        overridable=False,
    ),
    Measure(
        name=Method.HELLINGER,
        title="Hellinger distance",
        range=SHARE,
        worse=Worse.HIGHER,
        columns=_COLUMNS,
        effect_floor=0.1,
        constant_bounds=Bounds(upper=0.1),
        capped=False,
    ),
    Measure(
        name=Method.L_INFINITY,
        title="L-infinity distance",
        range=SHARE,
        worse=Worse.HIGHER,
        columns=_CATEGORICAL,
        effect_floor=0.1,
        constant_bounds=Bounds(upper=0.1),
        capped=False,
    ),
    Measure(
        name=Method.PSI,
        title="population stability index",
        range=FROM_ZERO,
        worse=Worse.HIGHER,
        columns=_COLUMNS,
        effect_floor=0.2,
        constant_bounds=Bounds(upper=0.2),
    ),
    # No floor: how large an error is depends on the features.
    Measure(
        name=Method.PCA_RECONSTRUCTION,
        title="PCA reconstruction error",
        range=FROM_ZERO,
        worse=Worse.EITHER,
        bound_at_zero=False,
    ),
    # It cannot separate the reference from its own chunks, so bounds cannot be drawn from them.
    Measure(
        name=Method.DOMAIN_CLASSIFIER,
        title="ROC AUC of the domain classifier",
        range=SHARE,
        worse=Worse.HIGHER,
        effect_floor=0.1,
        fixed_bounds=Bounds(lower=0.45, upper=0.65, alert_lower=0.45, alert_upper=0.65),
    ),
)

# A floor of 0.01 is one row in a hundred. Without a fault, about 2 of as many rows as the reference has fall outside
# its range, and a rare category may be new; both are far less in any reference that is long enough for bounds.
_QUALITY = (
    # Five percentage points more missing values than in the reference.
    Measure(
        name=Quality.MISSING_VALUES,
        title="share of missing values",
        range=SHARE,
        worse=Worse.HIGHER,
        columns=_COLUMNS,
        default_columns=_COLUMNS,
        effect_floor=0.05,
    ),
    # The reference has none of these two, by definition.
    Measure(
        name=Quality.UNSEEN_CATEGORIES,
        title="share of unseen categories",
        range=SHARE,
        worse=Worse.HIGHER,
        columns=_CATEGORICAL,
        effect_floor=0.01,
        fixed_bounds=_NOTHING_ABOVE_0,
    ),
    Measure(
        name=Quality.OUT_OF_RANGE,
        title="share of values out of range",
        range=SHARE,
        worse=Worse.HIGHER,
        columns=_CONTINUOUS,
        effect_floor=0.01,
        fixed_bounds=_NOTHING_ABOVE_0,
    ),
    Measure(
        name=Quality.DUPLICATES,
        title="share of duplicate rows",
        range=SHARE,
        worse=Worse.HIGHER,
        effect_floor=0.01,
    ),
    # These two depend on a unit, so they have no floor.
    Measure(
        name=Quality.ROW_COUNT,
        title="number of rows",
        range=FROM_ZERO,
        worse=Worse.EITHER,
        bound_at_zero=False,
        closed_chunks_only=True,
    ),
    Measure(
        name=Quality.FRESHNESS,
        title="age of the newest row",
        range=FROM_ZERO,
        worse=Worse.HIGHER,
        closed_chunks_only=True,
    ),
)

_STATISTICS = (
    Measure(name=Statistic.MEAN, title="mean", worse=Worse.EITHER, columns=_CONTINUOUS),
    Measure(name=Statistic.SUM, title="sum", worse=Worse.EITHER, columns=_CONTINUOUS),
    Measure(
        name=Statistic.STANDARD_DEVIATION,
        title="standard deviation",
        range=FROM_ZERO,
        worse=Worse.EITHER,
        columns=_CONTINUOUS,
        bound_at_zero=False,
    ),
    Measure(name=Statistic.MEDIAN, title="median", worse=Worse.EITHER, columns=_CONTINUOUS),
    Measure(name=Statistic.QUANTILES, title="quantile", worse=Worse.EITHER, columns=_CONTINUOUS),
)

MEASURES: tuple[Measure, ...] = (*_METRICS, *_METHODS, *_QUALITY, *_STATISTICS)
"""One row for each member of `Metric`, `Method`, `Quality` and `Statistic`, in the order that users see."""

_BY_NAME: dict[str, Measure] = {row.name.value: row for row in MEASURES}

METRICS: dict[Problem, tuple[Metric, ...]] = {
    problem: tuple(row.name for row in MEASURES if isinstance(row.name, Metric) and problem in row.problems)
    for problem in Problem
}
"""The metrics that each problem has."""
DEFAULT_METRICS: dict[Problem, tuple[Metric, ...]] = {
    problem: tuple(row.name for row in MEASURES if isinstance(row.name, Metric) and problem in row.default_problems)
    for problem in Problem
}
"""The metrics that a spec of each problem has by default."""
CONFUSION = tuple(
    row.name for row in MEASURES if isinstance(row.name, Metric) and row.part_of is Metric.CONFUSION_MATRIX
)
"""The four numbers of a binary model's confusion matrix, in rows."""
SCORE_METRICS = frozenset(row.name for row in MEASURES if row.needs_score)
"""The metrics computed from the score; all others are computed from the prediction."""
HARM: dict[Metric, float] = {
    row.name: row.harm for row in MEASURES if isinstance(row.name, Metric) and row.harm is not None
}
"""How much lower than usual each metric must be to matter, for those that are evidence."""
MEANS_OVER_CLASSES = frozenset(row.name for row in MEASURES if row.mean_over_classes)
"""With several classes these metrics are means over them; the others require rows of two classes alone."""
COLUMN_METHODS: dict[ColumnKind, tuple[Method, ...]] = {
    kind: tuple(row.name for row in MEASURES if isinstance(row.name, Method) and kind in row.columns)
    for kind in ColumnKind
}
"""The univariate drift methods, by the kind of column."""
DEFAULT_COLUMN_METHODS: dict[ColumnKind, tuple[Method, ...]] = {
    kind: tuple(row.name for row in MEASURES if isinstance(row.name, Method) and kind in row.default_columns)
    for kind in ColumnKind
}
"""The drift methods that a spec has by default, by the kind of column."""
MULTIVARIATE_METHODS = tuple(row.name for row in MEASURES if isinstance(row.name, Method) and not row.columns)
"""The multivariate drift methods."""
DEFAULT_QUALITY = tuple(row.name for row in MEASURES if isinstance(row.name, Quality) and row.default_columns)
"""The data quality methods that a spec has by default."""
OVERRIDABLE = frozenset(row.name for row in MEASURES if row.overridable)
"""The measures whose threshold a spec may override."""


def base(method: str) -> str:
    """Return the method of a result that is one of several numbers: `quantiles` for `quantiles:0.25`."""
    return method.partition(":")[0]


@cache
def measure(method: str) -> Measure:
    """Return the row for the method of a result; raises KeyError for an unknown method."""
    return _BY_NAME[base(method)]


@cache
def title(method: str) -> str:
    """Return the name of a result's method in a sentence: "quantile 0.25" for `quantiles:0.25`."""
    return " ".join((measure(method).title, method.partition(":")[2])).rstrip()
