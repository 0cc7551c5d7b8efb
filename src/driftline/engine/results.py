"""Results, their states and bounds, and the verdict of a chunk. No I/O here."""

from dataclasses import dataclass
from enum import StrEnum

MODEL = "model"
"""The subject of results about the model as a whole; any other subject is the name of a column."""
SCORE = "probability_1"
"""The column with the model's score: the probability of class 1."""
PREDICTION = "prediction"
LABEL = "label"
EVENT_TIME = "event_time"
ID = "id"


class ResultKind(StrEnum):
    """The kinds of result."""

    REALIZED = "realized"
    ESTIMATED = "estimated"
    DRIFT = "drift"
    MULTIVARIATE = "multivariate"
    QUALITY = "quality"
    STATISTIC = "statistic"


class Metric(StrEnum):
    """Performance metrics; `driftline.engine.catalogue` describes each and names its problems."""

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
    """Drift methods: univariate ones, and two for all features together."""

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
    """The state of a result or a chunk. Missing labels are never ok, and a missing value is never 0.

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


class SubjectKind(StrEnum):
    """The kind of a result's subject: the model, a feature, an output of the model, or the label.

    The subject's name is not enough: a feature may be called `model`.
    """

    MODEL = "model"
    FEATURE = "feature"
    SCORE = "score"
    PREDICTION = "prediction"
    LABEL = "label"


ROW_LEVEL = frozenset({Quality.DUPLICATES, Quality.ROW_COUNT, Quality.FRESHNESS})
"""Data quality methods of rows, not of a column."""
_OF_MODEL = frozenset({ResultKind.REALIZED, ResultKind.ESTIMATED, ResultKind.MULTIVARIATE})

_OUTPUT_KINDS = {SCORE: SubjectKind.SCORE, PREDICTION: SubjectKind.PREDICTION, LABEL: SubjectKind.LABEL}


def is_of_model(kind: str, method: str) -> bool:
    """Return whether results of this kind and method are about the model as a whole, rather than about a column."""
    return kind in _OF_MODEL or method in ROW_LEVEL


@dataclass(frozen=True, slots=True)
class Bounds:
    """The bounds that a value is compared with; None is not a bound on that side.

    `lower` and `upper` are the warning bounds. `alert_lower` and `alert_upper`, further out, are alert bounds: beyond
    them a single chunk alerts. `expected` is the mean of the reference's chunks, None if these are too few.
    """

    lower: float | None = None
    upper: float | None = None
    alert_lower: float | None = None
    alert_upper: float | None = None
    expected: float | None = None

    def breaches_warning_bound(self, value: float) -> bool:
        """Return whether `value` is outside the warning bounds."""
        return _outside(value, self.lower, self.upper)

    def breaches_alert_bound(self, value: float) -> bool:
        """Return whether `value` is outside the alert bounds."""
        return _outside(value, self.alert_lower, self.alert_upper)


def _outside(value: float, lower: float | None, upper: float | None) -> bool:
    return (lower is not None and value < lower) or (upper is not None and value > upper)


@dataclass(frozen=True, slots=True)
class Result:
    """One number of a chunk: its subject, kind and method, its value and its state.

    `segment` names the rows by feature and value, such as "region=EU"; None is all rows. `subject_kind` is, by
    default, derived from the kind, the method and the engine's names of outputs.

    `value` is None where it is undefined; then `state` is not ok and `reason` states why. `sampling_error` is one
    standard error of the value, in the value's unit. `rows` is the number of rows that the value was computed from.
    `p_value` is None for methods that have none. `effect` is the size of the change on a scale without unit or row
    count, which the verdict compares with a floor; None if there is none. For PSI and the distances in [0, 1] it is
    the value itself; for Wasserstein the value over the reference's standard deviation of the column; for chi2 Cohen's
    w, sqrt(chi2 * (r + n) / (r * n)) for r reference rows and n chunk rows; for the domain classifier how far its ROC
    AUC is above 0.5; for missing values the chunk's share minus the reference's share; for other shares of faulty rows
    the share itself (of unseen categories without missing values).

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
    subject_kind: SubjectKind | None = None

    def __post_init__(self) -> None:
        if self.subject_kind is None:
            object.__setattr__(self, "subject_kind", _subject_kind(self.subject, self.kind, self.method))


def _subject_kind(subject: str, kind: str, method: str) -> SubjectKind:
    if is_of_model(kind, method):
        return SubjectKind.MODEL
    return _OUTPUT_KINDS.get(subject, SubjectKind.FEATURE)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict of a chunk: its state, the reasons in plain words, most severe first, and whether it is provisional.

    Labels still to come may change a provisional verdict. `drifted` names the columns whose drift, or data quality
    fault, lasts; drift that occurs once is in `reasons` only.

    >>> import driftline as dl
    >>> verdict = dl.Verdict(dl.State.WARN, ("F1 0.61 is below its warning bound 0.64.",), provisional=False)
    >>> verdict.state is dl.State.WARN, verdict.drifted
    (True, ())
    """

    state: State
    reasons: tuple[str, ...]
    provisional: bool
    drifted: tuple[str, ...] = ()
