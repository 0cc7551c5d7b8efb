"""Retrainings: why a challenger was trained, how it compared with the champion, and what followed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0017"
down_revision = "0016"


def _name(length: int) -> mysql.VARCHAR:
    return mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=length)


def _text(length: int) -> mysql.VARCHAR:
    return mysql.VARCHAR(charset="utf8mb4", collation="utf8mb4_bin", length=length)


def _column(name: str, of_type: object, comment: str | None = None, *, null: bool = False) -> sa.Column[object]:
    return sa.Column(name, of_type, nullable=null, comment=comment)  # type: ignore[arg-type]


def upgrade() -> None:
    """Create the table."""
    instant = mysql.DATETIME(fsp=6)
    op.create_table(
        "retrainings",
        sa.Column("model_number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("position", sa.Integer(), nullable=False, autoincrement=False),
        _column("state", _name(16), "running, promoted, kept, failed"),
        _column("cause", _text(500), "a lasting alert, or the reason of a person"),
        _column("event_number", sa.BigInteger(), "the last verdict event of the champion that was read", null=True),
        _column("champion", sa.Integer()),
        _column("challenger", sa.Integer(), "NULL: it was not trained yet", null=True),
        _column("reason", _text(2000), "why the challenger was promoted or not; NULL while it runs", null=True),
        _column("comparison", mysql.LONGTEXT(), "JSON: both models on the same labelled rows", null=True),
        _column("started_at", instant),
        _column("finished_at", instant, null=True),
        sa.PrimaryKeyConstraint("model_number", "position"),
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("retrainings")
