"""Call records, the daily summary and its procedure, prepared data, streams, and the truth about injected drift."""

from importlib.resources import files
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from churn.views import create_model_predictions

revision = "churn_0001"
down_revision = None

OPTIONS: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


def upgrade() -> None:
    """Create every table, the procedure and the view."""
    for create in TABLES:
        create()
    procedure = (files("churn") / "sql" / "get_daily_cdr_data_batch.sql").read_text()
    connection = op.get_bind()
    connection.exec_driver_sql("DROP PROCEDURE IF EXISTS GetDailyCDRDataBatch")
    connection.exec_driver_sql(procedure, execution_options={"no_parameters": True})
    connection.execute(create_model_predictions())


def _dp_cdr_data() -> None:
    """Create the table of simulated call data records."""
    op.create_table(
        "DP_CDR_Data",
        sa.Column(
            "DP_DATE", mysql.DATETIME(fsp=6), nullable=False, comment="UTC instant that stamps the reporting period"
        ),
        sa.Column("DP_MSISDN", mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=20), nullable=False),
        sa.Column(
            "record_id",
            mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=40),
            nullable=False,
            comment="source and running number",
        ),
        sa.Column("DP_MOC_COUNT", sa.BigInteger(), nullable=True),
        sa.Column("DP_MOC_DURATION", sa.BigInteger(), nullable=True),
        sa.Column("DP_MTC_COUNT", sa.BigInteger(), nullable=True),
        sa.Column("DP_MTC_DURATION", sa.BigInteger(), nullable=True),
        sa.Column("DP_MOSMS_COUNT", sa.BigInteger(), nullable=True),
        sa.Column("DP_MTSMS_COUNT", sa.BigInteger(), nullable=True),
        sa.Column("DP_DATA_COUNT", sa.BigInteger(), nullable=True),
        sa.Column("DP_DATA_VOLUME", sa.BigInteger(), nullable=True),
        sa.Column("PSEUDO_CHURNED", sa.SmallInteger(), nullable=True, comment="NULL until known"),
        sa.Column("batch_number", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("DP_DATA_COUNT >= 0", name="ck_DP_DATA_COUNT"),
        sa.CheckConstraint("DP_DATA_VOLUME >= 0", name="ck_DP_DATA_VOLUME"),
        sa.CheckConstraint("DP_MOC_COUNT >= 0", name="ck_DP_MOC_COUNT"),
        sa.CheckConstraint("DP_MOC_DURATION >= 0", name="ck_DP_MOC_DURATION"),
        sa.CheckConstraint("DP_MOSMS_COUNT >= 0", name="ck_DP_MOSMS_COUNT"),
        sa.CheckConstraint("DP_MTC_COUNT >= 0", name="ck_DP_MTC_COUNT"),
        sa.CheckConstraint("DP_MTC_DURATION >= 0", name="ck_DP_MTC_DURATION"),
        sa.CheckConstraint("DP_MTSMS_COUNT >= 0", name="ck_DP_MTSMS_COUNT"),
        sa.PrimaryKeyConstraint("DP_DATE", "DP_MSISDN", "record_id"),
        **OPTIONS,
    )


def _dailysummary() -> None:
    op.create_table(
        "DailySummary",
        sa.Column("Date", sa.Date(), nullable=False),
        sa.Column("Total_Outgoing_Calls", sa.BigInteger(), nullable=False),
        sa.Column("Total_Outgoing_Call_Time", sa.BigInteger(), nullable=False, comment="seconds"),
        sa.Column("Total_Data_Purchases", sa.BigInteger(), nullable=False),
        sa.Column("Total_Data_Volume", sa.BigInteger(), nullable=False, comment="bytes"),
        sa.PrimaryKeyConstraint("Date"),
        **OPTIONS,
    )


