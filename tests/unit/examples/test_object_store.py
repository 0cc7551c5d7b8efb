"""How an example reaches its objects: by options and variables of programs, and not by variables of its process."""

import os
from pathlib import Path

import pytest

from examples.object_store import StoredObjects, start_object_store
from examples.servers import Servers

KEYS = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "name",
    "AWS_SECRET_ACCESS_KEY": "not to be seen",
}


def test_the_variables_of_a_store_are_options_in_this_process() -> None:
    objects = StoredObjects("s3://ecg", KEYS)
    assert objects.options == {
        "key": "name",
        "secret": "not to be seen",
        "client_kwargs": {"endpoint_url": "http://127.0.0.1:9"},
        "config_kwargs": {"region_name": "us-east-1"},
    }
    assert "not to be seen" not in repr(objects)
    assert StoredObjects("/a/folder", KEYS).options == {}


def test_named_objects_have_the_variables_of_the_environment_which_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**KEYS, "EXAMPLES_OBJECTS": str(tmp_path / "objects")}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    before = dict(os.environ)
    objects = start_object_store(Servers("", "", tmp_path, {}), tmp_path / "ecg", tmp_path / "processes")
    assert objects.address == str(tmp_path / "objects")
    assert objects.variables.items() >= KEYS.items()
    assert (tmp_path / "objects").is_dir()
    assert dict(os.environ) == before
