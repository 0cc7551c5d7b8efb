"""Names of columns, each spelled once. No I/O here."""

from enum import StrEnum


class Cdr(StrEnum):
    """Columns of `DP_CDR_Data`: one record is a subscriber's usage in one reporting period."""

    DATE = "DP_DATE"
    MSISDN = "DP_MSISDN"
    MOC_COUNT = "DP_MOC_COUNT"
    MOC_DURATION = "DP_MOC_DURATION"
    MTC_COUNT = "DP_MTC_COUNT"
    MTC_DURATION = "DP_MTC_DURATION"
    MOSMS_COUNT = "DP_MOSMS_COUNT"
    MTSMS_COUNT = "DP_MTSMS_COUNT"
    DATA_COUNT = "DP_DATA_COUNT"
    DATA_VOLUME = "DP_DATA_VOLUME"
    PSEUDO_CHURNED = "PSEUDO_CHURNED"
    RECORD_ID = "record_id"
    BATCH_NUMBER = "batch_number"


CDR_USAGE: tuple[Cdr, ...] = (
    Cdr.MOC_COUNT,
    Cdr.MOC_DURATION,
    Cdr.MTC_COUNT,
    Cdr.MTC_DURATION,
    Cdr.MOSMS_COUNT,
    Cdr.MTSMS_COUNT,
    Cdr.DATA_COUNT,
    Cdr.DATA_VOLUME,
)
"""The usage columns of a record: counts, durations in seconds, volume in bytes."""

CDR_FILE_COLUMNS: tuple[Cdr, ...] = (Cdr.DATE, Cdr.MSISDN, *CDR_USAGE, Cdr.PSEUDO_CHURNED)
"""The columns of a raw data file, in their order."""


class Processed(StrEnum):
    """Columns of `Processed_Data` that are not trailing features: one row is one subscriber and day."""

    DATE = "Date"
    USER = "User"
    OUT_CALL_COUNT = "M_Out_Call_Count"
    OUT_CALL_TIME = "M_Out_Call_Time"
    IN_CALL_COUNT = "M_In_Call_Count"
    IN_CALL_TIME = "M_In_Call_Time"
    DATA_SUM = "M_Data_Sum"
    DATA_COUNT = "M_Data_Count"
    LABEL = "M_Tenure_Churn"
    DAYS_SEEN = "Days_Seen_7d"


USAGE_OF_CDR: dict[Processed, Cdr] = {
    Processed.OUT_CALL_COUNT: Cdr.MOC_COUNT,
    Processed.OUT_CALL_TIME: Cdr.MOC_DURATION,
    Processed.IN_CALL_COUNT: Cdr.MTC_COUNT,
    Processed.IN_CALL_TIME: Cdr.MTC_DURATION,
    Processed.DATA_SUM: Cdr.DATA_VOLUME,
    Processed.DATA_COUNT: Cdr.DATA_COUNT,
}
"""Which record column each daily usage column sums."""

USAGE: tuple[str, ...] = tuple(str(column) for column in USAGE_OF_CDR)
TRAILING_DAYS = 7
TRAILING_STATISTICS = ("sum", "mean", "std")


def trailing(column: str, statistic: str) -> str:
    """Name the trailing feature: `trailing("M_Data_Sum", "mean")` is `M_Data_Sum_7d_mean`."""
    return f"{column}_{TRAILING_DAYS}d_{statistic}"


TRAILING: tuple[str, ...] = tuple(trailing(column, statistic) for column in USAGE for statistic in TRAILING_STATISTICS)
FEATURES: tuple[str, ...] = (*USAGE, *TRAILING, str(Processed.DAYS_SEEN))
"""The churn model's 25 features as stored: usage, trailing sums, means and standard deviations, and days seen."""


def prediction_id(date: str, user: str) -> str:
    """Name a subscriber-day: ISO date, a slash, the subscriber."""
    return f"{date}/{user}"


CHURN_MODEL = "churn"
"""The name of the model that ships with Driftline."""


RECORD_SCHEMA_VERSION = 1
"""The version of a published record's fields; it changes when a field is removed, renamed, or means something else."""


class Topic(StrEnum):
    """Kafka topics."""

    CDR_RECORDS = "cdr-records"
    CDR_BATCHES = "cdr-batches"
    CDR_DEAD_LETTERS = "cdr-dead-letters"
    MODEL_PREDICTIONS = "model-predictions"
    PREDICTION_BATCHES = "model-prediction-batches"
