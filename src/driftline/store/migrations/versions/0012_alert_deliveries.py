"""Deliveries of alerts: messages about incidents, pending until their channel has taken them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0012"
down_revision = "0011"


def _name(length: int) -> mysql.VARCHAR:
    return mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=length)


def _column(name: str, of_type: object, comment: str | None = None, *, null: bool = False) -> sa.Column[object]:
    return sa.Column(name, of_type, nullable=null, comment=comment)  # type: ignore[arg-type]


def upgrade() -> None:
    """Create the table."""
    instant = mysql.DATETIME(fsp=6)
    problem = mysql.VARCHAR(charset="utf8mb4", collation="utf8mb4_bin", length=500)
    op.create_table(
        "alert_deliveries",
        _column("number", sa.BigInteger()),
        _column("delivery_id", _name(64)),
        _column("thread", _name(64), "delivery_id of the first message of its incident here"),
        _column("channel", _name(64)),
        _column("kind", _name(16), "what happened in the incident; test"),
        _column("model_number", sa.Integer(), "NULL: a test", null=True),
        _column("model_version", sa.Integer(), null=True),
        _column("incident_number", sa.BigInteger(), null=True),
        _column("incident_state", _name(16), null=True),
        _column("severity", _name(16), "of the incident's last chunk in trouble", null=True),
        _column("worst", _name(16), null=True),
        _column("content", mysql.LONGTEXT(), "JSON: the alert as it is sent"),
        _column("state", _name(16), "pending, delivered, dead"),
        _column("grouped", sa.Boolean(create_constraint=False), "sent with others in one message"),
        _column("digest", _name(64), "the message that it is sent in with others", null=True),
        _column("created_at", instant),
        _column("due_at", instant, "next attempt; while one lasts, when it is given up"),
        _column("attempts", sa.Integer()),
        _column("problem", problem, "why the last attempt failed", null=True),
        _column("finished_at", instant, "when it was delivered, or became a dead letter", null=True),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("delivery_id"),
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )
    indexes = {
        "due": ("channel", "state", "due_at"),
        "incident": ("model_number", "model_version", "incident_number"),
        "state": ("state", "number"),
    }
    for name, columns in indexes.items():
        op.create_index(f"ix_alert_deliveries_{name}", "alert_deliveries", columns)


def downgrade() -> None:
    """Drop it."""
    op.drop_table("alert_deliveries")
