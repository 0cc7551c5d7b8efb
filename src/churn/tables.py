"""Tables of the example: call records, the daily summary, streams, prepared data, and the truth schema. No I/O here."""

from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Date, Index, Integer, MetaData, SmallInteger, Table
from sqlalchemy.dialects.mysql import LONGTEXT

from churn.columns import CDR_USAGE, FEATURES, USAGE, Cdr, Processed
from churn.truth import TRUTH
from driftline.store.tables import INSTANT, OPTIONS, batch_number, name_type, real_type, text_type

metadata = MetaData()
truth_metadata = MetaData(schema=TRUTH)
"""Tables of the truth schema; an engine that `churn.truth.with_truth` returns finds them."""

cdr = Table(
    "DP_CDR_Data",
    metadata,
    Column(Cdr.DATE, INSTANT, primary_key=True, comment="UTC instant that stamps the reporting period"),
    Column(Cdr.MSISDN, name_type(20), primary_key=True),
    Column(Cdr.RECORD_ID, name_type(40), primary_key=True, comment="source and running number"),
    *(Column(name, BigInteger) for name in CDR_USAGE),
    Column(Cdr.PSEUDO_CHURNED, SmallInteger, comment="NULL until known"),
    batch_number(),
    *(CheckConstraint(f"{name} >= 0", name=f"ck_{name}") for name in CDR_USAGE),
    Index("ix_DP_CDR_Data_subscriber", Cdr.MSISDN, Cdr.DATE),
    **OPTIONS,
)

daily_summary = Table(
    "DailySummary",
    metadata,
    Column("Date", Date, primary_key=True),
    Column("Total_Outgoing_Calls", BigInteger, nullable=False),
    Column("Total_Outgoing_Call_Time", BigInteger, nullable=False, comment="seconds"),
    Column("Total_Data_Purchases", BigInteger, nullable=False),
    Column("Total_Data_Volume", BigInteger, nullable=False, comment="bytes"),
    **OPTIONS,
)

stream_runs = Table(
    "stream_runs",
    metadata,
    Column("run_id", name_type(64), primary_key=True, comment="hash of the parameters for a dated stream"),
    Column("parameters", LONGTEXT, nullable=False, comment="JSON"),
    Column("state", name_type(16), nullable=False, comment="running, stopped, finished, failed"),
    Column("num_batches", Integer, nullable=False),
    Column("next_batch", Integer, nullable=False, comment="the first batch not yet written"),
    Column("records", BigInteger, nullable=False),
    Column("started_at", INSTANT, nullable=False),
    Column("updated_at", INSTANT, nullable=False),
    Column("finished_at", INSTANT),
    Column("last_error", text_type(500)),
    **OPTIONS,
)

injected_drift = Table(
    "injected_drift",
    truth_metadata,
    Column("run_id", name_type(64), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("kind", name_type(20), nullable=False),
    Column("affected_column", name_type(64)),
    Column("size", real_type(), nullable=False),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, comment="included; NULL is for good"),
    **OPTIONS,
)


def _feature_columns() -> tuple[Column[Any], ...]:
    counted = {*USAGE, Processed.DAYS_SEEN}
    return tuple(Column(name, BigInteger if name in counted else real_type()) for name in FEATURES)


processed = Table(
    "Processed_Data",
    metadata,
    Column(Processed.DATE, Date, primary_key=True),
    Column(Processed.USER, name_type(20), primary_key=True),
    *_feature_columns(),
    Column(Processed.LABEL, SmallInteger, comment="NULL until known"),
    batch_number(),
    **OPTIONS,
)

processed_staging = Table(
    "Processed_Data_staging",
    metadata,
    Column("batch_id", name_type(128), primary_key=True),
    Column("attempt", name_type(36), primary_key=True),
    Column(Processed.DATE, Date, primary_key=True),
    Column(Processed.USER, name_type(20), primary_key=True),
    *_feature_columns(),
    Column(Processed.LABEL, SmallInteger),
    **OPTIONS,
)

churn_predictions = Table(
    "churn_predictions",
    metadata,
    Column(Processed.DATE, Date, primary_key=True),
    Column(Processed.USER, name_type(20), primary_key=True),
    *_feature_columns(),
    Column("prediction", SmallInteger, nullable=False),
    Column("probability_0", real_type(), nullable=False),
    Column("probability_1", real_type(), nullable=False),
    Column("id", text_type(128), nullable=False, unique=True),
    Column("model_version", Integer, nullable=False),
    Column("scored_at", INSTANT, nullable=False),
    batch_number(),
    Index("ix_churn_predictions_batch", "batch_number"),
    **OPTIONS,
)
