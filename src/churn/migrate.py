"""Create and upgrade the tables of the example, after those that monitoring needs."""

from sqlalchemy import Engine

from churn.columns import CHURN_MODEL
from churn.truth import with_truth
from driftline.clock import utc_now
from driftline.store import migrate
from driftline.store.database import in_transaction
from driftline.store.migrate import Migrations
from driftline.store.model_numbers import ensure_model

EXAMPLE = Migrations(
    "churn", version_table="alembic_version_churn", upgrade_command="python -m churn upgrade", prefix="churn_"
)


def upgrade(engine: Engine) -> None:
    """Upgrade all tables and reserve the churn model's number; a second run changes nothing. Needs the owner's rights.

    The number is needed before the model's first version is registered: labels may be written before it.
    """
    migrate.upgrade(engine)
    EXAMPLE.upgrade(with_truth(engine))
    in_transaction(engine, lambda connection: ensure_model(connection, CHURN_MODEL, utc_now()))


def require_current(engine: Engine) -> None:
    """Check that the tables of the library and of the example are those of this version.

    Raises:
        NotMigrated: they are older, newer or missing. DatabaseUnavailable: the server is away.
    """
    EXAMPLE.require_current(engine)
    migrate.require_current(engine)
