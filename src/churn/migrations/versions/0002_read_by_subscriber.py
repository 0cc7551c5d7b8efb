"""Indexes for predictions as records arrive: a subscriber's records, and the predictions of a batch."""

import sqlalchemy as sa
from alembic import op

revision = "churn_0002"
down_revision = "churn_0001"

INDEXES = {
    "DP_CDR_Data": ("ix_DP_CDR_Data_subscriber", ["DP_MSISDN", "DP_DATE"]),
    "churn_predictions": ("ix_churn_predictions_batch", ["batch_number"]),
}


def upgrade() -> None:
    """Create the indexes that are missing; an earlier upgrade may have ended between the two."""
    for table, (name, columns) in INDEXES.items():
        existing = {index["name"] for index in sa.inspect(op.get_bind()).get_indexes(table)}
        if name not in existing:
            op.create_index(name, table, columns)
