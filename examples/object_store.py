"""The object store: the S3 of the environment, a local versitygw, or a folder where Go is missing."""

import json
import os
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import fsspec

from examples.monitor_api import wait_for
from examples.processes import LOOPBACK, BackgroundProcess
from examples.servers import ROOT, Servers

START_SECONDS = 60


@dataclass(frozen=True)
class StoredObjects:
    """The address of an example's objects, and the variables with which a program reaches their store."""

    address: str
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def options(self) -> Mapping[str, Any]:
        """The options of fsspec for the store in this process, whose own variables may be those of another one."""
        if not self.address.startswith("s3://"):
            return {}
        keys = {"key": "AWS_ACCESS_KEY_ID", "secret": "AWS_SECRET_ACCESS_KEY", "token": "AWS_SESSION_TOKEN"}
        return {
            **self._named(keys),
            "client_kwargs": self._named({"endpoint_url": "AWS_ENDPOINT_URL"}),
            "config_kwargs": self._named({"region_name": "AWS_DEFAULT_REGION"}),  # it is no wish for a new bucket
        }

    def _named(self, names: Mapping[str, str]) -> dict[str, str]:
        return {option: self.variables[name] for option, name in names.items() if name in self.variables}


def start_object_store(servers: Servers, folder: Path, processes: Path) -> StoredObjects:
    """Return the objects of EXAMPLES_OBJECTS, or the bucket of an example, named as its folder.

    The variables of this process stay as they are.
    """
    if address := os.environ.get("EXAMPLES_OBJECTS"):
        return _with_bucket(StoredObjects(address, aws_variables(os.environ)))
    try:
        program = servers.run("-m", "stack", "tools", "versitygw").splitlines()[-1]
    except SystemExit as error:
        objects = folder / "objects"
        sys.stdout.write(f"{str(error).splitlines()[-1]}\nUntil then, objects are kept in {objects}.\n")
        return _with_bucket(StoredObjects(str(objects)))
    process = BackgroundProcess(f"versitygw-{folder.name}", processes)
    buckets = folder / "buckets"
    buckets.mkdir(parents=True, exist_ok=True)
    keys = _keys(folder / "s3_keys.json")
    command = (program, "--port", f"{LOOPBACK}:{process.port}", "--quiet", "posix", str(buckets))
    process.start(command, {"PATH": os.environ["PATH"], **keys}, ROOT)
    wait_for(lambda: process.listens, "versitygw", START_SECONDS, process=process)
    variables = {
        "AWS_ENDPOINT_URL": f"http://{LOOPBACK}:{process.port}",
        "AWS_ACCESS_KEY_ID": keys["ROOT_ACCESS_KEY"],
        "AWS_SECRET_ACCESS_KEY": keys["ROOT_SECRET_KEY"],
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    return _with_bucket(StoredObjects(f"s3://{folder.name}", variables))


def aws_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of an environment that name the S3 server and its keys."""
    return {name: value for name, value in environment.items() if name.startswith("AWS_")}


def _with_bucket(objects: StoredObjects) -> StoredObjects:
    """Create the bucket, or the folder, unless it exists."""
    files, root = fsspec.url_to_fs(objects.address, **objects.options)
    if not files.exists(root):
        files.mkdir(root)
    return objects


def _keys(file: Path) -> Mapping[str, str]:
    """Return the keys of the server, drawn at the first run; they are no arguments, which all users could see."""
    if not file.exists():
        keys = {"ROOT_ACCESS_KEY": secrets.token_hex(8), "ROOT_SECRET_KEY": secrets.token_hex(16)}
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "w") as opened:
            json.dump(keys, opened)
    stored: dict[str, str] = json.loads(file.read_text())
    return stored
