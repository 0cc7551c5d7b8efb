"""When a result of a version was stored last, so that several processes learn of it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add the column."""
    op.add_column(
        "model_versions",
        sa.Column(
            "results_at", mysql.DATETIME(fsp=6), nullable=True, comment="when a result or a verdict was stored last"
        ),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_column("model_versions", "results_at")
