"""How far each partition of a topic was read."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "source_offsets",
        sa.Column(
            "source",
            mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=255),
            nullable=False,
            comment="kafka/TOPIC",
        ),
        sa.Column("part", sa.Integer(), autoincrement=False, nullable=False, comment="partition"),
        sa.Column("next_offset", sa.BigInteger(), nullable=False, comment="of the first message that was not read"),
        sa.PrimaryKeyConstraint("source", "part"),
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )


def downgrade() -> None:
    """Remove the table."""
    op.drop_table("source_offsets")
