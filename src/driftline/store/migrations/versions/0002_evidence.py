"""The evidence of chunk revisions: counts by score, what they say, and the detector's state."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the columns; revisions that are stored already have none of it."""
    columns: tuple[sa.Column[Any], ...] = (
        sa.Column(
            "score_counts",
            mysql.LONGTEXT(),
            nullable=True,
            comment="JSON: rows by prediction and bin of score: all, labelled, positive",
        ),
        sa.Column("drift_lasts", sa.Boolean(), nullable=True, comment="as of the last replay of the evidence"),
        sa.Column(
            "evidence",
            mysql.LONGTEXT(),
            nullable=True,
            comment="JSON: what the scores and the labels say, as of the last replay",
        ),
        sa.Column(
            "detector", mysql.LONGTEXT(), nullable=True, comment="JSON: the detector's state after the chunk has closed"
        ),
    )
    for column in columns:
        op.add_column("chunk_revisions", column)


def downgrade() -> None:
    """Remove the columns."""
    for name in ("detector", "evidence", "drift_lasts", "score_counts"):
        op.drop_column("chunk_revisions", name)
