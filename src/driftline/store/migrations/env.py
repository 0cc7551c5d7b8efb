"""Alembic executes this file to run the library's migrations."""

from driftline.store.migrate import run_in_alembic

run_in_alembic()
