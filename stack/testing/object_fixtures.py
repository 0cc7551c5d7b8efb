"""Object stores for tests, as pytest fixtures: temporary servers on free loopback ports.

`gcs`         the Google Cloud Storage server of this test session as `TemporaryGcs`; STORAGE_EMULATOR_HOST names it
`s3`          the S3 server of this test session as `TemporaryS3`; the AWS_* variables name it and hold its key
`gcs_bucket`  "gs://…", a fresh bucket
`s3_bucket`   "s3://…", a fresh bucket

Tests that use them are skipped with a reason if the servers are not built and Go is missing.
"""

import itertools
from collections.abc import Iterator

import pytest
import requests

from stack.setup import tools
from stack.setup.tools import Tool
from stack.testing.object_servers import TemporaryGcs, TemporaryS3, gcs_server, s3_server

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def gcs_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TemporaryGcs]:
    """The Google Cloud Storage server of this test session."""
    _require(tools.FAKE_GCS)
    with gcs_server(tmp_path_factory.mktemp("gcs")) as server:
        yield server


@pytest.fixture(scope="session")
def s3_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TemporaryS3]:
    """The S3 server of this test session."""
    _require(tools.VERSITYGW)
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


def _require(tool: Tool) -> None:
    reason = tools.reason_missing(tool)
    if reason:
        pytest.skip(reason)


@pytest.fixture
def gcs(gcs_session: TemporaryGcs, monkeypatch: pytest.MonkeyPatch) -> TemporaryGcs:
    """The server, named by this test's environment."""
    for name, value in gcs_session.environment().items():
        monkeypatch.setenv(name, value)
    return gcs_session


@pytest.fixture
def s3(s3_session: TemporaryS3, monkeypatch: pytest.MonkeyPatch) -> TemporaryS3:
    """The server, named by this test's environment."""
    for name, value in s3_session.environment().items():
        monkeypatch.setenv(name, value)
    return s3_session


@pytest.fixture
def gcs_bucket(gcs: TemporaryGcs) -> str:
    """A fresh bucket on the Google Cloud Storage server."""
    name = f"test-{next(_numbers)}"
    response = requests.post(f"{gcs.address}/storage/v1/b", json={"name": name}, timeout=30)
    response.raise_for_status()
    return f"gs://{name}"


@pytest.fixture
def s3_bucket(s3: TemporaryS3) -> str:
    """A fresh bucket on the S3 server: a folder that it serves."""
    name = f"test-{next(_numbers)}"
    (s3.buckets / name).mkdir()
    return f"s3://{name}"
