"""The schema with the truth about injected drift: the simulator writes it, and the monitor has no rights on it."""

from sqlalchemy import Engine

TRUTH = "truth"
"""The schema's name in the definitions of tables."""


def truth_schema(database: str) -> str:
    """Return the name of the truth schema that belongs to a database."""
    return f"{database}_truth"


def with_truth(engine: Engine) -> Engine:
    """Return an engine of the same pool, whose statements find the tables of the truth schema."""
    return engine.execution_options(schema_translate_map={TRUTH: truth_schema(str(engine.url.database))})
