"""Schedules of single models' polls, and since when a chunk waits to be computed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0009"
down_revision = "0008"


def _name(length: int) -> mysql.VARCHAR:
    return mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=length)


def upgrade() -> None:
    """Create the table, and add the column."""
    op.create_table(
        "poll_schedules",
        sa.Column("model_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("every_seconds", sa.BigInteger(), nullable=True),
        sa.Column("cron", _name(100), nullable=True, comment="five fields; NULL: every_seconds counts"),
        sa.Column("time_zone", _name(64), nullable=False, comment="of the cron expression"),
        sa.Column("last_poll_at", mysql.DATETIME(fsp=6), nullable=True, comment="when its last poll began"),
        sa.PrimaryKeyConstraint("model_number"),
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )
    op.add_column(
        "pending_chunks",
        sa.Column(
            "waiting_since",
            mysql.DATETIME(fsp=6),
            nullable=True,
            comment="when the oldest batch was written that is not in its results",
        ),
    )


def downgrade() -> None:
    """Drop both."""
    op.drop_column("pending_chunks", "waiting_since")
    op.drop_table("poll_schedules")
