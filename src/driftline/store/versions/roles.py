"""The roles of a model's versions: which is its champion, which its challenger, and who changed that, when and why.

The champion is the version that is used where none is named: served, given to rows without a version, and shown.
Without a champion that is the newest ready version. A model has at most one of each: `models` names them, and
`role_changes` keeps every change, written in the same transaction while the model is locked.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, Engine, insert, select, update

from driftline.clock import aware_utc, naive_utc
from driftline.errors import Conflict, InvalidInput, NotFound
from driftline.store.database import in_transaction, translated
from driftline.store.model_numbers import lock_model, model_number, next_position
from driftline.store.tables import model_versions, models, role_changes
from driftline.store.versions.registry import READY

LONGEST_REASON = 2_000
"""Characters of a reason."""
LONGEST_AUTHOR = 64


class Role(StrEnum):
    """What a version is to its model."""

    CHAMPION = "champion"
    CHALLENGER = "challenger"


class RoleAction(StrEnum):
    """What changed: a champion is promoted or rolled back to; a challenger is named, or dismissed."""

    PROMOTE = "promote"
    ROLLBACK = "rollback"
    CHALLENGE = "challenge"
    DISMISS = "dismiss"


@dataclass(frozen=True, slots=True)
class Author:
    """Who changes a role, when and why."""

    name: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class RoleChange:
    """A change of a role. `replaced` is the version that was used before a new champion; None for a challenger."""

    position: int
    action: RoleAction
    version: int
    replaced: int | None
    author: Author


@dataclass(frozen=True, slots=True)
class Roles:
    """The roles of a model's versions.

    `used` is the version that is used where none is named: the champion, or else the newest ready one.
    """

    champion: int | None
    challenger: int | None
    used: int | None

    def of(self, version: int) -> Role | None:
        """Return the role of a version."""
        if version == self.champion:
            return Role.CHAMPION
        return Role.CHALLENGER if version == self.challenger else None


def earlier_champions(changes: Iterable[RoleChange]) -> tuple[int, ...]:
    """Return the versions that were used before the present champion, the last first; a rollback takes one away.

    `changes` are all of a model, oldest first.
    """
    earlier: list[int] = []
    for change in changes:
        if change.action is RoleAction.PROMOTE and change.replaced is not None:
            earlier.append(change.replaced)
        elif change.action is RoleAction.ROLLBACK:
            while earlier and earlier.pop() != change.version:
                pass
    return tuple(reversed(earlier))


def roles_of(connection: Connection, name: str) -> Roles:
    """Return the roles of a model's versions.

    Raises:
        NotFound: no such model.
    """
    number = model_number(connection, name)
    champion, challenger = _stored_roles(connection, number)
    default_version = max(_ready(connection, number), default=None) if champion is None else champion
    return Roles(champion, challenger, default_version)


def changes_of(connection: Connection, name: str) -> list[RoleChange]:
    """Return all changes of a model's roles, oldest first.

    Raises:
        NotFound: no such model.
    """
    return _changes(connection, model_number(connection, name))


def read_roles(engine: Engine, name: str) -> tuple[Roles, list[RoleChange]]:
    """Return the roles of a model's versions, and all changes of them, oldest first.

    Raises:
        NotFound: no such model.
    """
    with translated(), engine.connect() as connection:
        return roles_of(connection, name), changes_of(connection, name)


def promote(engine: Engine, name: str, version: int, author: Author) -> bool:
    """Make a version the champion of its model; return whether it was not before.

    Raises:
        NotFound: no such model, or no such version that is ready. InvalidInput: the reason is missing or too long.
    """
    author = _check(author)

    def work(connection: Connection) -> bool:
        number, present = _lock(connection, name)
        if present.champion == version:
            return False
        _require_ready(connection, name, number, version)
        replaced = None if present.used == version else present.used
        _store(connection, number, RoleAction.PROMOTE, version, replaced, author)
        _set(connection, number, champion=version, challenger=_without(present.challenger, version))
        return True

    return in_transaction(engine, work)


def rollback(engine: Engine, name: str, author: Author) -> int:
    """Return to the version that was used before the champion, and to the one before at the next call.

    Versions that were retired meanwhile are left out.

    Raises:
        NotFound: no such model. Conflict: no version was promoted, or none that was used before is ready.
        InvalidInput: the reason is missing or too long.
    """
    author = _check(author)

    def work(connection: Connection) -> int:
        """Make the newest earlier champion that is ready the champion again."""
        number, present = _lock(connection, name)
        ready = _ready(connection, number)
        earlier = (v for v in earlier_champions(_changes(connection, number)) if v in ready and v != present.champion)
        version = next(earlier, None)
        if version is None:
            raise Conflict(
                f"Model {name!r} has no earlier champion that is ready; `driftline models promote {name} VERSION` "
                f"names a version. Ready: {', '.join(map(str, sorted(ready))) or 'none'}."
            )
        _store(connection, number, RoleAction.ROLLBACK, version, present.champion, author)
        _set(connection, number, champion=version, challenger=_without(present.challenger, version))
        return version

    return in_transaction(engine, work)


def challenge(engine: Engine, name: str, version: int, author: Author) -> None:
    """Make a version the challenger of its model, in place of any other.

    Raises:
        NotFound: no such model, or no such version that is ready. Conflict: it is the champion, or there is none: then
            the newest version is used, which may be this one.
    """
    author = _check(author)

    def work(connection: Connection) -> None:
        number, present = _lock(connection, name)
        _require_ready(connection, name, number, version)
        if present.champion in (None, version):
            raise Conflict(
                f"Version {version} of {name!r} cannot be its challenger, since its champion is "
                f"{present.champion or 'not named'}; promote another version first."
            )
        if version != present.challenger:
            _store(connection, number, RoleAction.CHALLENGE, version, None, author)
            _set(connection, number, champion=present.champion, challenger=version)

    in_transaction(engine, work)


def dismiss(engine: Engine, name: str, author: Author) -> int | None:
    """Take the role from the challenger of a model and return its version; None where there is no challenger.

    Raises:
        NotFound: no such model.
    """
    author = _check(author)

    def work(connection: Connection) -> int | None:
        number, present = _lock(connection, name)
        if present.challenger is not None:
            _store(connection, number, RoleAction.DISMISS, present.challenger, None, author)
            _set(connection, number, champion=present.champion, challenger=None)
        return present.challenger

    return in_transaction(engine, work)


def release(connection: Connection, name: str, number: int, version: int) -> None:
    """Check that a version that is to be retired is not the champion; it is no longer a challenger.

    The model's row is locked until the transaction ends.

    Raises:
        Conflict: it is the champion.
    """
    lock_model(connection, number)
    champion, challenger = _stored_roles(connection, number)
    if champion == version:
        raise Conflict(
            f"Version {version} of {name!r} is its champion; promote another one first (`driftline models promote "
            f"{name} VERSION --reason …`), or go back (`driftline models rollback {name}`)."
        )
    if challenger == version:
        _set(connection, number, champion=champion, challenger=None)


def _check(author: Author) -> Author:
    """Return an author whose name and reason can be stored."""
    reason = author.reason
    if not reason or len(reason) > LONGEST_REASON:
        raise InvalidInput(
            f"The reason has {len(reason):,} characters; give one of 1 to {LONGEST_REASON:,}, since it is kept with "
            "the change."
        )
    return Author(author.name[:LONGEST_AUTHOR], author.at, reason)


def _lock(connection: Connection, name: str) -> tuple[int, Roles]:
    """Lock a model until the transaction ends; return its number and the roles of its versions."""
    number = model_number(connection, name)
    lock_model(connection, number)
    return number, roles_of(connection, name)


def _stored_roles(connection: Connection, number: int) -> tuple[int | None, int | None]:
    """Return the champion and the challenger that are stored with a model."""
    row = connection.execute(select(models.c.champion, models.c.challenger).where(models.c.number == number)).one()
    return row.champion, row.challenger


def _require_ready(connection: Connection, name: str, number: int, version: int) -> None:
    ready = _ready(connection, number)
    if version not in ready:
        listed = ", ".join(map(str, sorted(ready))) or "none"
        raise NotFound(f"Model {name!r} has no ready version {version}. Ready: {listed}.")


def _ready(connection: Connection, number: int) -> set[int]:
    rows = (model_versions.c.model_number == number) & (model_versions.c.state == READY)
    return set(connection.execute(select(model_versions.c.version).where(rows)).scalars())


def _without(challenger: int | None, champion: int) -> int | None:
    """Return the challenger, unless it has become the champion."""
    return None if challenger == champion else challenger


def _changes(connection: Connection, number: int) -> list[RoleChange]:
    """Return the changes of a model's roles, oldest first."""
    statement = select(role_changes).where(role_changes.c.model_number == number).order_by(role_changes.c.position)
    return [
        RoleChange(
            row.position,
            RoleAction(row.action),
            row.version,
            row.replaced,
            Author(row.changed_by, aware_utc(row.changed_at), row.reason),
        )
        for row in connection.execute(statement)
    ]


def _store(
    connection: Connection, number: int, action: RoleAction, version: int, replaced: int | None, author: Author
) -> None:
    """Add a change to a model's history; the model is locked, so positions have no gap."""
    row = {
        "model_number": number,
        "position": next_position(connection, role_changes, number),
        "action": action,
        "version": version,
        "replaced": replaced,
        "changed_at": naive_utc(author.at),
        "changed_by": author.name,
        "reason": author.reason,
    }
    connection.execute(insert(role_changes).values(row))


def _set(connection: Connection, number: int, *, champion: int | None, challenger: int | None) -> None:
    row = update(models).where(models.c.number == number)
    connection.execute(row.values(champion=champion, challenger=challenger))
