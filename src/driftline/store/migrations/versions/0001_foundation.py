"""The ledger, models, labels, pending chunks, results and verdicts."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0001"
down_revision = None

OPTIONS: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


def upgrade() -> None:
    """Create every table."""
    for create in TABLES:
        create()


def _chunk_revisions() -> None:
    """Create the table of chunk revisions."""
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
    """Create the table of labels."""
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
    """Create the ledger's table."""
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
    op.create_index("ix_ledger_model", "ledger", ["model_number", "kind", "last_event"], unique=False)


def _ledger_slots() -> None:
    """Create the table of the quarter hours that batches have rows in."""
    op.create_table(
        "ledger_slots",
        sa.Column("model_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("model_version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("slot", mysql.DATETIME(fsp=6), nullable=False, comment="quarter of an hour that the batch touched"),
        sa.Column("batch_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=False, comment="predictions that the batch added to it"),
        sa.PrimaryKeyConstraint("model_number", "model_version", "slot", "batch_number"),
        **OPTIONS,
    )
    op.create_index("ix_ledger_slots_batch", "ledger_slots", ["batch_number"], unique=False)


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
    """Create the table of pending chunks."""
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


def _predictions() -> None:
    """Create the table of predictions."""
    op.create_table(
        "predictions",
        sa.Column("model_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", mysql.VARCHAR(charset="utf8mb4", collation="utf8mb4_bin", length=128), nullable=False),
        sa.Column("model_version", sa.Integer(), nullable=False),
        sa.Column("event_time", mysql.DATETIME(fsp=6), nullable=False),
        sa.Column("batch_number", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False, comment="of the row in the batch's data, from 0"),
        sa.PrimaryKeyConstraint("model_number", "id"),
        **OPTIONS,
    )
    op.create_index("ix_predictions_batch", "predictions", ["batch_number", "position"], unique=False)


def _batch_data() -> None:
    """Create the table of the columns of batches."""
    op.create_table(
        "batch_data",
        sa.Column("batch_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "content",
            mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=16),
            nullable=False,
            comment="outputs, features",
        ),
        sa.Column(
            "first_position",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="of the first row in the batch",
        ),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.Column("first_event", mysql.DATETIME(fsp=6), nullable=False),
        sa.Column("last_event", mysql.DATETIME(fsp=6), nullable=False),
        sa.Column("data", mysql.LONGBLOB(), nullable=False, comment="Arrow IPC stream, compressed by zstd"),
        sa.PrimaryKeyConstraint("batch_number", "content", "first_position"),
        **OPTIONS,
    )


def _results() -> None:
    """Create the table of results."""
    op.create_table(
        "results",
        sa.Column("model_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("model_version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("chunk_start", mysql.DATETIME(fsp=6), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("subject", mysql.VARCHAR(charset="utf8mb4", collation="utf8mb4_bin", length=255), nullable=False),
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
    """Create the table of spec revisions."""
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


def _verdicts() -> None:
    """Create the table of verdicts."""
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
    """Create the table of model versions."""
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


TABLES = (
    _chunk_revisions,
    _labels,
    _ledger,
    _ledger_slots,
    _models,
    _pending_batches,
    _pending_chunks,
    _predictions,
    _batch_data,
    _results,
    _spec_revisions,
    _verdicts,
    _model_versions,
)
