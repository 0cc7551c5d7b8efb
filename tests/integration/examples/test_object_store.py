"""The S3 server that an example starts: found by options and by programs, while this process's variables stay."""

import os
import subprocess
import sys
from pathlib import Path

import fsspec
import pytest

from examples import processes
from examples.object_store import start_object_store
from examples.servers import ROOT, Servers
from stack.setup import tools

READS = "import sys, fsspec; sys.stdout.buffer.write(fsspec.open(sys.argv[1]).open().read())"


class BuiltServer(Servers):
    """Servers with the program of versitygw."""

    def run(self, *command: str) -> str:
        """Return its path."""
        return str(tools.path(tools.VERSITYGW))


@pytest.mark.skipif(bool(tools.reason_missing(tools.VERSITYGW)), reason=str(tools.reason_missing(tools.VERSITYGW)))
def test_the_environment_stays_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("EXAMPLES_OBJECTS", "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-north-1")
    before = dict(os.environ)
    try:
        objects = start_object_store(BuiltServer("", "", tmp_path, {}), tmp_path / "beats", tmp_path / "processes")
        assert dict(os.environ) == before
        assert objects.address == "s3://beats"
        files, root = fsspec.url_to_fs(objects.address, **objects.options)
        files.pipe_file(f"{root}/a", b"content")
        command = (sys.executable, "-c", READS, f"{objects.address}/a")
        read = subprocess.run(command, env={**before, **objects.variables}, capture_output=True, check=True, cwd=ROOT)
        assert read.stdout == b"content"
    finally:
        processes.stop_all(tmp_path / "processes")
