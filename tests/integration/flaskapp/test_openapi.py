"""The simulator answers every request as `/openapi.json` describes, and never with a server error."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from sqlalchemy import Engine

from flaskapp.app import create_app
from flaskapp.settings import Settings
from flaskapp.stream.request import StartStream
from stack.testing.fixtures import DatabaseAddress
from tests.integration.fuzzing import PROBING, closed, faults, open_doors

MOST = {"batch_size": 20, "subscribers": 20, "num_batches": 2}
"""Valid streams are limited to this size, since these tests examine the routes and not the streams."""


@pytest.fixture
def database(mariadb: DatabaseAddress) -> DatabaseAddress:
    return mariadb


@pytest.fixture
def small_streams() -> Iterator[None]:
    """Makes numbers that are allowed small before they are sent; what is not allowed is sent as it is."""

    def before_call(_: object, case: Any, __: object) -> None:
        if isinstance(case.body, dict) and _fits(case.body):
            case.body |= {name: min(most, case.body.get(name) or most) for name, most in MOST.items()}

    schemathesis.hook(before_call)
    yield
    schemathesis.hooks.unregister(before_call)


def _fits(body: dict[str, Any]) -> bool:
    try:
        StartStream.model_validate(body)
    except ValueError:
        return False
    return True


@pytest.mark.usefixtures("small_streams")
def test_the_simulator_answers_as_described(engine: Engine, simulator_settings: Settings, tmp_path: Path) -> None:
    assert engine
    scope, token = closed(tmp_path)
    app = create_app(replace(simulator_settings, access=scope))
    try:
        assert {*open_doors(app)} == PROBING
        assert faults(app, token, refusing=("/start_stream",)) == []
    finally:
        app.extensions["streaming"].close()
        app.extensions["streaming"].engine.dispose()
