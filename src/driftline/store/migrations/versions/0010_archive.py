"""The archive: after how many days a model's rows are archived and removed, and the objects that have archived rows."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0010"
down_revision = "0009"

OPTIONS: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}
DAYS = {
    "archive_after_days": "after a chunk has closed and its labels were due; NULL: never",
    "remove_after_days": "likewise, and then its archived rows are removed; NULL: never",
}


def _name(length: int) -> mysql.VARCHAR:
    return mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=length)


def upgrade() -> None:
    """Add the table and the days, which no model has."""
    for name, comment in DAYS.items():
        op.add_column("models", sa.Column(name, sa.Integer(), nullable=True, comment=comment))
    op.create_table(
        "archive_objects",
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("model_number", sa.Integer(), nullable=False),
        sa.Column("model_version", sa.Integer(), nullable=False),
        sa.Column("period_start", mysql.DATETIME(fsp=6), nullable=False),
        sa.Column("period_end", mysql.DATETIME(fsp=6), nullable=False),
        sa.Column("state", _name(16), nullable=False, comment="writing, stored, replaced, removing, removed"),
        sa.Column(
            "address",
            mysql.VARCHAR(charset="utf8mb4", collation="utf8mb4_bin", length=500),
            nullable=False,
            comment="of a Parquet object",
        ),
        sa.Column("row_count", sa.BigInteger(), nullable=False),
        sa.Column("byte_count", sa.BigInteger(), nullable=False),
        sa.Column("content_hash", _name(64), nullable=False, comment="SHA-256 of the object"),
        sa.Column(
            "batches",
            mysql.LONGTEXT(),
            nullable=False,
            comment="JSON: by batch, its removed rows, and its rows in the object with their first and last position",
        ),
        sa.Column("written_at", mysql.DATETIME(fsp=6), nullable=False),
        sa.Column("removed_at", mysql.DATETIME(fsp=6), nullable=True),
        sa.PrimaryKeyConstraint("number"),
        **OPTIONS,
    )
    op.create_index("ix_archive_objects_period", "archive_objects", ["model_number", "model_version", "period_start"])


def downgrade() -> None:
    """Drop the table and the days; rows that only the archive has are lost."""
    op.drop_table("archive_objects")
    for name in reversed(DAYS):
        op.drop_column("models", name)
