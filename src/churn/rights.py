"""What each user of the database may do with the example's tables, by table name. No I/O here.

The keys are those of `stack/services/grants.sql`, where the statements are: who may read, add, change or replace rows.
"""

from churn import tables
from churn.migrate import EXAMPLE
from churn.views import MODEL_PREDICTIONS
from driftline.store.tables import predictions_name, predictions_staging_name

RIGHTS: dict[str, tuple[str, ...]] = {
    "simulator_reads": (EXAMPLE.version_table,),
    "simulator_changes": (tables.cdr.name, tables.stream_runs.name),
    "simulator_replaces": (tables.daily_summary.name,),
    "eda_reads": (EXAMPLE.version_table, tables.cdr.name),
    "jobs_replace": (tables.processed.name, tables.processed_staging.name, tables.daily_summary.name),
    "jobs_renew": (MODEL_PREDICTIONS,),
}
"""Names of tables and views by what a user may do with them."""


def model_rights(model_number: int) -> dict[str, tuple[str, ...]]:
    """Return the names of the churn model's own tables by what the jobs may do with them: they create both."""
    return {
        "jobs_make": (predictions_name(model_number),),
        "jobs_make_and_empty": (predictions_staging_name(model_number),),
    }
