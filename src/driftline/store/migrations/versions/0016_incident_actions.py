"""What people do to incidents: who works on one, until when it is silenced, and the history of both."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0016"
down_revision = "0015"

OPTIONS: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


def _name(length: int) -> mysql.VARCHAR:
    return mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=length)


def _text(length: int) -> mysql.VARCHAR:
    return mysql.VARCHAR(charset="utf8mb4", collation="utf8mb4_bin", length=length)


def upgrade() -> None:
    """Add the columns and the table; earlier acknowledgements have no row in it."""
    until = "until then no alert is planned; after it, NULL once alerts are planned"
    for column in (
        sa.Column("assigned_to", _text(64), nullable=True, comment="who works on it"),
        sa.Column("silenced_until", mysql.DATETIME(fsp=6), nullable=True, comment=until),
        sa.Column("silenced_by", _text(64), nullable=True),
        sa.Column("silence_reason", _text(500), nullable=True),
    ):
        op.add_column("incidents", column)
    op.create_index("ix_incidents_silenced", "incidents", ["silenced_until"])
    op.create_table(
        "incident_actions",
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("incident_number", sa.BigInteger(), nullable=False),
        sa.Column("model_number", sa.Integer(), nullable=False),
        sa.Column("kind", _name(16), nullable=False, comment="acknowledged, assigned, silenced, unsilenced"),
        sa.Column("author", _text(64), nullable=False),
        sa.Column(
            "text",
            _text(500),
            nullable=True,
            comment="who it is assigned to, NULL: nobody; the reason of a silence",
        ),
        sa.Column("until", mysql.DATETIME(fsp=6), nullable=True, comment="end of a silence"),
        sa.Column("acted_at", mysql.DATETIME(fsp=6), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        **OPTIONS,
    )
    op.create_index("ix_incident_actions_incident", "incident_actions", ["incident_number"])


def downgrade() -> None:
    """Drop them; what people did is lost."""
    op.drop_table("incident_actions")
    op.drop_index("ix_incidents_silenced", "incidents")
    for name in ("silence_reason", "silenced_by", "silenced_until", "assigned_to"):
        op.drop_column("incidents", name)
