"""The examples, each run once for all of its tests, and the environments of programs that need their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from examples.environments import environment
from tests.examples.runs import CLOUD, DSE, Example, ran


@pytest.fixture(scope="session")
def titanic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """The example after its first run."""
    yield from ran("titanic", tmp_path_factory.mktemp("titanic"))


@pytest.fixture(scope="session")
def dse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """The index example after its first run."""
    yield from ran("dse", tmp_path_factory.mktemp("dse"))


@pytest.fixture(scope="session")
def ecg(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """The heartbeat example after its first run."""
    yield from ran("ecg", tmp_path_factory.mktemp("ecg"))


@pytest.fixture(scope="session")
def lakehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """The lakehouse example after its first run."""
    yield from ran("lakehouse", tmp_path_factory.mktemp("lakehouse"))


@pytest.fixture(scope="session")
def cloud_environment() -> Path:
    """The folder of programs of what is deployed to a cloud."""
    return environment("titanic-cloud", CLOUD / "requirements.txt", CLOUD / "tools.lock")


@pytest.fixture(scope="session")
def airflow_environment() -> Path:
    """The folder of programs of Airflow."""
    return environment("dse-airflow", DSE / "airflow.lock")
