"""Which files of watched folders were read, and what became of them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0008"
down_revision = "0007"


def _name(length: int) -> mysql.VARCHAR:
    return mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=length)


def _text(length: int) -> mysql.VARCHAR:
    return mysql.VARCHAR(charset="utf8mb4", collation="utf8mb4_bin", length=length)


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "watched_files",
        sa.Column("model_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("file_hash", _name(64), nullable=False, comment="of the kind and the address"),
        sa.Column("kind", _name(20), nullable=False, comment="predictions, labels, correction"),
        sa.Column("address", _text(1024), nullable=False),
        sa.Column("file_version", _text(255), nullable=False, comment="what changes with the file"),
        sa.Column("content_hash", _name(64), nullable=False),
        sa.Column("state", _name(16), nullable=False, comment="stored, refused"),
        sa.Column("rows_sent", sa.BigInteger(), nullable=False),
        sa.Column("reason", _text(2000), comment="why it was refused"),
        sa.Column("read_at", mysql.DATETIME(fsp=6), nullable=False),
        sa.PrimaryKeyConstraint("model_number", "file_hash"),
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )


def downgrade() -> None:
    """Remove the table."""
    op.drop_table("watched_files")
