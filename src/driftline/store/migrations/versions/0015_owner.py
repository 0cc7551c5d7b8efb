"""The owner of a model: the person or team responsible for it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Add the column; no model has an owner yet."""
    owner = mysql.VARCHAR(charset="utf8mb4", collation="utf8mb4_bin", length=64)
    comment = "responsible for the model: a person or a team"
    op.add_column("models", sa.Column("owner", owner, nullable=True, comment=comment))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("models", "owner")
