"""The champion of a model: used wherever no version is named, one at a time, and with its history."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import Engine

from driftline.errors import Conflict, InvalidInput, NotFound
from driftline.ingest.target import Targets
from driftline.objects import open_store
from driftline.store import removal
from driftline.store.versions import registry, roles
from driftline.store.versions.model_list import list_models, versions_of
from driftline.store.versions.roles import Author, Role, RoleAction, Roles
from tests.integration.driftline.store.test_registry import NOW, candidate

AUTHOR = Author("anna", NOW, "better")


@pytest.fixture
def flights(engine: Engine, tmp_path: Path) -> Engine:
    for letter in "abc":
        registry.register(engine, candidate(training_hash=letter * 64), open_store(tmp_path), NOW)
    return engine


def used(engine: Engine) -> int:
    """Return the version that is used where none is named; all that ask agree on it."""
    with engine.connect() as connection:
        (listed,) = list_models(connection)
        answers = {
            registry.load(engine, "flights").number,
            registry.version_key(connection, "flights").version,
            Targets(engine).of("flights").version,
            listed.version,
            roles.roles_of(connection, "flights").used,
        }
    (version,) = answers
    assert version is not None
    return version


def test_the_champion_is_used_and_a_rollback_returns(flights: Engine) -> None:
    assert used(flights) == 3
    assert roles.promote(flights, "flights", 1, AUTHOR)
    assert not roles.promote(flights, "flights", 1, AUTHOR), "the same again changes nothing"
    assert used(flights) == 1
    roles.challenge(flights, "flights", 2, AUTHOR)
    assert roles.read_roles(flights, "flights")[0] == Roles(1, 2, 1)
    assert roles.promote(flights, "flights", 2, AUTHOR)
    assert used(flights) == 2
    present, changes = roles.read_roles(flights, "flights")
    assert present == Roles(2, None, 2)
    assert [(change.action, change.version, change.replaced) for change in changes] == [
        (RoleAction.PROMOTE, 1, 3), (RoleAction.CHALLENGE, 2, None), (RoleAction.PROMOTE, 2, 1),
    ]  # fmt: skip
    assert changes[0].author == AUTHOR
    assert [roles.rollback(flights, "flights", AUTHOR) for _ in range(2)] == [1, 3]
    with pytest.raises(Conflict, match="no earlier champion"):
        roles.rollback(flights, "flights", AUTHOR)
    assert used(flights) == 3
    with flights.connect() as connection:
        assert [version.role for version in versions_of(connection, "flights")] == [None, None, Role.CHAMPION]


def test_a_champion_is_not_retired_and_a_rollback_leaves_out_what_is(flights: Engine) -> None:
    for version in (2, 1):
        roles.promote(flights, "flights", version, AUTHOR)
    with pytest.raises(Conflict, match="promote another one first"):
        removal.retire(flights, "flights", 1)
    roles.challenge(flights, "flights", 2, AUTHOR)
    removal.retire(flights, "flights", 2)
    assert roles.read_roles(flights, "flights")[0].challenger is None
    assert roles.rollback(flights, "flights", AUTHOR) == 3
    with pytest.raises(NotFound, match=r"no ready version 2\. Ready: 1, 3"):
        roles.promote(flights, "flights", 2, AUTHOR)
    removal.remove(flights, "flights")
    with flights.connect() as connection:
        assert list_models(connection) == []


def test_refused_changes_store_nothing(flights: Engine) -> None:
    with pytest.raises(InvalidInput, match="reason"):
        roles.promote(flights, "flights", 1, Author("anna", NOW, ""))
    with pytest.raises(Conflict, match="is not named"):
        roles.challenge(flights, "flights", 3, AUTHOR)
    with pytest.raises(NotFound, match="No model is named"):
        roles.promote(flights, "trains", 1, AUTHOR)
    assert roles.dismiss(flights, "flights", AUTHOR) is None
    assert roles.read_roles(flights, "flights") == (Roles(None, None, 3), [])


def test_concurrent_promotions_leave_one_champion_and_no_gaps(flights: Engine) -> None:
    with ThreadPoolExecutor(4) as pool:
        changed = [*pool.map(lambda n: roles.promote(flights, "flights", 1 + n % 3, AUTHOR), range(12))]
    present, changes = roles.read_roles(flights, "flights")
    assert present.champion == changes[-1].version
    assert [change.position for change in changes] == [*range(1, sum(changed) + 1)]
    assert all(change.replaced == before.version for before, change in pairwise(changes))