def _features() -> list[sa.Column[Any]]:
    """Return new columns for the features of a subscriber-day, which three tables have."""
    return [
        sa.Column("M_Out_Call_Count", sa.BigInteger(), nullable=True),
        sa.Column("M_Out_Call_Time", sa.BigInteger(), nullable=True),
        sa.Column("M_In_Call_Count", sa.BigInteger(), nullable=True),
        sa.Column("M_In_Call_Time", sa.BigInteger(), nullable=True),
        sa.Column("M_Data_Sum", sa.BigInteger(), nullable=True),
        sa.Column("M_Data_Count", sa.BigInteger(), nullable=True),
        sa.Column("M_Out_Call_Count_7d_sum", mysql.DOUBLE(), nullable=True),
        sa.Column("M_Out_Call_Count_7d_mean", mysql.DOUBLE(), nullable=True),
        sa.Column("M_Out_Call_Count_7d_std", mysql.DOUBLE(), nullable=True),
        sa.Column("M_Out_Call_Time_7d_sum", mysql.DOUBLE(), nullable=True),
        sa.Column("M_Out_Call_Time_7d_mean", mysql.DOUBLE(), nullable=True),
        sa.Column("M_Out_Call_Time_7d_std", mysql.DOUBLE(), nullable=True),
        sa.Column("M_In_Call_Count_7d_sum", mysql.DOUBLE(), nullable=True),
        sa.Column("M_In_Call_Count_7d_mean", mysql.DOUBLE(), nullable=True),
        sa.Column("M_In_Call_Count_7d_std", mysql.DOUBLE(), nullable=True),
        sa.Column("M_In_Call_Time_7d_sum", mysql.DOUBLE(), nullable=True),
        sa.Column("M_In_Call_Time_7d_mean", mysql.DOUBLE(), nullable=True),
        sa.Column("M_In_Call_Time_7d_std", mysql.DOUBLE(), nullable=True),
        sa.Column("M_Data_Sum_7d_sum", mysql.DOUBLE(), nullable=True),
        sa.Column("M_Data_Sum_7d_mean", mysql.DOUBLE(), nullable=True),
        sa.Column("M_Data_Sum_7d_std", mysql.DOUBLE(), nullable=True),
        sa.Column("M_Data_Count_7d_sum", mysql.DOUBLE(), nullable=True),
        sa.Column("M_Data_Count_7d_mean", mysql.DOUBLE(), nullable=True),
        sa.Column("M_Data_Count_7d_std", mysql.DOUBLE(), nullable=True),
        sa.Column("Days_Seen_7d", sa.BigInteger(), nullable=True),
    ]


def _processed_data() -> None:
    op.create_table(
        "Processed_Data",
        sa.Column("Date", sa.Date(), nullable=False),
        sa.Column("User", mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=20), nullable=False),
        *_features(),
        sa.Column("M_Tenure_Churn", sa.SmallInteger(), nullable=True, comment="NULL until known"),
        sa.Column("batch_number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("Date", "User"),
        **OPTIONS,
    )


def _processed_data_staging() -> None:
    """Create the table into which a job writes prepared rows before they are moved to `Processed_Data`."""
    op.create_table(
        "Processed_Data_staging",
        sa.Column("batch_id", mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=128), nullable=False),
        sa.Column("attempt", mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=36), nullable=False),
        sa.Column("Date", sa.Date(), nullable=False),
        sa.Column("User", mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=20), nullable=False),
        *_features(),
        sa.Column("M_Tenure_Churn", sa.SmallInteger(), nullable=True),
        sa.PrimaryKeyConstraint("batch_id", "attempt", "Date", "User"),
        **OPTIONS,
    )


def _churn_predictions() -> None:
    """Create the table of the example's predictions."""
    op.create_table(
        "churn_predictions",
        sa.Column("Date", sa.Date(), nullable=False),
        sa.Column("User", mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=20), nullable=False),
        *_features(),
        sa.Column("prediction", sa.SmallInteger(), nullable=False),
        sa.Column("probability_0", mysql.DOUBLE(), nullable=False),
        sa.Column("probability_1", mysql.DOUBLE(), nullable=False),
        sa.Column("id", mysql.VARCHAR(charset="utf8mb4", collation="utf8mb4_bin", length=128), nullable=False),
        sa.Column("model_version", sa.Integer(), nullable=False),
        sa.Column("scored_at", mysql.DATETIME(fsp=6), nullable=False),
        sa.Column("batch_number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("Date", "User"),
        sa.UniqueConstraint("id"),
        **OPTIONS,
    )


def _stream_runs() -> None:
    """Create the table of the simulator's streams and their progress."""
    op.create_table(
        "stream_runs",
        sa.Column(
            "run_id",
            mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=64),
            nullable=False,
            comment="hash of the parameters for a dated stream",
        ),
        sa.Column("parameters", mysql.LONGTEXT(), nullable=False, comment="JSON"),
        sa.Column(
            "state",
            mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=16),
            nullable=False,
            comment="running, stopped, finished, failed",
        ),
        sa.Column("num_batches", sa.Integer(), nullable=False),
        sa.Column("next_batch", sa.Integer(), nullable=False, comment="the first batch not yet written"),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.Column("started_at", mysql.DATETIME(fsp=6), nullable=False),
        sa.Column("updated_at", mysql.DATETIME(fsp=6), nullable=False),
        sa.Column("finished_at", mysql.DATETIME(fsp=6), nullable=True),
        sa.Column("last_error", mysql.VARCHAR(charset="utf8mb4", collation="utf8mb4_bin", length=500), nullable=True),
        sa.PrimaryKeyConstraint("run_id"),
        **OPTIONS,
    )


def _injected_drift() -> None:
    """Create the table of the drifts that the simulator injected."""
    op.create_table(
        "injected_drift",
        sa.Column("run_id", mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=20), nullable=False),
        sa.Column("affected_column", mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=64), nullable=True),
        sa.Column("size", mysql.DOUBLE(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=True, comment="included; NULL is for good"),
        sa.PrimaryKeyConstraint("run_id", "position"),
        schema="truth",
        **OPTIONS,
    )


TABLES = (
    _dp_cdr_data,
    _dailysummary,
    _processed_data,
    _processed_data_staging,
    _churn_predictions,
    _stream_runs,
    _injected_drift,
)
