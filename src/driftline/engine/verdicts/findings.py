"""One thing that speaks for a chunk's state, in plain words with numbers. No I/O here."""

from dataclasses import dataclass

from driftline.engine.results import Method, Metric, Quality, State, Statistic

SEVERITY = (State.OK, State.PENDING_LABELS, State.INSUFFICIENT, State.ERROR, State.WARN, State.ALERT)
"""States from mildest to gravest: the gravest finding is the verdict's state."""

TITLE: dict[str, str] = {
    Metric.ROC_AUC: "ROC AUC",
    Metric.F1: "F1",
    Metric.ACCURACY: "Accuracy",
    Metric.AVERAGE_PRECISION: "Average precision",
    Metric.PRECISION: "Precision",
    Metric.RECALL: "Recall",
    Metric.SPECIFICITY: "Specificity",
    Metric.TRUE_POSITIVES: "Number of true positives",
    Metric.FALSE_POSITIVES: "Number of false positives",
    Metric.TRUE_NEGATIVES: "Number of true negatives",
    Metric.FALSE_NEGATIVES: "Number of false negatives",
    Metric.CONFUSION_MATRIX: "Confusion matrix",
    Metric.BUSINESS_VALUE: "Business value",
    Metric.LOG_LOSS: "Log loss",
    Metric.BRIER: "Brier score",
    Metric.CALIBRATION_ERROR: "Expected calibration error",
    Metric.MAE: "Mean absolute error",
    Metric.MAPE: "Mean absolute percentage error",
    Metric.MSE: "Mean squared error",
    Metric.RMSE: "Root mean squared error",
    Metric.MSLE: "Mean squared logarithmic error",
    Metric.RMSLE: "Root mean squared logarithmic error",
    Method.JENSEN_SHANNON: "Jensen-Shannon distance",
    Method.KOLMOGOROV_SMIRNOV: "Kolmogorov-Smirnov distance",
    Method.WASSERSTEIN: "Wasserstein distance",
    Method.HELLINGER: "Hellinger distance",
    Method.L_INFINITY: "L-infinity distance",
    Method.CHI2: "chi2",
    Method.PSI: "population stability index",
    Method.PCA_RECONSTRUCTION: "PCA reconstruction error",
    Method.DOMAIN_CLASSIFIER: "ROC AUC of the domain classifier",
    Quality.MISSING_VALUES: "share of missing values",
    Quality.UNSEEN_CATEGORIES: "share of unseen categories",
    Quality.OUT_OF_RANGE: "share of values out of range",
    Quality.DUPLICATES: "share of duplicate rows",
    Quality.ROW_COUNT: "number of rows",
    Quality.FRESHNESS: "age of the newest row",
    Statistic.MEAN: "mean",
    Statistic.SUM: "sum",
    Statistic.STANDARD_DEVIATION: "standard deviation",
    Statistic.MEDIAN: "median",
    Statistic.QUANTILES: "quantile",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """A reason and the state it speaks for; a state of None is a note, which changes nothing."""

    state: State | None
    reason: str


def gravest(findings: list[Finding]) -> State:
    """The gravest state among `findings`, at least one of which must not be a note."""
    return max((f.state for f in findings if f.state is not None), key=SEVERITY.index)


def reasons(findings: list[Finding]) -> tuple[str, ...]:
    """Every distinct reason once, the gravest first, notes last."""
    ranked = sorted(findings, key=lambda f: len(SEVERITY) if f.state is None else -SEVERITY.index(f.state))
    return tuple(dict.fromkeys(finding.reason for finding in ranked))


def title(method: str) -> str:
    """What a metric or method is called in a sentence."""
    name, _, part = method.partition(":")
    return " ".join((TITLE.get(name, name), part)).rstrip()


def percent(share: float) -> str:
    """A share in per cent, rounded down: 99.9 % of labels is never said to be all of them."""
    tenths = int(share * 1000 + 1e-9)
    return f"{tenths / 10:g} %"


def format_distinct(value: float, bound: float) -> tuple[str, str]:
    """Both numbers, short, yet with as many digits as it takes to see that they differ."""
    for digits in range(3, 17):
        shown = f"{value:.{digits}g}", f"{bound:.{digits}g}"
        if shown[0] != shown[1]:
            return shown
    return f"{value:.3g}", f"{bound:.3g}"
