"""The steps of the recipe for a migration: a table of notes on models, and the migration that creates it."""

from driftline.store.migrate import LIBRARY
from tests.unit.recipes.tree_copy import TextPlace, TreeCopy, blocks, recipe

STORE = "src/driftline/store"
NEWEST = int(LIBRARY.newest())
FILE = f"{STORE}/migrations/versions/{NEWEST + 1:04}_model_notes.py"
TABLE = TextPlace(f"{STORE}/tables.py", "retrainings = Table(", "\n\n")
HEAD = f'''"""Notes on models."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "{NEWEST + 1:04}"
down_revision = "{NEWEST:04}"


'''


def add_table(tree: TreeCopy) -> None:
    """Add the recipe's table and its migration to a copy."""
    table, upgrade = blocks(recipe("A migration"))
    tree.insert(TABLE, table)
    tree.write(FILE, f"{HEAD}{upgrade}\n")
