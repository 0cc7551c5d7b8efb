"""The foundation: records, prepared data, the ledger, models, labels, results, and the daily summary's procedure."""

from importlib.resources import files
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0001"
down_revision = None

OPTIONS: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


def upgrade() -> None:
    """Make every table, the procedure, and the row of the churn model."""
    for create in TABLES:
        create()
    procedure = (files("churn") / "sql" / "get_daily_cdr_data_batch.sql").read_text()
    connection = op.get_bind()
    connection.exec_driver_sql("DROP PROCEDURE IF EXISTS GetDailyCDRDataBatch")
    connection.exec_driver_sql(procedure, execution_options={"no_parameters": True})
    op.execute("INSERT INTO models (number, name, created_at) VALUES (1, 'churn', UTC_TIMESTAMP(6))")


def _dp_cdr_data() -> None:
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


def _processed_data() -> None:
    op.create_table(
        "Processed_Data",
        sa.Column("Date", sa.Date(), nullable=False),
        sa.Column("User", mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=20), nullable=False),
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
        sa.Column("M_Tenure_Churn", sa.SmallInteger(), nullable=True, comment="NULL until known"),
        sa.Column("batch_number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("Date", "User"),
        **OPTIONS,
    )


def _processed_data_staging() -> None:
    op.create_table(
        "Processed_Data_staging",
        sa.Column("batch_id", mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=128), nullable=False),
        sa.Column("attempt", mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=36), nullable=False),
        sa.Column("Date", sa.Date(), nullable=False),
        sa.Column("User", mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=20), nullable=False),
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
        sa.Column("M_Tenure_Churn", sa.SmallInteger(), nullable=True),
        sa.PrimaryKeyConstraint("batch_id", "attempt", "Date", "User"),
        **OPTIONS,
    )


def _chunk_revisions() -> None:
    op.create_table(
        "chunk_revisions",
        sa.Column("model_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("model_version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("chunk_start", mysql.DATETIME(fsp=6), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("chunk_end", mysql.DATETIME(fsp=6), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("current", sa.Boolean(), nullable=False, comment="no later revision is there"),
        sa.Column("rows_seen", sa.Integer(), nullable=False),
        sa.Column("rows_labelled", sa.Integer(), nullable=False),
        sa.Column("content_hash", mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=64), nullable=False),
        sa.Column("spec_revision", sa.Integer(), nullable=False),
        sa.Column("reference_hash", mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=64), nullable=False),
        sa.Column("code_version", mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=64), nullable=False),
        sa.Column(
            "batches", mysql.LONGTEXT(), nullable=False, comment="JSON: numbers of the batches of its rows and labels"
        ),
        sa.Column("labels_as_of", mysql.DATETIME(fsp=6), nullable=True, comment="the newest label's known_at"),
        sa.Column("computed_at", mysql.DATETIME(fsp=6), nullable=False),
        sa.PrimaryKeyConstraint("model_number", "model_version", "chunk_start", "revision"),
        **OPTIONS,
    )


def _labels() -> None:
    op.create_table(
        "labels",
        sa.Column("model_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", mysql.VARCHAR(charset="utf8mb4", collation="utf8mb4_bin", length=128), nullable=False),
        sa.Column("value", sa.SmallInteger(), nullable=False),
        sa.Column("known_at", mysql.DATETIME(fsp=6), nullable=False),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.Column("batch_number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("model_number", "id"),
        **OPTIONS,
    )
    op.create_index("ix_labels_batch", "labels", ["batch_number"], unique=False)


def _ledger() -> None:
    op.create_table(
        "ledger",
        sa.Column("number", sa.BigInteger(), nullable=False, comment="short name of the batch, not its order"),
        sa.Column("batch_id", mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=128), nullable=False),
        sa.Column("kind", mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=20), nullable=False),
        sa.Column("content_hash", mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=64), nullable=False),
        sa.Column("rows_written", sa.Integer(), nullable=False),
        sa.Column("model_number", sa.Integer(), nullable=True),
        sa.Column("first_event", mysql.DATETIME(fsp=6), nullable=True),
        sa.Column("last_event", mysql.DATETIME(fsp=6), nullable=True),
        sa.Column("written_at", mysql.DATETIME(fsp=6), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("batch_id"),
        **OPTIONS,
    )


def _ledger_slots() -> None:
    op.create_table(
        "ledger_slots",
        sa.Column("batch_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("model_version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("slot", mysql.DATETIME(fsp=6), nullable=False, comment="quarter of an hour that the batch touched"),
        sa.PrimaryKeyConstraint("batch_number", "model_version", "slot"),
        **OPTIONS,
    )


def _models() -> None:
    op.create_table(
        "models",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=64), nullable=False),
        sa.Column("created_at", mysql.DATETIME(fsp=6), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("name"),
        **OPTIONS,
    )


def _pending_batches() -> None:
    op.create_table(
        "pending_batches",
        sa.Column("consumer", mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=20), nullable=False),
        sa.Column("batch_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("consumer", "batch_number"),
        **OPTIONS,
    )


