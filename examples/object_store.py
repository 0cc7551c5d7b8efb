"""The object store: the S3 of the environment, a local versitygw, or a folder where Go is missing."""

import json
import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path

import fsspec

from examples.monitor_api import wait_for
from examples.processes import LOOPBACK, BackgroundProcess
from examples.servers import ROOT, Servers

START_SECONDS = 60


def start_object_store(servers: Servers, folder: Path, processes: Path) -> str:
    """Return the address of EXAMPLES_OBJECTS, or of the bucket of an example, named as its folder.

    A server that is started here has its settings put into the variables of this process.
    """
    if address := os.environ.get("EXAMPLES_OBJECTS"):
        return _with_bucket(address)
    try:
        program = servers.run("-m", "stack", "tools", "versitygw").splitlines()[-1]
    except SystemExit as error:
        objects = folder / "objects"
        sys.stdout.write(f"{str(error).splitlines()[-1]}\nUntil then, objects are kept in {objects}.\n")
        return _with_bucket(str(objects))
    process = BackgroundProcess(f"versitygw-{folder.name}", processes)
    buckets = folder / "buckets"
    buckets.mkdir(parents=True, exist_ok=True)
    keys = _keys(folder / "s3_keys.json")
    command = (program, "--port", f"{LOOPBACK}:{process.port}", "--quiet", "posix", str(buckets))
    process.start(command, {"PATH": os.environ["PATH"], **keys}, ROOT)
    wait_for(lambda: process.listens, "versitygw", START_SECONDS, process=process)
    os.environ.update(
        AWS_ENDPOINT_URL=f"http://{LOOPBACK}:{process.port}",
        AWS_ACCESS_KEY_ID=keys["ROOT_ACCESS_KEY"],
        AWS_SECRET_ACCESS_KEY=keys["ROOT_SECRET_KEY"],
        AWS_DEFAULT_REGION="us-east-1",
    )
    return _with_bucket(f"s3://{folder.name}")


def _with_bucket(address: str) -> str:
    """Create the bucket, or the folder, unless it exists; return its address."""
    files, root = fsspec.url_to_fs(address)
    if not files.exists(root):
        files.mkdir(root)
    return address


def _keys(file: Path) -> Mapping[str, str]:
    """Return the keys of the server, drawn at the first run; they are no arguments, which all users could see."""
    if not file.exists():
        keys = {"ROOT_ACCESS_KEY": secrets.token_hex(8), "ROOT_SECRET_KEY": secrets.token_hex(16)}
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "w") as opened:
            json.dump(keys, opened)
    stored: dict[str, str] = json.loads(file.read_text())
    return stored
