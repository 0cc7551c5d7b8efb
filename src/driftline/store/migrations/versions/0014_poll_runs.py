"""Runs of the poll, readable after a restart and from other processes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Create the table."""
    instant = mysql.DATETIME(fsp=6)
    name = mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=32)
    problem = mysql.VARCHAR(charset="utf8mb4", collation="utf8mb4_bin", length=500)
    op.create_table(
        "poll_runs",
        sa.Column("run_id", name, nullable=False),
        sa.Column("began_at", instant, nullable=False),
        sa.Column("alive_at", instant, nullable=False, comment="last sign of life of a run that goes on"),
        sa.Column("ended_at", instant, nullable=True),
        sa.Column("problem", problem, nullable=True, comment="why it failed"),
        sa.Column("summary", mysql.LONGTEXT(), nullable=True, comment="JSON: what it did"),
        sa.PrimaryKeyConstraint("run_id"),
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )
    op.create_index("ix_poll_runs_began", "poll_runs", ["began_at"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("poll_runs")
