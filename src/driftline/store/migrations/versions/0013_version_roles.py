"""The roles of versions: which is the champion of its model, which the challenger, and every change of that."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0013"
down_revision = "0012"

ROLES = {
    "champion": "the version that is used where none is named; NULL: the newest ready one",
    "challenger": "the version that is compared with the champion",
}


def _text(length: int) -> mysql.VARCHAR:
    return mysql.VARCHAR(charset="utf8mb4", collation="utf8mb4_bin", length=length)


def upgrade() -> None:
    """Add the roles, which no version has yet, and the table of their changes."""
    for name, comment in ROLES.items():
        op.add_column("models", sa.Column(name, sa.Integer(), nullable=True, comment=comment))
    op.create_table(
        "role_changes",
        sa.Column("model_number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("position", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column(
            "action",
            mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=16),
            nullable=False,
            comment="promote, rollback, challenge, dismiss",
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("replaced", sa.Integer(), nullable=True, comment="the version that was used before a new champion"),
        sa.Column("changed_at", mysql.DATETIME(fsp=6), nullable=False),
        sa.Column("changed_by", _text(64), nullable=False),
        sa.Column("reason", _text(2000), nullable=False),
        sa.PrimaryKeyConstraint("model_number", "position"),
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )


def downgrade() -> None:
    """Drop them; the newest ready version of each model is used again."""
    op.drop_table("role_changes")
    for name in reversed(ROLES):
        op.drop_column("models", name)
