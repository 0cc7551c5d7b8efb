"""The owner of a model: the person or team responsible for it, by which alerts can be routed."""

from sqlalchemy import Connection, Engine, select, update

from driftline.errors import InvalidInput
from driftline.store.database import in_transaction
from driftline.store.model_numbers import model_number
from driftline.store.tables import models

LONGEST_OWNER = 64


def require_owner(owner: str) -> str:
    """Return an owner without blanks around it.

    Raises:
        InvalidInput: it is empty, too long, or not in one line.
    """
    stripped = owner.strip()
    if not stripped or len(stripped) > LONGEST_OWNER or not stripped.isprintable():
        raise InvalidInput(
            f"{owner!r} is not an owner: one has 1 to {LONGEST_OWNER} characters in one line, such as 'fraud team'."
        )
    return stripped


def owner_of(connection: Connection, number: int) -> str | None:
    """Return the owner of a model by its number; None if it has none."""
    owner: str | None = connection.execute(select(models.c.owner).where(models.c.number == number)).scalar()
    return owner


def write_owner(connection: Connection, number: int, owner: str | None) -> None:
    """Set the owner of a model, or remove it with None."""
    connection.execute(update(models).where(models.c.number == number).values(owner=owner))


def set_owner(engine: Engine, name: str, owner: str | None) -> None:
    """Set the owner of a model, or remove it with None.

    Raises:
        InvalidInput: the owner is not valid. NotFound: no such model.
    """
    checked = None if owner is None else require_owner(owner)
    in_transaction(engine, lambda connection: write_owner(connection, model_number(connection, name), checked))
