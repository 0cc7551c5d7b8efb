"""Alembic's entry: runs the migrations on the connection that `driftline.store.migrate` passes."""

from alembic import context

from driftline.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
