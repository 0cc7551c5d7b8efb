"""The state of each chunk, from which the next poll goes on, and batches of labels that are pending for chunks."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0006"
down_revision = "0005"

OPTIONS: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


def _name(length: int) -> mysql.VARCHAR:
    return mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=length)


def _chunk() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("model_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("model_version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("chunk_start", mysql.DATETIME(fsp=6), nullable=False),
    )


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "chunk_states",
        *_chunk(),
        sa.Column("content", _name(16), nullable=False, comment="features, labels"),
        sa.Column(
            "part", sa.Integer(), autoincrement=False, nullable=False, comment="all parts together are the chunk"
        ),
        sa.Column("piece", sa.Integer(), autoincrement=False, nullable=False, comment="of the part's data, from 0"),
        sa.Column("chunk_end", mysql.DATETIME(fsp=6), nullable=False),
        sa.Column("spec_revision", sa.Integer(), nullable=False),
        sa.Column("format", _name(64), nullable=False, comment="of the data; another format is computed again"),
        sa.Column(
            "description",
            mysql.LONGTEXT(),
            nullable=True,
            comment="JSON: the batches of the part, and a hash of its rows; of piece 0",
        ),
        sa.Column("data", mysql.LONGBLOB(), nullable=False, comment="a piece of the summary, compressed by zstd"),
        sa.PrimaryKeyConstraint("model_number", "model_version", "chunk_start", "content", "part", "piece"),
        **OPTIONS,
    )
    op.create_table(
        "pending_labels",
        *_chunk(),
        sa.Column(
            "batch_number",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="a batch of labels of the chunk",
        ),
        sa.PrimaryKeyConstraint("model_number", "model_version", "chunk_start", "batch_number"),
        **OPTIONS,
    )


def downgrade() -> None:
    """Drop both tables."""
    op.drop_table("pending_labels")
    op.drop_table("chunk_states")
