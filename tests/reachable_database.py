"""Whether a database answers."""

from sqlalchemy import Engine, text

from driftline.errors import DatabaseUnavailable
from driftline.store.database import translated


def is_reachable(engine: Engine) -> bool:
    """Return whether the server answers a query now."""
    try:
        with translated(), engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except DatabaseUnavailable:
        return False
    return True
