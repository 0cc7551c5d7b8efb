"""Alembic executes this file to run the example's migrations."""

from driftline.store.migrate import run_in_alembic

run_in_alembic()
