"""Rows that corrections and deletions removed, and the log of what was sent."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0003"
down_revision = "0002"

OPTIONS: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


def _name(length: int) -> mysql.VARCHAR:
    return mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=length)


def _text(length: int) -> mysql.VARCHAR:
    return mysql.VARCHAR(charset="utf8mb4", collation="utf8mb4_bin", length=length)


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "removed_rows",
        sa.Column(
            "batch_number",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="of the row that counts no more",
        ),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "by_batch", sa.BigInteger(), nullable=False, comment="the correction or deletion that removed the row"
        ),
        sa.Column("model_number", sa.Integer(), nullable=False),
        sa.Column("id", _text(128), nullable=True, comment="of a corrected row; NULL once its content is erased"),
        sa.PrimaryKeyConstraint("batch_number", "position"),
        **OPTIONS,
    )
    op.create_index("ix_removed_rows_by_batch", "removed_rows", ["by_batch"], unique=False)
    op.create_index("ix_removed_rows_id", "removed_rows", ["model_number", "id"], unique=False)
    op.create_table(
        "ingest_log",
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("model_number", sa.Integer(), nullable=False),
        sa.Column("received_at", mysql.DATETIME(fsp=6), nullable=False),
        sa.Column("kind", _name(20), nullable=False, comment="predictions, labels, correction, deletion"),
        sa.Column("state", _name(16), nullable=False, comment="stored, refused"),
        sa.Column("batch_id", _name(128), nullable=True),
        sa.Column("caller", _text(64), nullable=True, comment="name of the token, or of the program"),
        sa.Column("format", _name(64), nullable=False),
        sa.Column("body_bytes", sa.BigInteger(), nullable=False),
        sa.Column("rows_sent", sa.Integer(), nullable=True),
        sa.Column("rows_new", sa.Integer(), nullable=True),
        sa.Column("rows_same", sa.Integer(), nullable=True),
        sa.Column(
            "rows_changed", sa.Integer(), nullable=True, comment="labels revised, predictions corrected or deleted"
        ),
        sa.Column("reason", _text(2000), nullable=True, comment="why it was refused"),
        sa.PrimaryKeyConstraint("number"),
        **OPTIONS,
    )
    op.create_index("ix_ingest_log_model", "ingest_log", ["model_number", "number"], unique=False)
    op.create_index("ix_ingest_log_received", "ingest_log", ["received_at"], unique=False)
    op.alter_column(
        "ledger_slots",
        "row_count",
        existing_type=sa.Integer(),
        existing_nullable=False,
        comment="predictions that the batch added, less those that it removed",
    )


def downgrade() -> None:
    """Remove both tables."""
    op.drop_table("ingest_log")
    op.drop_table("removed_rows")
