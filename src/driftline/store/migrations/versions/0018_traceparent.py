"""The trace in which a batch was written, so that those who process it can name it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Add the column, unless the first migration has created it."""
    present = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("ledger")}
    if "traceparent" not in present:
        text = mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=55)
        comment = "the trace in which it was written, where traces are recorded"
        op.add_column("ledger", sa.Column("traceparent", text, nullable=True, comment=comment))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("ledger", "traceparent")