def _pending_chunks() -> None:
    op.create_table(
        "pending_chunks",
        sa.Column("model_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("model_version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("chunk_start", mysql.DATETIME(fsp=6), nullable=False),
        sa.Column("due_at", mysql.DATETIME(fsp=6), nullable=True, comment="instant of the model's clock; NULL is now"),
        sa.Column(
            "attempts", sa.Integer(), server_default="0", nullable=False, comment="failures since it last went well"
        ),
        sa.Column("last_error", mysql.VARCHAR(charset="utf8mb4", collation="utf8mb4_bin", length=500), nullable=True),
        sa.Column(
            "retry_at",
            mysql.DATETIME(fsp=6),
            nullable=True,
            comment="instant of the wall's clock before which a failed chunk rests",
        ),
        sa.PrimaryKeyConstraint("model_number", "model_version", "chunk_start"),
        **OPTIONS,
    )


def _results() -> None:
    op.create_table(
        "results",
        sa.Column("model_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("model_version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("chunk_start", mysql.DATETIME(fsp=6), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("subject", mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=64), nullable=False),
        sa.Column("kind", mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=16), nullable=False),
        sa.Column("method", mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=32), nullable=False),
        sa.Column("value", mysql.DOUBLE(), nullable=True),
        sa.Column("lower", mysql.DOUBLE(), nullable=True),
        sa.Column("upper", mysql.DOUBLE(), nullable=True),
        sa.Column("alert_lower", mysql.DOUBLE(), nullable=True),
        sa.Column("alert_upper", mysql.DOUBLE(), nullable=True),
        sa.Column("expected", mysql.DOUBLE(), nullable=True, comment="mean of the reference's chunks"),
        sa.Column("sampling_error", mysql.DOUBLE(), nullable=True),
        sa.Column("p_value", mysql.DOUBLE(), nullable=True),
        sa.Column("effect", mysql.DOUBLE(), nullable=True),
        sa.Column("rows_used", sa.Integer(), nullable=False),
        sa.Column("state", mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=16), nullable=False),
        sa.Column("reason", mysql.VARCHAR(charset="utf8mb4", collation="utf8mb4_bin", length=500), nullable=True),
        sa.PrimaryKeyConstraint(
            "model_number", "model_version", "chunk_start", "revision", "subject", "kind", "method"
        ),
        **OPTIONS,
    )


def _spec_revisions() -> None:
    op.create_table(
        "spec_revisions",
        sa.Column("model_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("model_version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("spec", mysql.LONGTEXT(), nullable=False, comment="JSON of a Spec"),
        sa.Column("fitted", mysql.LONGTEXT(), nullable=False, comment="JSON of the reference fitted under this spec"),
        sa.Column("created_at", mysql.DATETIME(fsp=6), nullable=False),
        sa.PrimaryKeyConstraint("model_number", "model_version", "revision"),
        **OPTIONS,
    )


def _stream_runs() -> None:
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


def _verdicts() -> None:
    op.create_table(
        "verdicts",
        sa.Column("model_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("model_version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("chunk_start", mysql.DATETIME(fsp=6), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "sequence",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="a verdict derived anew gets the next",
        ),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.Column("state", mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=16), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("reasons", mysql.LONGTEXT(), nullable=False, comment="JSON list"),
        sa.Column("drifted", mysql.LONGTEXT(), nullable=False, comment="JSON list of columns"),
        sa.Column("derived_at", mysql.DATETIME(fsp=6), nullable=False),
        sa.PrimaryKeyConstraint("model_number", "model_version", "chunk_start", "revision", "sequence"),
        **OPTIONS,
    )


def _model_versions() -> None:
    op.create_table(
        "model_versions",
        sa.Column("model_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "state",
            mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=16),
            nullable=False,
            comment="creating, ready",
        ),
        sa.Column("artifact_uri", mysql.VARCHAR(charset="utf8mb4", collation="utf8mb4_bin", length=500), nullable=True),
        sa.Column(
            "training_hash",
            mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=64),
            nullable=False,
            comment="of the data and configuration it was trained with",
        ),
        sa.Column(
            "reference_uri", mysql.VARCHAR(charset="utf8mb4", collation="utf8mb4_bin", length=500), nullable=False
        ),
        sa.Column("reference_hash", mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=64), nullable=False),
        sa.Column("details", mysql.LONGTEXT(), nullable=False, comment="JSON: metrics, importances, configuration"),
        sa.Column("created_at", mysql.DATETIME(fsp=6), nullable=False),
        sa.ForeignKeyConstraint(
            ["model_number"],
            ["models.number"],
        ),
        sa.PrimaryKeyConstraint("model_number", "version"),
        sa.UniqueConstraint("model_number", "training_hash", name="uq_model_versions_training"),
        **OPTIONS,
    )


def _injected_drift() -> None:
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
    _chunk_revisions,
    _labels,
    _ledger,
    _ledger_slots,
    _models,
    _pending_batches,
    _pending_chunks,
    _results,
    _spec_revisions,
    _stream_runs,
    _verdicts,
    _model_versions,
    _injected_drift,
)
