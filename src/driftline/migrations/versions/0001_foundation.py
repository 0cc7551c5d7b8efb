"""The foundation: records, prepared data, the ledger, models, labels, results, and the daily summary's procedure."""

from importlib.resources import files

from alembic import op
from sqlalchemy import text

from driftline.tables import CHURN_NUMBER, metadata, truth_metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make every table, the procedure, and the row of the churn model."""
    connection = op.get_bind()
    metadata.create_all(connection)
    truth_metadata.create_all(connection)
    procedure = (files("driftline") / "sql" / "get_daily_cdr_data_batch.sql").read_text()
    connection.exec_driver_sql("DROP PROCEDURE IF EXISTS GetDailyCDRDataBatch")
    connection.exec_driver_sql(procedure, execution_options={"no_parameters": True})
    churn = text("INSERT IGNORE INTO models (number, name, created_at) VALUES (:number, 'churn', UTC_TIMESTAMP(6))")
    connection.execute(churn, {"number": CHURN_NUMBER})
