"""Alembic's entry: runs the migrations on the connection that `driftline.migrate` passes."""

from alembic import context

from driftline.tables import metadata

with context.begin_transaction():
    context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
    context.run_migrations()
