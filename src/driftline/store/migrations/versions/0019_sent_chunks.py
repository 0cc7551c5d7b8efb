"""Which closed chunks were sent to a time series database, and in which state."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Create the table, unless the first migration has created it."""
    if sa.inspect(op.get_bind()).has_table("sent_chunks"):
        return
    instant = mysql.DATETIME(fsp=6)
    op.create_table(
        "sent_chunks",
        sa.Column("model_number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("model_version", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("chunk_start", instant, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False, comment="that was sent last"),
        sa.Column("derived_at", instant, nullable=True, comment="of the verdict that was sent"),
        sa.PrimaryKeyConstraint("model_number", "model_version", "chunk_start"),
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("sent_chunks")
