"""What an answer is made of: results, their states, and a chunk's verdict. No I/O here."""

from dataclasses import dataclass
from enum import StrEnum

MODEL = "model"
"""The subject of results about the model as a whole; any other subject is a column's own name."""
SCORE = "probability_1"
"""The column with the model's score: the probability of class 1."""
PREDICTION = "prediction"
LABEL = "label"
EVENT_TIME = "event_time"
ID = "id"


class ResultKind(StrEnum):
    """What a result speaks of."""

    REALIZED = "realized"
    ESTIMATED = "estimated"
    DRIFT = "drift"
    MULTIVARIATE = "multivariate"
    QUALITY = "quality"
    STATISTIC = "statistic"


class Metric(StrEnum):
    """Performance metrics; which problem has which is in `driftline.engine.problems`."""

    ROC_AUC = "roc_auc"
    F1 = "f1"
    ACCURACY = "accuracy"
    AVERAGE_PRECISION = "average_precision"
    PRECISION = "precision"
    RECALL = "recall"
    SPECIFICITY = "specificity"
    TRUE_POSITIVES = "true_positives"
    FALSE_POSITIVES = "false_positives"
    TRUE_NEGATIVES = "true_negatives"
    FALSE_NEGATIVES = "false_negatives"
    CONFUSION_MATRIX = "confusion_matrix"
    BUSINESS_VALUE = "business_value"
    LOG_LOSS = "log_loss"
    BRIER = "brier"
    CALIBRATION_ERROR = "calibration_error"
    MAE = "mae"
    MAPE = "mape"
    MSE = "mse"
    RMSE = "rmse"
    MSLE = "msle"
    RMSLE = "rmsle"


class Method(StrEnum):
    """Drift methods: univariate ones, and the two that look at all features together."""

    JENSEN_SHANNON = "jensen_shannon"
    KOLMOGOROV_SMIRNOV = "kolmogorov_smirnov"
    WASSERSTEIN = "wasserstein"
    HELLINGER = "hellinger"
    L_INFINITY = "l_infinity"
    CHI2 = "chi2"
    PSI = "psi"
    PCA_RECONSTRUCTION = "pca_reconstruction"
    DOMAIN_CLASSIFIER = "domain_classifier"


class Quality(StrEnum):
    """Data quality methods."""

    MISSING_VALUES = "missing_values"
    UNSEEN_CATEGORIES = "unseen_categories"
    OUT_OF_RANGE = "out_of_range"
    DUPLICATES = "duplicates"
    ROW_COUNT = "row_count"
    FRESHNESS = "freshness"


class Statistic(StrEnum):
    """Summary statistics of a continuous column."""

    MEAN = "mean"
    SUM = "sum"
    STANDARD_DEVIATION = "standard_deviation"
    MEDIAN = "median"
    QUANTILES = "quantiles"


class State(StrEnum):
    """How a result or a chunk stands. No labels is never healthy, and no value is never 0.

    >>> import driftline as dl
    >>> [str(state) for state in dl.State]
    ['no_data', 'insufficient', 'pending_labels', 'ok', 'warn', 'alert', 'error']
    """

    NO_DATA = "no_data"
    INSUFFICIENT = "insufficient"
    PENDING_LABELS = "pending_labels"
    OK = "ok"
    WARN = "warn"
    ALERT = "alert"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Bounds:
    """A band that values are held against; None is no bound on that side.

    `lower` and `upper` are where a warning begins. `alert_lower` and `alert_upper`, further out, are where a single
    chunk alerts at once. `expected` is the mean of the reference chunks, None where there are too few.
    """

    lower: float | None = None
    upper: float | None = None
    alert_lower: float | None = None
    alert_upper: float | None = None
    expected: float | None = None

    def breaches_warning_bound(self, value: float) -> bool:
        """Say whether `value` is outside the warning bounds."""
        return _outside(value, self.lower, self.upper)

    def breaches_alert_bound(self, value: float) -> bool:
        """Say whether `value` is outside the bounds where one chunk alone alerts."""
        return _outside(value, self.alert_lower, self.alert_upper)


def _outside(value: float, lower: float | None, upper: float | None) -> bool:
    return (lower is not None and value < lower) or (upper is not None and value > upper)


@dataclass(frozen=True, slots=True)
class Result:
    """One number of a chunk: of what, by which method, and how it stands; `segment` names the rows, None is all.

    A segment is named by feature and value, such as "region=EU".

    `value` is None where it is undefined; then `state` is not ok and `reason` says why. `sampling_error` is one
    standard error of the value, in the value's own unit. `rows` is how many rows the value was computed from.
    `p_value` is None for methods that have none. `effect` is the size of the change on a scale without unit or row
    count, which the verdict holds against a floor; None where there is none. For PSI and the distances in [0, 1] it is
    the value itself; for Wasserstein the value over the reference's standard deviation of the column; for chi2 Cohen's
    w, sqrt(chi2 * (r + n) / (r * n)) for r reference rows and n chunk rows; for the domain classifier how far its ROC
    AUC is above 0.5; for missing values the chunk's share minus the reference's share; for
    other shares of faulty rows the share itself (of unseen categories without missing values).

    >>> import driftline as dl
    >>> result = dl.Result("usage", "drift", "psi", value=None, rows=3, state=dl.State.INSUFFICIENT, reason="3 rows")
    >>> result.value is None, result.reason
    (True, '3 rows')
    """

    subject: str
    kind: ResultKind
    method: str
    value: float | None
    rows: int
    state: State
    bounds: Bounds = Bounds()
    sampling_error: float | None = None
    p_value: float | None = None
    reason: str | None = None
    effect: float | None = None
    segment: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """A chunk's verdict: its state, why in plain words (gravest first), and whether labels still to come may change it.

    `drifted` names the columns whose drift, or data quality fault, lasts; drift seen once is only in `reasons`.

    >>> import driftline as dl
    >>> verdict = dl.Verdict(dl.State.WARN, ("F1 0.61 is below its bound 0.64.",), provisional=False)
    >>> verdict.state is dl.State.WARN, verdict.drifted
    (True, ())
    """

    state: State
    reasons: tuple[str, ...]
    provisional: bool
    drifted: tuple[str, ...] = ()
